"""Replicas of a delivered model: what a copy of the server asks for, on which nodes, how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass

from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import LimitPlan, Resource
from headroom.planning.queues import RESOURCE_NAMES
from headroom.planning.staging import SURGE
from headroom.planning.workloads import Part
from headroom.spec.base import POOL_LABEL

SENDER_NEEDS: dict[Resource, int] = {"cpu": 500, "memory": 512 * 2**20}
"""What the job asks for that sends requests to a staged model: thousandths of a core, bytes."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """The fewest and the most replicas."""

    least: int
    most: int


def complete_replica(replica: Iterable[Part], pool: PoolPlan) -> tuple[Part, ...]:
    """Return what a copy of the server asks for. With devices it gets their share of the host, but for what
    the job takes that sends requests: it would need a host of its own otherwise."""
    asked = dict(replica)
    devices = asked.get("gpus", 0) + asked.get("chips", 0)
    hosts: dict[Resource, int] = {"cpu": pool.cpu_millis_per_node, "memory": pool.memory_bytes_per_node}
    for resource, per_node in hosts.items():
        if devices and resource not in asked:
            share = devices * per_node // pool.devices_per_node
            asked[resource] = max(share // 2, share - SENDER_NEEDS[resource])
    return tuple((resource, asked[resource]) for resource in RESOURCE_NAMES if asked.get(resource))


def plan_scaling(
    replica: Iterable[Part], busy: int, canary: int, limits: Iterable[LimitPlan], pool: PoolPlan
) -> Scaling:
    """Return how many replicas there are, the same for the present model and the canary, which is a copy.

    `busy` is how many the busy hour needs, and `canary` how many the largest canary does. However few there
    are, so many does a canary get at once, and both and the surge have to fit into the cap: then the fewest
    are those of the largest canary. Of accelerators, whose load the processors do not tell, the fewest are
    the busy hour's as far as the cap has room for twice as many.
    """
    caps: dict[Resource, int] = {limit.resource: limit.cap for limit in limits if limit.pool == pool.name}
    room = min((caps[resource] // part for resource, part in replica if resource in caps and part), default=0)
    steady = min(busy, room - busy - SURGE) if pool.accelerator else canary
    return Scaling(least=max(canary, steady), most=max(busy, room - canary - SURGE))


def select_nodes(pool: PoolPlan) -> tuple[tuple[str, str], ...]:
    """Return the labels of a pool's nodes. Pods of TPUs have to name what GKE calls the nodes; the queue
    knows the pool by its own label."""
    return ((POOL_LABEL, pool.name), *pool.gke_labels)
