"""Who has how much of what: of every pool and every cloud quota what is granted, provisioned, promised, used.

Pools are counted as pods ask for them, cloud quotas as the cloud counts. From one to the other there is one
way only: by the nodes that an amount takes, and what each of them draws.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from headroom.audit.forecast import Forecast, forecast
from headroom.audit.series import Series, add_series
from headroom.audit.snapshot import Known, QueueUse, Snapshot
from headroom.catalog.quotas import QuotaLine
from headroom.planning.allocation import Share
from headroom.planning.grants import UNLIMITED, Preference, find_grant
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import Resource
from headroom.planning.plan import Plan
from headroom.planning.queues import EXPERIMENTS
from headroom.planning.quota import draw_per_node
from headroom.spec.quota import Experiments

Key = tuple[str, Resource]

_DEVICES = ("gpus", "chips")


@dataclass(frozen=True, slots=True)
class Holding:
    """What a pipeline, or the experiments, may have and has of one resource of a pool; None: not known."""

    name: str
    owner: str
    guarantee: int
    cap: int
    used: int | None
    peak: int | None
    mean: int | None
    days: int
    """On how many days its use is known."""
    pending: int | None
    """How many of its jobs wait, for whatever resource."""
    forecast: Forecast | None
    """When it reaches its cap."""
    series: Series | None

    @property
    def borrowed(self) -> int | None:
        """How much of what it uses is beyond its guarantee."""
        return None if self.used is None else max(0, self.used - self.guarantee)


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One resource of a pool. `used`, `peak` and `series` are of all pipelines and the experiments."""

    pool: str
    resource: Resource
    share: Share
    unit: int
    """What is scheduled as a whole."""
    nodes: int | None
    """Nodes that there are now."""
    max_nodes: int
    provisioned: int | None
    """What pods can ask for of the nodes that there are now."""
    caps: int
    """The sum of the pipelines' caps."""
    used: int | None
    peak: int | None
    forecast: Forecast | None
    """When all that is used reaches what the pool can have."""
    series: Series | None
    holdings: tuple[Holding, ...]

    @property
    def promised(self) -> int:
        """Guarantees and headroom together."""
        return self.share.guaranteed + self.share.headroom


@dataclass(frozen=True, slots=True)
class QuotaHolding:
    """A pipeline's part of a cloud quota, in its unit: the nodes that its amounts fill, times their draw."""

    name: str
    owner: str
    guarantee: float
    cap: float
    used: float | None


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """One cloud quota; None: not known. A grant of -1 is unlimited."""

    quota: QuotaLine
    granted: int | None
    drawn: int
    """What all pools draw at their peak, upgrades included."""
    promised: int
    """What the nodes draw that guarantees, headroom and the system pool take."""
    provisioned: float | None
    """What the nodes draw that there are now."""
    used: float | None
    """What the cloud says is in use."""
    peak: float | None
    forecast: Forecast | None
    series: Series | None
    request: Preference | None
    pools: tuple[tuple[str, int], ...]
    """What each pool draws at its peak."""
    holdings: tuple[QuotaHolding, ...]

    @property
    def limit(self) -> int | None:
        """The limit; None where there is none, or it is not known."""
        return None if self.granted == UNLIMITED else self.granted

    @property
    def label(self) -> str:
        """The quota's id with the dimensions that tell it from others of that id."""
        dimensions = ", ".join(f"{key}={value}" for key, value in self.quota.dimensions)
        return f"{self.quota.quota_id} ({dimensions})" if dimensions else self.quota.quota_id


@dataclass(frozen=True, slots=True)
class Ledger:
    """All rows: quotas by their ids, pools by their names."""

    quotas: tuple[QuotaRow, ...]
    pools: tuple[PoolRow, ...]


def keep_ledger(plan: Plan, experiments: Experiments, snapshot: Snapshot) -> Ledger:
    """Return who has how much of what."""
    pools = tuple(_pool_rows(plan, experiments, snapshot))
    return Ledger(tuple(_quota_rows(plan, snapshot, pools)), pools)


def leading_rows(rows: Iterable[PoolRow]) -> tuple[PoolRow, ...]:
    """Return each pool's leading resources: devices where it has them, else cpu and memory.

    On accelerators the host's cpu and memory follow the devices, and would say everything twice.
    """
    rows = tuple(rows)
    with_devices = {row.pool for row in rows if row.resource in _DEVICES}
    return tuple(row for row in rows if row.resource in _DEVICES or row.pool not in with_devices)


