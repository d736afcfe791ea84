"""Rules for what bears nodes: every pool has a limit, every node is in a queue, every kind is known."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from headroom.planning.kueue_release import CHART
from headroom.spec.base import POOL_LABEL
from policies.model import CLUSTER, Model
from policies.node_pools import NODE_POOL, max_nodes
from policies.production_rules import HELM_RELEASE
from policies.queues import GROUP, Flavor
from policies.resources import ABSENT, UNKNOWN, Resource
from policies.rules import Found, Rule
from policies.settings import Settings
from policies.shares import unflavored_pools

_KNOWN_TYPES = Path(__file__).with_name("known_types.yaml")
_SET_MAX = "set autoscaling.totalMaxNodeCount, or a fixed nodeCount"


def _check_limit(resource: Resource, _: Settings) -> Iterator[Found]:
    if resource.type == CLUSTER:
        yield from _check_cluster(resource)
        return
    bounds = [resource.read(*path) for path in _BOUNDS]
    if UNKNOWN in bounds or resource.read("autoscaling") is UNKNOWN:
        yield resource, f"its limit is {UNKNOWN.value}", _SET_MAX
    elif max_nodes(resource, 1) is None:
        yield resource, "has no limit, neither a maximum of autoscaling nor a fixed nodeCount", _SET_MAX


_BOUNDS = (("autoscaling", "totalMaxNodeCount"), ("autoscaling", "maxNodeCount"), ("nodeCount",))


def _check_cluster(cluster: Resource) -> Iterator[Found]:
    """Nodes that a cluster makes of its own accord are in no pool that anybody counts."""
    ways = (
        (("enableAutopilot",), "Autopilot", "remove enableAutopilot"),
        (("clusterAutoscaling", "enabled"), "node auto-provisioning", "remove clusterAutoscaling"),
    )
    for path, what, remedy in ways:
        value = cluster.read(*path)
        if value is UNKNOWN or value is True:
            yield cluster, f"makes nodes by {what}, which no pool counts", remedy
    if cluster.read("nodePools") not in (ABSENT, []):
        yield cluster, "has nodePools of its own, which nobody counts", "make each a NodePool"
    if cluster.read("removeDefaultNodePool") is not True and cluster.read("enableAutopilot") is not True:
        yield (
            cluster,
            "keeps its default node pool, which no pool counts",
            "set removeDefaultNodePool to true",
        )


def _check_queued(model: Model, _: Settings) -> Iterator[Found]:
    for pool in model.pools:
        for resource, reason in pool.reasons:
            yield (
                resource,
                f"{reason}, so that what it offers cannot be counted",
                "make it known to the program",
            )
    for pool in unflavored_pools(model):
        for resource in () if pool.is_system else pool.resources:
            yield (
                resource,
                "no ResourceFlavor selects its nodes, so whatever runs there is in nobody's quota",
                f"label it {POOL_LABEL} after its pool, and give the pool a ResourceFlavor",
            )
    for flavor in model.flavors:
        yield from _check_flavor(model, flavor)
    labels = {pool.label for pool in model.pools}
    counts = Counter(flavor.label for flavor in model.flavors)
    for flavor in model.flavors:
        if flavor.label not in labels:
            shown = flavor.label if isinstance(flavor.label, str) else flavor.label.value
            yield flavor.resource, f"selects nodes by {POOL_LABEL}: {shown}, which no pool has", "name a pool"
        elif counts[flavor.label] > 1:
            yield (
                flavor.resource,
                f"another flavor selects the nodes of {flavor.label} too",
                "keep one of them",
            )


def _check_flavor(model: Model, flavor: Flavor) -> Iterator[Found]:
    """A flavor that asks for more than its pool's nodes have finds none; pods need what taints ask for."""
    if flavor.resource.read("spec", "nodeTaints") not in (ABSENT, []):
        yield (
            flavor.resource,
            "has nodeTaints, so that work has to tolerate what nobody told it",
            "remove them",
        )
    if flavor.resource.read("spec", "topologyName") is not ABSENT:
        yield flavor.resource, "has a topologyName, and no rule knows which nodes are left", "remove it"
    wanted = flavor.resource.read("spec", "nodeLabels")
    for node_pool in (each for pool in model.pools if pool.label == flavor.label for each in pool.resources):
        for key in wanted if isinstance(wanted, Mapping) else ():
            if node_pool.read("nodeConfig", "labels", key) != wanted[key]:
                message = f"selects nodes by {key}, which {node_pool.name} has not like that"
                yield flavor.resource, message, f"select them by {POOL_LABEL} alone"


