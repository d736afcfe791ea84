"""Layouts of quota for one contended pool: the program's own, and what a user would do without it. No I/O.

All share the same capacity between the same pipelines and experiments, and let the pipelines have what is not
headroom where they keep any.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from benchmarks.stack_files import build_contended_config
from headroom.planning.allocation import Share
from headroom.planning.pipelines import kubernetes_amount
from headroom.planning.queues import EXPERIMENTS
from headroom.planning.tenancy import KIND_LABEL

ERRANT = "pipeline-0"
EVERYBODY = "everybody"
POOL = "contended"
KUEUE = "kueue.x-k8s.io/v1beta2"
OBJECT_LIMITS = ("count/", "pods", "services.")

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the pool offers and what of it is headroom: thousandths of a core, bytes."""

    shares: tuple[Share, ...]

    @property
    def cpu_millis(self) -> int:
        """C of the processors."""
        return next(share.capacity for share in self.shares if share.resource == "cpu")

    @property
    def headroom_millis(self) -> int:
        """H of the processors."""
        return next(share.headroom for share in self.shares if share.resource == "cpu")


@dataclass(frozen=True, slots=True)
class Layout:
    """Objects that share out the pool. `queued`: by Kueue's queues, one a namespace, rather than by a
    ResourceQuota alone."""

    name: str
    manifests: tuple[Manifest, ...]
    queued: bool
    errant: str
    """The namespace that is flooded."""
    experiments: str
    """The namespace of the experiments."""


def plan_layouts(manifests: Iterable[Manifest], pipelines: int, capacity: Capacity) -> tuple[Layout, ...]:
    """Return the program's layout, as it registers it in `manifests`, and those that it is compared with."""
    planned = tuple(manifests)
    places = (EXPERIMENTS, *build_contended_config(pipelines)["headroom:pipelines"])
    unlimited = tuple(_without_object_limits(planned))
    return (
        _queued("as planned", planned),
        _queued("without object limits", unlimited),
        _queued("fixed parts", _fixed_parts(planned, places, capacity)),
        _queued("one shared queue", _shared_queue(planned, places, capacity)),
        Layout("one ResourceQuota", _resource_quota(capacity), False, EVERYBODY, EVERYBODY),
    )


def _queued(name: str, manifests: Iterable[Manifest]) -> Layout:
    return Layout(name, tuple(manifests), True, ERRANT, EXPERIMENTS)


def _without_object_limits(planned: Iterable[Manifest]) -> Iterator[Manifest]:
    for manifest in planned:
        if manifest["kind"] == "ResourceQuota":
            hard = {
                key: value
                for key, value in manifest["spec"]["hard"].items()
                if not key.startswith(OBJECT_LIMITS)
            }
            yield manifest | {"spec": {"hard": hard}}
        else:
            yield manifest


def _fixed_parts(
    planned: Iterable[Manifest], places: Iterable[str], capacity: Capacity
) -> Iterator[Manifest]:
    """The headroom for experiments, the rest in equal parts, and nobody has of another's."""
    places = tuple(places)
    yield from _flavors(planned)
    for place in places:
        yield from _own_queue(
            place,
            lambda share, place=place: (
                share.headroom if place == EXPERIMENTS else share.available // (len(places) - 1)
            ),
            capacity,
        )


def _shared_queue(
    planned: Iterable[Manifest], places: Iterable[str], capacity: Capacity
) -> Iterator[Manifest]:
    yield from _flavors(planned)
    yield _cluster_queue(EVERYBODY, lambda share: share.capacity, capacity)
    for place in places:
        yield _namespace(place)
        yield _local_queue(place, EVERYBODY)


def _resource_quota(capacity: Capacity) -> tuple[Manifest, ...]:
    hard = {
        f"requests.{share.resource}": kubernetes_amount(share.resource, share.capacity)
        for share in capacity.shares
    }
    metadata = {"name": EVERYBODY, "namespace": EVERYBODY}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}
    # Without the label Kueue does not mind the namespace.
    return ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": EVERYBODY}}, quota)


def _flavors(planned: Iterable[Manifest]) -> Iterator[Manifest]:
    return (deepcopy(manifest) for manifest in planned if manifest["kind"] == "ResourceFlavor")


def _own_queue(place: str, amount: Callable[[Share], int], capacity: Capacity) -> Iterator[Manifest]:
    yield _cluster_queue(place, amount, capacity)
    yield _namespace(place)
    yield _local_queue(place, place)


def _cluster_queue(name: str, amount: Callable[[Share], int], capacity: Capacity) -> Manifest:
    resources = [
        {"name": share.resource, "nominalQuota": kubernetes_amount(share.resource, amount(share))}
        for share in capacity.shares
    ]
    group = {
        "coveredResources": [share.resource for share in capacity.shares],
        "flavors": [{"name": POOL, "resources": resources}],
    }
    spec = {"namespaceSelector": {}, "resourceGroups": [group]}
    return {"apiVersion": KUEUE, "kind": "ClusterQueue", "metadata": {"name": name}, "spec": spec}


def _namespace(name: str) -> Manifest:
    metadata = {"name": name, "labels": {KIND_LABEL: "training"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _local_queue(place: str, cluster_queue: str) -> Manifest:
    metadata, spec = {"name": place, "namespace": place}, {"clusterQueue": cluster_queue}
    return {"apiVersion": KUEUE, "kind": "LocalQueue", "metadata": metadata, "spec": spec}
