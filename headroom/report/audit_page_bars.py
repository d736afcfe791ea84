"""The bars of the audit's page: what is promised above what is used, on one scale."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from headroom.audit.ledger import Holding, PoolRow, QuotaRow
from headroom.planning.queues import EXPERIMENTS
from headroom.report.audit_page_amounts import QUOTA_UNIT, UNITS, Unit, show_grant

WIDE: Final = 312
NARROW: Final = 200
_SMALL: Final = 72


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar; `kind` says what it is of, and how it is drawn."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a bar."""

    kind: str
    x: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What is promised above what is used; no segment of use where that is not known."""

    description: str
    """The same in words, for who cannot see it."""
    promised: tuple[Segment, ...]
    used: tuple[Segment, ...] | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class SmallBar:
    """A pipeline's guarantee and use within its cap, which is as wide as the bar unless more is used."""

    cap: int
    guarantee: int
    used: int
    borrowed: int


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How what is in use of a pool divides."""

    within: int
    """Of pipelines, within their guarantees."""
    borrowed: int
    """Of pipelines, beyond them."""
    experiments: int


def divide_use(row: PoolRow) -> PoolUse | None:
    """Return how the use of a pool divides; None where that of somebody is not known."""
    if row.used is None:
        return None
    pipelines = [each for each in row.holdings if each.name != EXPERIMENTS]
    borrowed = sum(each.borrowed or 0 for each in pipelines)
    used = sum(each.used or 0 for each in pipelines)
    return PoolUse(used - borrowed, borrowed, row.used - used)


def pool_bar(row: PoolRow) -> Bar:
    """Return the bar of one resource of a pool."""
    share, use = row.share, divide_use(row)
    most = max(share.capacity, row.promised, row.used or 0, row.peak or 0, row.provisioned or 0)
    promised = (
        ("guarantee", share.guaranteed),
        ("shared", max(0, share.shared)),
        ("headroom", share.headroom),
    )
    used = (
        (("within", use.within), ("borrowed", use.borrowed), ("experiments", use.experiments))
        if use
        else None
    )
    return Bar(
        _describe_pool(row, use),
        _stack(promised, most),
        None if used is None else _stack(used, most),
        _marks({"limit": share.capacity, "there": row.provisioned, "peak": row.peak}, most),
    )


def quota_bar(row: QuotaRow) -> Bar:
    """Return the bar of a cloud quota, which is to no other bar's scale."""
    amounts = (row.limit, row.drawn, row.promised, row.used, row.peak, row.provisioned)
    most = max(each for each in amounts if each is not None)
    return Bar(
        _describe_quota(row),
        _stack((("promised", row.promised),), most, NARROW),
        None if row.used is None else _stack((("used", row.used),), most, NARROW),
        _marks({"limit": row.limit, "drawn": row.drawn, "peak": row.peak}, most, NARROW),
    )


def small_bar(held: Holding) -> SmallBar:
    """Return the bar of a pipeline's part; where its use is not known none is drawn."""
    used = held.used or 0
    most = max(held.cap, used)
    within = min(used, held.guarantee)
    return SmallBar(
        *(round(_place(amount, most, _SMALL)) for amount in (held.cap, held.guarantee, within, used - within))
    )


def _stack(parts: Iterable[tuple[str, float]], most: float, width: float = WIDE) -> tuple[Segment, ...]:
    segments, begin = [], 0.0
    for kind, amount in parts:
        x = _place(begin, most, width)
        begin += amount
        if amount > 0:
            segments.append(Segment(kind, x, round(_place(begin, most, width) - x, 1)))
    return tuple(segments)


def _marks(amounts: dict[str, float | None], most: float, width: float = WIDE) -> tuple[Mark, ...]:
    return tuple(
        Mark(kind, _place(amount, most, width)) for kind, amount in amounts.items() if amount is not None
    )


def _place(amount: float, most: float, width: float) -> float:
    return round(width * amount / most, 1) if most else 0.0


def _describe_pool(row: PoolRow, use: PoolUse | None) -> str:
    unit, share = UNITS[row.resource], row.share
    parts = [
        f"Of {unit.show(share.capacity)} {unit.name}, {unit.show(share.guaranteed)} are guaranteed, "
        f"{unit.show(max(0, share.shared))} shared, {unit.show(share.headroom)} headroom.",
        "What is in use is not known." if use is None else _describe_use(unit, use),
    ]
    if row.peak is not None:
        parts.append(f"Peak {unit.show(row.peak)}.")
    if row.provisioned is not None:
        parts.append(f"The nodes there now offer {unit.show(row.provisioned)}.")
    return " ".join(parts)


def _describe_use(unit: Unit, use: PoolUse) -> str:
    return (
        f"In use: {unit.show(use.within)} within guarantees, {unit.show(use.borrowed)} borrowed, "
        f"{unit.show(use.experiments)} by experiments."
    )


def _describe_quota(row: QuotaRow) -> str:
    granted = "What is granted is not known" if row.granted is None else f"Granted {show_grant(row.granted)}"
    show = QUOTA_UNIT.show
    used = "use not known" if row.used is None else f"used {show(row.used)}, peak {show(row.peak)}"
    return f"{granted}; promised {show(row.promised)}, all pools' maxima {show(row.drawn)}; {used}."
