"""What the environment draws from Google Cloud's quotas when every pool is at its maximum.

The cloud counts physical devices, upgrades and boot disks too; queues count what pods can ask for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from headroom.catalog.quotas import QuotaLine, disk_quota, local_ssd_quota, machine_quotas
from headroom.planning.node_pools import PoolPlan


@dataclass(frozen=True, slots=True)
class QuotaDraw:
    """An amount of one quota, drawn by one pool; or by `pool` == "" the sum over all."""

    quota: QuotaLine
    pool: str
    amount: int


def plan_pool_quota(pool: PoolPlan, region: str) -> tuple[QuotaDraw, ...]:
    """Return what one pool draws at its peak, upgrades and disks included."""
    return tuple(
        QuotaDraw(line, pool.name, ceil(amount * pool.peak_nodes))
        for line, amount in draw_per_node(pool, region).items()
    )


def draw_per_node(pool: PoolPlan, region: str) -> dict[QuotaLine, Fraction]:
    """Return what one node of a pool draws, in the unit of each quota; a part of a GPU as a fraction."""
    totals: dict[QuotaLine, Fraction] = defaultdict(Fraction)
    for line, amount in _node_lines(pool, region):
        totals[line] += Fraction(amount)
    return dict(totals)


def sum_quota(draws: Iterable[QuotaDraw]) -> tuple[QuotaDraw, ...]:
    """Return the draws of all pools added up for each quota, in a stable order."""
    totals: dict[QuotaLine, int] = defaultdict(int)
    for draw in draws:
        totals[draw.quota] += draw.amount
    return tuple(
        QuotaDraw(line, "", amount)
        for line, amount in sorted(totals.items(), key=lambda item: (item[0].quota_id, item[0].dimensions))
    )


def _node_lines(pool: PoolPlan, region: str) -> Iterator[tuple[QuotaLine, int | Fraction]]:
    attachment = pool.node.attachment
    yield from machine_quotas(
        pool.machine,
        pool.capacity,
        pool.accelerator.name if pool.accelerator else None,
        attachment.count if attachment else pool.machine.devices,
        region,
    )
    yield disk_quota(pool.node.boot_disk_type, pool.node.boot_disk_gb, region)
    if pool.node.local_ssds and pool.capacity != "reservation":
        yield local_ssd_quota(pool.machine, pool.node.local_ssds, region, pool.capacity)