def _check_kind(resource: Resource, _: Settings) -> Iterator[Found]:
    if resource.type.startswith(GROUP):
        if resource.type not in _known_types():
            yield resource, f"is of the type {resource.type}, which no rule of the queues knows", _JUDGE
        return
    if opaque := _find_opaque(resource):
        yield resource, f"is of the type {resource.type}, which {opaque['does']}", "use a resource of gcp"
        return
    module = resource.type.split("/")[0]
    if module in _node_modules() and resource.type not in _known_types():
        yield resource, f"is of the type {resource.type}, which may draw quota that nobody counts", _JUDGE
    elif resource.type.endswith("Patch") and resource.type.removesuffix("Patch") in _patched():
        yield (
            resource,
            "patches an object whose limits are judged as the program has them",
            "change the object",
        )


def _find_opaque(resource: Resource) -> dict[str, Any] | None:
    """The row of what may make anything; Kueue's own chart is judged by what it is told."""
    if resource.type == HELM_RELEASE and resource.read("chart") == CHART:
        return None
    group = resource.type.split("/")[0]
    ending = (row for row in _facts()["opaque_groups"] if group.endswith(row["suffix"]))
    beginning = (row for row in _facts()["opaque"] if resource.type.startswith(row["prefix"]))
    return next(chain(ending, beginning), None)


def _check_work(model: Model, _: Settings) -> Iterator[Found]:
    """Pods that run beside the queues are in nobody's quota, and admission policies pass them by."""
    ours = [space.name for space in model.namespaces if space.is_ours]
    for resource in model.resources:
        if not _WORK.fullmatch(resource.type) or resource.namespace in ours:
            continue
        place, name = resource.namespace, resource.object_name
        rows = (row for row in _facts()["own_work"] if (row["namespace"], row["name"]) == (place, name))
        row = next(rows, None)
        if row is None:
            shown = "default" if place is ABSENT else UNKNOWN.value if place is UNKNOWN else place
            yield resource, f"runs in the namespace {shown}, which has no queue", "move it to a pipeline's"
        elif not _is_agreed(resource, row["replicas"]):
            yield resource, f"has other replicas than the {row['replicas']} agreed to", "keep them"


def _is_agreed(resource: Resource, replicas: int) -> bool:
    """Whether it has as many pods at once; a CronJob's runs could come to stand beside each other."""
    if not resource.type.endswith(":CronJob"):
        return resource.read("spec", "replicas") in (ABSENT, replicas)
    job = ("spec", "jobTemplate", "spec")
    return resource.read("spec", "concurrencyPolicy") in ("Forbid", "Replace") and resource.read(
        *job, "parallelism"
    ) in (ABSENT, replicas)


_WORK = re.compile(
    r"kubernetes:(core|apps|batch|extensions)/\w+:"
    r"(Pod|ReplicationController|Deployment|DaemonSet|StatefulSet|ReplicaSet|Job|CronJob)(List|Patch)?"
)

_JUDGE = "remove it, or, where it draws no quota, add it to policies/known_types.yaml with its reason"


@cache
def _patched() -> frozenset[str]:
    return frozenset(_facts()["patched"])


@cache
def _known_types() -> frozenset[str]:
    facts = _facts()
    return frozenset(row["type"] for row in (*facts["judged"], *facts["harmless"]))


@cache
def _node_modules() -> frozenset[str]:
    return frozenset(row["module"] for row in _facts()["modules"])


@cache
def _facts() -> dict[str, Any]:
    return yaml.safe_load(_KNOWN_TYPES.read_text(encoding="utf-8"))


POOL_RULES = (
    Rule(
        name="pools-have-limits",
        description="Every node pool has a maximum, and a cluster makes no nodes beside its pools.",
        family="quota",
        severity="critical",
        level="mandatory",
        reference="Q2",
        remedy="Set autoscaling.totalMaxNodeCount, or a fixed nodeCount.",
        of_resource=_check_limit,
        types=(NODE_POOL, CLUSTER),
    ),
    Rule(
        name="nodes-are-in-queues",
        description="Every node pool is a flavor of the queues, and every flavor a pool that can be counted.",
        family="quota",
        severity="high",
        level="mandatory",
        reference="Q3",
        remedy="Label the node pool after its pool, and give the pool one ResourceFlavor.",
        of_stack=_check_queued,
    ),
    Rule(
        name="kinds-are-known",
        description="Nothing that may draw the same quota is of a type that the rules do not know.",
        family="quota",
        severity="high",
        level="mandatory",
        reference="Q2",
        remedy="Remove it, or add its type to policies/known_types.yaml with the reason why it is harmless.",
        of_resource=_check_kind,
    ),
    Rule(
        name="work-is-in-queues",
        description="What the program itself runs is in a namespace with a queue, or agreed to by name.",
        family="quota",
        severity="high",
        level="mandatory",
        reference="Q3",
        remedy="Move it to a pipeline's namespace, or add it to own_work of policies/known_types.yaml.",
        of_stack=_check_work,
    ),
)
