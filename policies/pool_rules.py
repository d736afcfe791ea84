"""Rules for what bears nodes: every pool has a limit, and every node is in a queue that reaches it."""

from collections import Counter
from collections.abc import Iterator, Mapping

from headroom.spec.base import POOL_LABEL
from policies.model import CLUSTER, Model
from policies.node_pools import NODE_POOL, max_nodes
from policies.queues import Flavor
from policies.resources import ABSENT, UNKNOWN, Resource
from policies.rules import Found, Rule
from policies.settings import Settings
from policies.shares import unflavored_pools
from policies.taints import check_system_taints, check_taints

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
    for pool in filter(lambda pool: pool.is_system, unflavored_pools(model)):
        yield from check_system_taints(pool)
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
    yield from _check_labels(model, flavor)
    for pool in model.pools:
        if pool.label == flavor.label:
            yield from check_taints(pool, flavor)


def _check_labels(model: Model, flavor: Flavor) -> Iterator[Found]:
    wanted = flavor.resource.read("spec", "nodeLabels")
    for node_pool in (each for pool in model.pools if pool.label == flavor.label for each in pool.resources):
        for key in wanted if isinstance(wanted, Mapping) else ():
            if node_pool.read("nodeConfig", "labels", key) != wanted[key]:
                message = f"selects nodes by {key}, which {node_pool.name} has not like that"
                yield flavor.resource, message, f"select them by {POOL_LABEL} alone"


POOL_RULES = (
    Rule(
        name="pools-have-limits",
        description="Every node pool has a maximum, and a cluster makes no nodes beside its pools.",
        family="quota",
        severity="critical",
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
        reference="Q3",
        remedy="Label the node pool after its pool, and give the pool one ResourceFlavor.",
        of_stack=_check_queued,
    ),
)