def nodes_for(pool: PoolPlan, amounts: Mapping[Resource, int]) -> int:
    """Return the nodes, in whole slices, that amounts take of a pool if no gap is left between them."""
    nodes = max((ceil(amount / per_node(pool, resource)) for resource, amount in amounts.items()), default=0)
    return ceil(nodes / pool.hosts_per_slice) * pool.hosts_per_slice


def per_node(pool: PoolPlan, resource: Resource) -> int:
    """Return what pods can ask for of one node; raises ValueError for what the pool has not got."""
    found = {"cpu": pool.cpu_millis_per_node, "memory": pool.memory_bytes_per_node}.get(resource)
    amount = pool.devices_per_node if found is None else found
    if not amount:
        raise ValueError(f"{pool.name} has no {resource}")
    return amount


def _pool_rows(plan: Plan, experiments: Experiments, snapshot: Snapshot) -> Iterable[PoolRow]:
    use = _use_of(snapshot)
    reserved, pending = _held_now(snapshot)
    nodes = dict(snapshot.nodes.value) if isinstance(snapshot.nodes, Known) else None
    pools = {pool.name: pool for pool in plan.pools}
    members = _members(plan, experiments)
    for share in plan.shares:
        key, pool = (share.pool, share.resource), pools[share.pool]
        holdings = tuple(
            _hold(name, owner, guarantee, cap, use.get((name, *key)), reserved.get((name, *key)), pending)
            for name, owner, guarantee, cap in members.get(key, ())
        )
        yield _pool_row(pool, share, holdings, None if nodes is None else nodes.get(pool.name, 0))


def _pool_row(pool: PoolPlan, share: Share, holdings: tuple[Holding, ...], nodes: int | None) -> PoolRow:
    known = [each.series for each in holdings if each.series is not None]
    series = add_series(known) if len(known) == len(holdings) else None
    used = [each.used for each in holdings]
    return PoolRow(
        pool=share.pool,
        resource=share.resource,
        share=share,
        unit=share.unit,
        nodes=nodes,
        max_nodes=pool.max_nodes,
        provisioned=None if nodes is None else nodes * per_node(pool, share.resource),
        caps=sum(each.cap for each in holdings if each.name != EXPERIMENTS),
        used=None if None in used else sum(each or 0 for each in used),
        peak=_whole(series.peak) if series else None,
        forecast=forecast(series, share.capacity),
        series=series,
        holdings=holdings,
    )


def _hold(
    name: str,
    owner: str,
    guarantee: int,
    cap: int,
    use: QueueUse | None,
    reserved: int | None,
    pending: Mapping[str, int],
) -> Holding:
    peaks, means = (use.peaks, use.means) if use else (None, None)
    latest = peaks.now if peaks else None
    return Holding(
        name=name,
        owner=owner,
        guarantee=guarantee,
        cap=cap,
        used=_whole(latest) if reserved is None else reserved,
        peak=_largest(peaks.peak if peaks else None, reserved),
        mean=_whole(means.mean) if means else None,
        days=peaks.days if peaks else 0,
        pending=pending.get(name),
        forecast=forecast(peaks, cap),
        series=peaks,
    )


def _largest(peak: float | None, now: int | None) -> int | None:
    """The peak of a window is that of its series; what is held now only raises it."""
    return None if peak is None else max(_whole(peak) or 0, now or 0)


def _members(plan: Plan, experiments: Experiments) -> dict[Key, list[tuple[str, str, int, int]]]:
    """For each resource of a pool who may have of it: name, owner, guarantee, cap."""
    members: dict[Key, list[tuple[str, str, int, int]]] = {}
    for pipeline in plan.pipelines:
        for limit in pipeline.limits:
            key = limit.pool, limit.resource
            members.setdefault(key, []).append((pipeline.name, pipeline.owner, limit.guarantee, limit.cap))
    owners = ", ".join(experiments.owners)
    for share in plan.shares:
        most = share.headroom + (share.available if experiments.borrow else 0)
        row = (EXPERIMENTS, owners, share.headroom, most)
        members.setdefault((share.pool, share.resource), []).append(row)
    return members


def _use_of(snapshot: Snapshot) -> dict[tuple[str, str, Resource], QueueUse]:
    if not isinstance(snapshot.queue_use, Known):
        return {}
    return {(each.queue, each.pool, each.resource): each for each in snapshot.queue_use.value}


