"""Pods that hold a pool's nodes without having been admitted by any queue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from headroom.audit.expected import RESOURCES, read_amount
from headroom.audit.snapshot import Unmanaged
from headroom.planning.cluster import SYSTEM_POOL
from headroom.planning.pipelines import Resource
from headroom.spec.base import POOL_LABEL

_MARKS: Final = (
    "kueue.x-k8s.io/managed",
    "kueue.x-k8s.io/podset",
    "kueue.x-k8s.io/cluster-queue-name",
    "kueue.x-k8s.io/queue-name",
)
"""Labels of pods that Kueue has let in, whatever they belong to (pkg/constants/constants.go, 0.19.2)."""

_OF_NODES: Final = ("DaemonSet", "Node")
"""Who owns pods that every node has, which the plan takes off what pools offer."""

_SYSTEM: Final = ("kube-system", "gmp-system", "gke-managed-")


def find_unmanaged(pods: Iterable[Mapping[str, Any]], nodes: Mapping[str, str]) -> tuple[Unmanaged, ...]:
    """Return them by namespace and pool; `nodes` says of which pool each node is."""
    counts: Counter[tuple[str, str]] = Counter()
    held: dict[tuple[str, str], Counter[Resource]] = {}
    for pod in pods:
        metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
        pool = _pool(spec, nodes)
        if not pool or pool == SYSTEM_POOL or _is_exempt(metadata):
            continue
        key = (str(metadata.get("namespace", "")), pool)
        counts[key] += 1
        held.setdefault(key, Counter()).update(_requests(spec))
    return tuple(
        Unmanaged(*key, count, tuple(sorted(held[key].items()))) for key, count in sorted(counts.items())
    )


def _pool(spec: Mapping[str, Any], nodes: Mapping[str, str]) -> str:
    name = spec.get("nodeName")
    return nodes.get(name, "") if name else (spec.get("nodeSelector") or {}).get(POOL_LABEL, "")


def _is_exempt(metadata: Mapping[str, Any]) -> bool:
    labels = metadata.get("labels") or {}
    owners = {each.get("kind") for each in metadata.get("ownerReferences") or ()}
    return (
        any(mark in labels for mark in _MARKS)
        or bool(owners & set(_OF_NODES))
        or str(metadata.get("namespace", "")).startswith(_SYSTEM)
    )


def _requests(spec: Mapping[str, Any]) -> Counter[Resource]:
    """What the scheduler counts: all containers together, or the largest of those that run before them."""
    total: Counter[Resource] = Counter()
    for container in spec.get("containers") or ():
        total.update(dict(_amounts(container)))
    for container in spec.get("initContainers") or ():
        for resource, amount in _amounts(container):
            total[resource] = max(total[resource], amount)
    return total


def _amounts(container: Mapping[str, Any]) -> Iterator[tuple[Resource, int]]:
    for name, text in ((container.get("resources") or {}).get("requests") or {}).items():
        if resource := RESOURCES.get(name):
            yield resource, read_amount(resource, text)
