"""Who gets how much: what each pool offers, what stays free, what is promised, and whether that adds up.

For each pool and resource: C is what pods can ask for, as far as the cloud has granted it; H = share x C,
rounded up to what can be scheduled, stays free for experiments; the guarantees and H together may not exceed
C, and no cap may exceed C - H. What is neither guaranteed nor headroom is shared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from headroom.planning.grant_bounds import NodeBound
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import LimitPlan, PipelinePlan, Resource, capacity, format_amount
from headroom.spec.errors import Problem
from headroom.spec.quota import Quota

_WHOLE: dict[Resource, int] = {"cpu": 1_000, "memory": 2**30}

Key = tuple[str, Resource]


@dataclass(frozen=True, slots=True)
class Share:
    """How one resource of a pool is shared: thousandths of a core, bytes, or devices as pods ask for them."""

    pool: str
    resource: Resource
    offered: int
    """What pods could ask for if the cloud granted every node of the pool."""
    capacity: int
    """C: what they can ask for with what it has granted."""
    headroom: int
    """H: what stays free for experiments."""
    guaranteed: int
    """The sum of the pipelines' guarantees."""
    unit: int
    """What is scheduled as a whole: a slice or host of TPU chips, one GPU; 1 for cpu and memory."""

    @property
    def available(self) -> int:
        """Return C - H: the most that all pipelines together can use."""
        return self.capacity - self.headroom

    @property
    def shared(self) -> int:
        """Return what pipelines share beyond their guarantees; below zero, promises do not fit."""
        return self.available - self.guaranteed


def share_out(
    pools: Iterable[PoolPlan],
    pipelines: Iterable[PipelinePlan],
    quota: Quota,
    bounds: Mapping[str, NodeBound] | None = None,
) -> tuple[Share, ...]:
    """Return how each resource of each pool is shared; without `bounds` all nodes are taken as granted."""
    guaranteed: dict[Key, int] = defaultdict(int)
    for pipeline in pipelines:
        for limit in pipeline.limits:
            guaranteed[limit.pool, limit.resource] += limit.guarantee
    shares = []
    for pool in pools:
        nodes = bounds[pool.name].nodes if bounds else pool.max_nodes
        offered, usable = capacity(pool), capacity(pool, nodes)
        free = _headroom(pool, usable, Fraction(str(quota.share_of(pool.name))))
        shares += [
            Share(
                pool.name,
                resource,
                offered[resource],
                amount,
                free[resource],
                guaranteed[pool.name, resource],
                1 if resource in _WHOLE else pool.devices_per_unit,
            )
            for resource, amount in usable.items()
        ]
    return tuple(shares)


def check_shares(shares: Iterable[Share], pipelines: Iterable[PipelinePlan]) -> list[Problem]:
    """Return the promises that do not fit into the pools, were they granted whole."""
    by_key = {(share.pool, share.resource): share for share in shares}
    problems = [
        _cap_problem(pipeline.name, limit, share)
        for pipeline in pipelines
        for limit in pipeline.limits
        if not limit.derived and limit.cap > (share := by_key[limit.pool, limit.resource]).available
    ]
    return problems + [
        Problem(
            f"headroom:pools.{share.pool}",
            f"{_promise(share)}, "
            f"{describe_amount(share.resource, -share.shared)} too much; {_leaves(share)}; "
            "lower guarantees, or raise the pool's max",
        )
        for share in _overdrawn(by_key.values())
    ]


def find_shortfalls(shares: Iterable[Share], bounds: Mapping[str, NodeBound]) -> list[Problem]:
    """Return the promises that fit into the pools and not into what the cloud has granted."""
    return [
        Problem(
            f"headroom:pools.{share.pool}",
            f"{bound.quota.quota_id} grants {bound.granted:,}, with which the pool can have {bound.nodes} "
            f"nodes; {_promise(share)}, and {_leaves(share)}; ask for more quota, lower guarantees, or set "
            "headroom:quota.grants to awaited",
        )
        for share in _overdrawn(shares)
        if (bound := bounds[share.pool]).quota is not None
    ]


def fit_promises(pipelines: Iterable[PipelinePlan], shares: Iterable[Share]) -> tuple[PipelinePlan, ...]:
    """Return the pipelines with limits that hold today: guarantees above what is granted are cut in
    proportion, in whole units, and no cap reaches into the headroom."""
    by_key = {(share.pool, share.resource): share for share in shares}
    return tuple(_fit_pipeline(pipeline, by_key) for pipeline in pipelines)


def _fit_pipeline(pipeline: PipelinePlan, by_key: Mapping[Key, Share]) -> PipelinePlan:
    limits = tuple(_fit(limit, by_key[limit.pool, limit.resource]) for limit in pipeline.limits)
    return pipeline if limits == pipeline.limits else replace(pipeline, limits=limits)


def _fit(limit: LimitPlan, share: Share) -> LimitPlan:
    cap = min(limit.cap, share.available)
    guarantee = limit.guarantee
    if share.shared < 0:
        guarantee = guarantee * share.available // share.guaranteed // share.unit * share.unit
    if (cap, guarantee) == (limit.cap, limit.guarantee):
        return limit
    return replace(limit, guarantee=min(guarantee, cap), cap=cap)


def _headroom(pool: PoolPlan, usable: Mapping[Resource, int], share: Fraction) -> dict[Resource, int]:
    """The same part of everything: on accelerators the host's cpu and memory go with the devices."""
    device = next((resource for resource in usable if resource not in _WHOLE), None)
    if device is None or not usable[device]:
        return {
            resource: min(amount, ceil(share * amount / _WHOLE[resource]) * _WHOLE[resource])
            for resource, amount in usable.items()
            if resource in _WHOLE
        } | ({device: 0} if device else {})
    unit = pool.devices_per_unit
    devices = min(usable[device], ceil(share * usable[device] / unit) * unit)
    part = Fraction(devices, usable[device])
    return {resource: ceil(part * amount) for resource, amount in usable.items()}


def _cap_problem(pipeline: str, limit: LimitPlan, share: Share) -> Problem:
    return Problem(
        f"headroom:pipelines.{pipeline}.limits.{limit.pool}.{limit.resource}.cap",
        f"is {describe_amount(limit.resource, limit.cap)}, and {_leaves(share)}; lower the cap, or raise the "
        "pool's max",
    )


def _overdrawn(shares: Iterable[Share]) -> Iterator[Share]:
    """Shares whose promises do not fit, one for each pool: where devices are short, their hosts are too."""
    worst: dict[str, Share] = {}
    for share in shares:
        if share.shared < 0 and (share.pool not in worst or share.resource not in _WHOLE):
            worst[share.pool] = share
    yield from worst.values()


def _promise(share: Share) -> str:
    total = describe_amount(share.resource, share.guaranteed)
    return f"the guarantees of {share.resource} add up to {total}"


def _leaves(share: Share) -> str:
    available, whole, free = (
        describe_amount(share.resource, amount)
        for amount in (share.available, share.capacity, share.headroom)
    )
    return f"pipelines can have {available} of {share.pool}'s {whole}, as {free} stay free for experiments"


def describe_amount(resource: Resource, amount: int) -> str:
    """Return an amount for people: cores to a tenth, memory in whole GiB where it is no round number."""
    if resource == "memory" and amount >= 2**30 and amount % 2**30:
        return f"{amount / 2**30:.0f}Gi"
    if resource == "cpu" and amount >= 1_000:
        return f"{round(amount / 1_000, 1):g}"
    return format_amount(resource, amount)
