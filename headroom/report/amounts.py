"""How figures before and after a change are written."""

from collections.abc import Iterable

from headroom.planning.allocation import describe_amount
from headroom.planning.changes import PipelineChange, PoolChange, QuotaChange, StackChange
from headroom.planning.pipelines import Resource
from headroom.report.quota_table import describe_standing, render_granted

UNKNOWN = "?"
NOTHING = "-"

POOL_HEADINGS = ("pool", "resource", "capacity", "headroom", "guaranteed", "shared")
PIPELINE_HEADINGS = ("pipeline", "pool", "resource", "guarantee", "cap", "headroom of the pool")
QUOTA_HEADINGS = ("quota", "where", "drawn at most", "granted", "standing")


def show_pool(row: PoolChange, change: StackChange) -> tuple[str, ...]:
    """Return the cells of a pool's row, each `before → after` where they differ."""
    pairs = (
        (row.before.capacity if row.before else None, row.after.capacity if row.after else None),
        (row.before.headroom if row.before else None, row.after.headroom if row.after else None),
        (row.before.guaranteed if row.before else None, row.after.guaranteed if row.after else None),
        (row.before.shared if row.before else None, row.after.shared if row.after else None),
    )
    return row.pool, row.resource, *(_amounts(row.resource, pair, change) for pair in pairs)


def show_pipeline(row: PipelineChange, change: StackChange) -> tuple[str, ...]:
    """Return the cells of a pipeline's row."""
    pairs = (
        (row.before.guarantee if row.before else None, row.after.guarantee if row.after else None),
        (row.before.cap if row.before else None, row.after.cap if row.after else None),
        row.headroom,
    )
    return row.pipeline, row.pool, row.resource, *(_amounts(row.resource, pair, change) for pair in pairs)


def show_quota(row: QuotaChange) -> tuple[str, ...]:
    """Return the cells of a quota's row."""
    line = row.quota
    dimensions = ", ".join(f"{key}={value}" for key, value in line.dimensions if key != "region")
    name = f"{line.quota_id} ({dimensions})" if dimensions else line.quota_id
    before = UNKNOWN if row.before is None else f"{row.before:,}"
    after = f"{row.after.draw.amount:,}" if row.after else "0"
    drawn = after if before == after else f"{before} → {after}"
    granted = _granted(row)
    standing = describe_standing(row.after) if row.after else "no longer drawn"
    return name, line.region or "all regions", drawn, granted, standing


_ADMISSIONS = {
    "open": "is let in again",
    "held": "is held: nothing of it starts any more",
    "draining": "is drained: nothing of it starts any more, and what runs is ended",
}


def list_effects(change: StackChange) -> list[str]:
    """Return in sentences what a change does, most important first."""
    effects = [f"nothing is known of it before the change: {reason}" for reason in change.unknown]
    if change.is_new:
        effects.append("the stack is new")
    effects += [f"short of what is promised: {line}" for line in change.shortfalls]
    for names, what in (
        (change.pipelines_removed, "pipelines that go"),
        (change.pipelines_added, "new pipelines"),
        (change.pools_removed, "pools that go"),
        (change.pools_added, "new pools"),
    ):
        if names and not change.is_new:
            effects.append(f"{what}: {', '.join(names)}")
    effects += [f"{row.pipeline} {_ADMISSIONS[row.after]}" for row in change.admissions]
    effects += _losses(change)
    if change.deliveries and not change.is_new:
        effects.append(f"delivered in another way: {', '.join(change.deliveries)}; `headroom plan` shows how")
    return effects if effects or change.changed else ["nobody's quota changes"]


def count_unchanged(rows: Iterable[PoolChange | PipelineChange | QuotaChange]) -> int:
    """Return how many rows are as they were."""
    return sum(not row.changed for row in rows)


def _losses(change: StackChange) -> list[str]:
    lost = [
        f"{row.pipeline} loses {_less(row.resource, row.before.guarantee, after)} of its guarantee in "
        f"{row.pool}"
        for row in change.pipelines
        if row.before and not row.derived
        if (after := row.after.guarantee if row.after else 0) < row.before.guarantee
        if row.pipeline not in change.pipelines_removed
    ]
    return [
        f"experiments lose {_less(row.resource, row.before.headroom, after)} of the headroom in {row.pool}"
        for row in change.pools
        if row.before and (after := row.after.headroom if row.after else 0) < row.before.headroom
    ] + lost


def _less(resource: Resource, before: int, after: int) -> str:
    return f"{describe_amount(resource, before - after)} of {describe_amount(resource, before)} {resource}"


def _amounts(resource: Resource, pair: tuple[int | None, int | None], change: StackChange) -> str:
    missing = UNKNOWN if change.unknown else NOTHING
    before = missing if pair[0] is None else _signed(resource, pair[0])
    after = NOTHING if pair[1] is None else _signed(resource, pair[1])
    return after if before == after else f"{before} → {after}"


def _signed(resource: Resource, amount: int) -> str:
    return describe_amount(resource, amount) if amount >= 0 else f"-{describe_amount(resource, -amount)}"


def _granted(row: QuotaChange) -> str:
    return render_granted(row.after) if row.after else NOTHING
