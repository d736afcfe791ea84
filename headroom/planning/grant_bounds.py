"""How many nodes of each pool the cloud's grants allow while every pool wants its maximum."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from headroom.catalog.quotas import QuotaLine
from headroom.planning.grants import UNLIMITED, Grants, find_grant
from headroom.planning.node_pools import PoolPlan
from headroom.planning.quota import draw_per_node


@dataclass(frozen=True, slots=True)
class NodeBound:
    """The nodes that a pool can count on; `quota` is the one that keeps it below its maximum, if any does."""

    nodes: int
    quota: QuotaLine | None = None
    granted: int | None = None


def bound_nodes(
    system_pool: PoolPlan, pools: Iterable[PoolPlan], region: str, grants: Grants | None
) -> dict[str, NodeBound]:
    """Return for each pool the nodes that it can have at the same time as all others have theirs.

    A quota that cannot bear all pools is divided between them in proportion to their maxima, in whole slices;
    the system pool is served first. What is not known to be granted bounds nothing: that it is unknown is
    said by `headroom.planning.grants.compare`.
    """
    pools = tuple(pools)
    bounds = {pool.name: NodeBound(pool.max_nodes) for pool in pools}
    drawn: dict[QuotaLine, list[tuple[PoolPlan, Fraction]]] = defaultdict(list)
    for pool in pools:
        for line, amount in draw_per_node(pool, region).items():
            drawn[line].append((pool, amount))
    system = draw_per_node(system_pool, region)
    for line, draws in drawn.items():
        grant = find_grant(line, grants.grants) if grants else None
        if grant is None or grant.value == UNLIMITED:
            continue
        left = grant.value - system_pool.max_nodes * system.get(line, Fraction(0))
        for name, nodes in _divide(max(left, Fraction(0)), draws).items():
            if nodes < bounds[name].nodes:
                bounds[name] = NodeBound(nodes, line, grant.value)
    return bounds


def _divide(left: Fraction, draws: list[tuple[PoolPlan, Fraction]]) -> Mapping[str, int]:
    """Whole slices for each pool in proportion to its maximum; what remains goes by largest remainder."""
    wanted = sum(pool.max_nodes * amount for pool, amount in draws)
    if wanted <= left:
        return {}
    share = left / wanted
    exact = {pool.name: share * pool.max_nodes / pool.hosts_per_slice for pool, _ in draws}
    slices = {name: int(amount) for name, amount in exact.items()}
    left -= sum(slices[pool.name] * pool.hosts_per_slice * amount for pool, amount in draws)
    for pool, amount in sorted(draws, key=lambda draw: slices[draw[0].name] - exact[draw[0].name]):
        if (cost := pool.hosts_per_slice * amount) <= left and exact[pool.name] > slices[pool.name]:
            slices[pool.name] += 1
            left -= cost
    return {pool.name: slices[pool.name] * pool.hosts_per_slice for pool, _ in draws}
