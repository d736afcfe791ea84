"""What a change of a stack file does to everybody's quota: two plans, side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headroom.catalog.quotas import QuotaLine
from headroom.planning.allocation import Share
from headroom.planning.grants import Grants, Standing, compare
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import LimitPlan, PipelinePlan, Resource
from headroom.planning.plan import Plan

Key = tuple[str, Resource]


@dataclass(frozen=True, slots=True)
class PoolChange:
    """How one resource of a pool is shared, before and after; None: the pool is not there, or not known."""

    pool: str
    resource: Resource
    before: Share | None
    after: Share | None

    @property
    def changed(self) -> bool:
        """Return whether anybody notices."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class PipelineChange:
    """A pipeline's limit of one resource of a pool, and what of it stays free for experiments."""

    pipeline: str
    owner: str
    pool: str
    resource: Resource
    before: LimitPlan | None
    after: LimitPlan | None
    headroom: tuple[int | None, int | None]
    """Of the pool, before and after; None: the pool is not there, or not known."""

    @property
    def changed(self) -> bool:
        """Return whether guarantee or cap change."""
        return self.before != self.after

    @property
    def derived(self) -> bool:
        """Return whether it only follows the devices, before and after."""
        return all(limit is None or limit.derived for limit in (self.before, self.after))


@dataclass(frozen=True, slots=True)
class AdmissionChange:
    """Whether work of a pipeline is let in: `open`, `held` or `draining`; before None: it is new."""

    pipeline: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class QuotaChange:
    """What is drawn of a quota of the cloud at most, and how that stands against the grant afterwards."""

    quota: QuotaLine
    before: int | None
    """None: nothing is known of it."""
    after: Standing | None
    """None: nothing is drawn of it any more."""

    @property
    def changed(self) -> bool:
        """Return whether another amount is drawn."""
        return self.before != (self.after.draw.amount if self.after else 0)


@dataclass(frozen=True, slots=True)
class StackChange:
    """All that a change does to one stack."""

    stack: str
    unknown: tuple[str, ...]
    """Why nothing is known of the stack before the change; empty where it is, or where it is a new stack."""
    is_new: bool
    pools: tuple[PoolChange, ...]
    pipelines: tuple[PipelineChange, ...]
    quotas: tuple[QuotaChange, ...]
    pipelines_added: tuple[str, ...]
    pipelines_removed: tuple[str, ...]
    pools_added: tuple[str, ...]
    pools_removed: tuple[str, ...]
    admissions: tuple[AdmissionChange, ...]
    """Of pipelines that are let in otherwise than before, or new and not let in."""
    deliveries: tuple[str, ...]
    """Pipelines whose models reach their users in another way."""
    shortfalls: tuple[str, ...]
    """What is promised afterwards and not granted."""

    @property
    def changed(self) -> bool:
        """Return whether anybody's quota, or what is let in, is another afterwards, or may be."""
        rows = (*self.pools, *self.pipelines, *self.quotas)
        is_other = bool(self.unknown or self.admissions or self.deliveries)
        return self.is_new or is_other or any(row.changed for row in rows)


def compare_plans(
    before: Plan | None, after: Plan, grants: Grants | None, unknown: Iterable[str] = ()
) -> StackChange:
    """Return what changes between two plans of a stack, within the `grants` that hold afterwards.

    Without a plan before, `unknown` says why there is none; a stack without either is a new one.
    """
    reasons = tuple(unknown) if before is None else ()
    known = before is not None or not reasons
    old_pipelines, new_pipelines = _names(before.pipelines if before else ()), _names(after.pipelines)
    old_pools, new_pools = _names(before.pools if before else ()), _names(after.pools)
    return StackChange(
        stack=after.environment,
        unknown=reasons,
        is_new=before is None and not reasons,
        pools=tuple(_pool_changes(before, after)),
        pipelines=tuple(_pipeline_changes(before, after)),
        quotas=tuple(_quota_changes(before, after, grants, known=known)),
        pipelines_added=_missing(new_pipelines, old_pipelines) if known else (),
        pipelines_removed=_missing(old_pipelines, new_pipelines),
        pools_added=_missing(new_pools, old_pools) if known else (),
        pools_removed=_missing(old_pools, new_pools),
        admissions=tuple(_admission_changes(before, after)) if known else (),
        deliveries=tuple(_delivery_changes(before, after)) if before else (),
        shortfalls=tuple(str(problem) for problem in after.shortfalls),
    )


def _names(rows: Iterable[PipelinePlan | PoolPlan]) -> tuple[str, ...]:
    return tuple(row.name for row in rows)


def _missing(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in these if name not in those)


def _pool_changes(before: Plan | None, after: Plan) -> Iterable[PoolChange]:
    old, new = _shares(before), _shares(after)
    for key in sorted({*old, *new}):
        yield PoolChange(*key, old.get(key), new.get(key))


def _shares(plan: Plan | None) -> Mapping[Key, Share]:
    return {(share.pool, share.resource): share for share in plan.shares} if plan else {}


def _pipeline_changes(before: Plan | None, after: Plan) -> Iterable[PipelineChange]:
    old, new = _limits(before), _limits(after)
    free = [
        {key: share.headroom for key, share in shares.items()} for shares in (_shares(before), _shares(after))
    ]
    owners = {pipeline.name: pipeline.owner for pipeline in (*_pipelines(before), *after.pipelines)}
    for name, pool, resource in sorted({*old, *new}):
        key = (name, pool, resource)
        held = (free[0].get((pool, resource)), free[1].get((pool, resource)))
        yield PipelineChange(name, owners[name], pool, resource, old.get(key), new.get(key), held)


def _admission_changes(before: Plan | None, after: Plan) -> Iterable[AdmissionChange]:
    old = {pipeline.name: pipeline.admission for pipeline in _pipelines(before)}
    for pipeline in after.pipelines:
        if old.get(pipeline.name, "open") != pipeline.admission:
            yield AdmissionChange(pipeline.name, old.get(pipeline.name), pipeline.admission)


def _delivery_changes(before: Plan, after: Plan) -> Iterable[str]:
    old, new = (
        {rollout.pipeline: rollout for rollout in (plan.delivery.rollouts if plan.delivery else ())}
        for plan in (before, after)
    )
    return (name for name in sorted({*old, *new}) if old.get(name) != new.get(name))


def _pipelines(plan: Plan | None) -> tuple[PipelinePlan, ...]:
    return plan.pipelines if plan else ()


def _limits(plan: Plan | None) -> Mapping[tuple[str, str, Resource], LimitPlan]:
    return {
        (pipeline.name, limit.pool, limit.resource): limit
        for pipeline in _pipelines(plan)
        for limit in pipeline.limits
    }


def _quota_changes(
    before: Plan | None, after: Plan, grants: Grants | None, *, known: bool
) -> Iterable[QuotaChange]:
    standings = {standing.draw.quota: standing for standing in compare(after.quota, grants)}
    drawn = {draw.quota: draw.amount for draw in before.quota} if before else {}
    lines = sorted({*standings, *drawn}, key=lambda line: (line.quota_id, line.region or "", line.dimensions))
    for line in lines:
        yield QuotaChange(line, drawn.get(line, 0) if known else None, standings.get(line))