def _held_now(snapshot: Snapshot) -> tuple[dict[tuple[str, str, Resource], int], dict[str, int]]:
    """What queues hold, and how many of their workloads wait, by the objects themselves."""
    if not isinstance(snapshot.queues, Known):
        return {}, {}
    queues = snapshot.queues.value.queues
    held = {(queue.name, each.pool, each.resource): each.total for queue in queues for each in queue.reserved}
    return held, {queue.name: queue.pending for queue in queues}


def _quota_rows(plan: Plan, snapshot: Snapshot, pools: tuple[PoolRow, ...]) -> Iterable[QuotaRow]:
    grants = snapshot.grants.value if isinstance(snapshot.grants, Known) else None
    draws = {pool.name: draw_per_node(pool, plan.region) for pool in plan.all_pools}
    promised, now = _promised_nodes(plan, pools), _nodes_now(plan, snapshot)
    uses = snapshot.quota_use.value if isinstance(snapshot.quota_use, Known) else ()
    series = {(use.quota_id, use.region, use.dimensions): use.series for use in uses}
    parts = _node_parts(plan, pools)
    for draw in plan.quota:
        line = draw.quota
        by_node = {name: amounts.get(line, Fraction(0)) for name, amounts in draws.items()}
        grant = find_grant(line, grants.grants) if grants else None
        seen = series.get((line.quota_id, line.region, line.dimensions))
        limit = grant.value if grant and grant.value != UNLIMITED else None
        yield QuotaRow(
            quota=line,
            granted=grant.value if grant else None,
            drawn=draw.amount,
            promised=ceil(sum(promised[name] * amount for name, amount in by_node.items())),
            provisioned=None if now is None else float(sum(now[name] * by_node[name] for name in by_node)),
            used=seen.now if seen else None,
            peak=seen.peak if seen else None,
            forecast=forecast(seen, limit),
            series=seen,
            request=next((each for each in (grants.preferences or ()) if each.is_for(line)), None)
            if grants
            else None,
            pools=tuple((each.pool, each.amount) for each in plan.pool_quota if each.quota == line),
            holdings=tuple(_quota_holdings(parts, by_node)),
        )


def _promised_nodes(plan: Plan, rows: tuple[PoolRow, ...]) -> dict[str, int]:
    """The nodes that each pool's promises take; the system pool is needed whole."""
    amounts: dict[str, dict[Resource, int]] = {pool.name: {} for pool in plan.pools}
    for row in rows:
        amounts[row.pool][row.resource] = row.promised
    found = {pool.name: max(pool.min_nodes, nodes_for(pool, amounts[pool.name])) for pool in plan.pools}
    return found | {plan.system_pool.name: plan.system_pool.max_nodes}


def _nodes_now(plan: Plan, snapshot: Snapshot) -> dict[str, int] | None:
    if not isinstance(snapshot.nodes, Known):
        return None
    counted = dict(snapshot.nodes.value)
    return {pool.name: counted.get(pool.name, 0) for pool in plan.all_pools}


@dataclass(frozen=True, slots=True)
class _Part:
    """How many nodes' worth of a pool a pipeline may have, and has."""

    name: str
    owner: str
    pool: str
    guarantee: float
    cap: float
    used: float | None


def _node_parts(plan: Plan, rows: Iterable[PoolRow]) -> tuple[_Part, ...]:
    pools = {pool.name: pool for pool in plan.pools}
    grouped: dict[tuple[str, str], list[tuple[float, Holding]]] = {}
    for row in rows:
        for holding in row.holdings:
            size = per_node(pools[row.pool], row.resource)
            grouped.setdefault((holding.name, row.pool), []).append((size, holding))
    return tuple(
        _Part(
            name,
            held[0][1].owner,
            pool,
            max(each.guarantee / size for size, each in held),
            max(each.cap / size for size, each in held),
            None
            if any(each.used is None for _, each in held)
            else max((each.used or 0) / size for size, each in held),
        )
        for (name, pool), held in grouped.items()
    )


def _quota_holdings(parts: tuple[_Part, ...], by_node: Mapping[str, Fraction]) -> Iterable[QuotaHolding]:
    grouped: dict[str, list[_Part]] = {}
    for part in parts:
        if by_node.get(part.pool):
            grouped.setdefault(part.name, []).append(part)
    for name, held in sorted(grouped.items()):
        unknown = any(part.used is None for part in held)
        yield QuotaHolding(
            name,
            held[0].owner,
            float(sum(part.guarantee * by_node[part.pool] for part in held)),
            float(sum(part.cap * by_node[part.pool] for part in held)),
            None if unknown else float(sum((part.used or 0) * by_node[part.pool] for part in held)),
        )


def _whole(amount: float | None) -> int | None:
    return None if amount is None else round(amount)
