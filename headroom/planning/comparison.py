"""What pipelines need, beside the limits that they have."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from headroom.planning.demand import settle
from headroom.planning.estimates import AmountEstimate, Estimate, Observation, estimate_from_use
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import Resource, capacity, format_amount
from headroom.spec.errors import Problem
from headroom.spec.limits_edit import NewLimits
from headroom.spec.pipelines import Pipeline
from headroom.spec.platform import Platform

_DEVICES = ("gpus", "chips")


@dataclass(frozen=True, slots=True)
class Line:
    """One resource of a pool: what is needed, if that is known, and guarantee and cap as far as stated."""

    pool: str
    resource: Resource
    amount: AmountEstimate | None
    limit: tuple[int, int] | None

    @property
    def standing(self) -> Literal["covered", "short", "estimated", "unknown"]:
        """Return whether the cap covers what is likely needed; without one the plan takes the estimate."""
        if self.amount is None:
            return "unknown"
        if self.limit is None:
            return "estimated"
        return "covered" if self.limit[1] >= self.amount.likely else "short"

    @property
    def difference(self) -> tuple[int, int] | None:
        """Return by how much guarantee and cap would change if they were set to the estimate."""
        if self.limit is None or self.amount is None:
            return None
        return self.amount.guarantee - self.limit[0], self.amount.likely - self.limit[1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A pipeline's estimates and limits; without estimates nothing is known of what it needs."""

    pipeline: str
    kind: str
    lines: tuple[Line, ...]
    estimates: tuple[Estimate, ...]
    problems: tuple[Problem, ...]

    @property
    def short(self) -> bool:
        """Return whether a cap is below what is likely needed."""
        return any(line.standing == "short" for line in self.lines)


def compare_limits(
    platform: Platform,
    pools: Iterable[PoolPlan],
    observations: Iterable[Observation],
    names: Collection[str] = (),
) -> tuple[Comparison, ...]:
    """Return for each pipeline, or for those of `names`, what it needs beside what it has."""
    planned = {pool.name: pool for pool in pools}
    seen = list(observations)
    return tuple(
        _compare(name, pipeline, platform, planned, [each for each in seen if each.pipeline == name])
        for name, pipeline in sorted(platform.pipelines.items())
        if not names or name in names
    )


def find_strays(
    platform: Platform, pools: Iterable[PoolPlan], observations: Iterable[Observation]
) -> list[str]:
    """Return what was observed of pipelines or pools that are not in the stack, and so counts for nothing."""
    amounts = {pool.name: capacity(pool) for pool in pools}
    strays = {
        (each.pipeline, each.pool, each.resource): None
        for each in observations
        if each.pipeline not in platform.pipelines or each.resource not in amounts.get(each.pool, ())
    }
    return [
        f"what {pipeline} used of {resource} in {pool} counts for nothing: this stack has none of that name"
        for pipeline, pool, resource in strays
    ]


def new_limits(comparisons: Iterable[Comparison]) -> dict[str, NewLimits]:
    """Return the limits that a stack file would get: guarantees and likely caps that differ from its own."""
    changes: dict[str, dict[str, dict[str, tuple[str, str]]]] = {}
    for comparison in comparisons:
        for line in comparison.lines:
            resource, amount = line.resource, line.amount
            if amount is None or line.difference == (0, 0):
                continue
            held = changes.setdefault(comparison.pipeline, {}).setdefault(line.pool, {})
            held[resource] = (
                format_amount(resource, amount.guarantee),
                format_amount(resource, amount.likely),
            )
    return {name: dict(pools) for name, pools in changes.items()}


def _compare(
    name: str,
    pipeline: Pipeline,
    platform: Platform,
    pools: Mapping[str, PoolPlan],
    seen: list[Observation],
) -> Comparison:
    wanted = pipeline.demand.pool if pipeline.demand else None
    leading = [each for each in seen if each.pool == wanted]
    settled = settle(name, pipeline, pools, platform.baselines, leading)
    estimates = [settled.estimate] if settled.estimate else []
    estimates += [
        estimate_from_use(held, pools[pool])
        for pool in sorted({each.pool for each in seen} - {wanted})
        if pool in pools and (held := list(_own_use(pipeline, pools[pool], seen)))
    ]
    lines = tuple(_lines(pipeline, estimates, pools))
    return Comparison(name, pipeline.kind, lines, tuple(estimates), settled.problems)


def _lines(
    pipeline: Pipeline, estimates: Iterable[Estimate], pools: Mapping[str, PoolPlan]
) -> Iterator[Line]:
    """Yield what is estimated, and what is limited without being estimated."""
    amounts = {(found.pool, each.resource): each for found in estimates for each in found.amounts}
    stated = {
        (pool, resource): None
        for pool in pipeline.limits
        for resource in (capacity(pools[pool]) if pool in pools else ())
        if _limit(pipeline, pool, resource)
    }
    for pool, resource in dict.fromkeys((*amounts, *stated)):
        yield Line(pool, resource, amounts.get((pool, resource)), _limit(pipeline, pool, resource))


def _own_use(pipeline: Pipeline, pool: PoolPlan, seen: Iterable[Observation]) -> Iterator[Observation]:
    """Of a pool of accelerators cpu and memory follow the devices, unless the stack file limits them."""
    resources = capacity(pool)
    by_devices = any(resource in resources for resource in _DEVICES)
    for each in seen:
        follows = by_devices and each.resource not in _DEVICES
        if each.pool != pool.name or each.resource not in resources:
            continue
        if not follows or _limit(pipeline, pool.name, each.resource):
            yield each


def _limit(pipeline: Pipeline, pool: str, resource: Resource) -> tuple[int, int] | None:
    limits = pipeline.limits.get(pool)
    stated = getattr(limits, resource) if limits else None
    return (stated.guarantee, stated.cap) if stated else None
