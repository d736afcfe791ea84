"""The lists of the audit's page: findings by severity, who holds what, and what each owner has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from headroom.audit.findings import SEVERITIES, Finding, Severity
from headroom.audit.ledger import Holding, PoolRow
from headroom.report.audit_page_amounts import UNITS, show_hours
from headroom.report.audit_page_bars import SmallBar, small_bar
from headroom.report.audit_page_lines import draw_spark

HEADINGS: Final[dict[Severity, str]] = {"error": "Errors", "warning": "Warnings", "info": "For information"}
MOST_ALIKE: Final = 50
"""Of findings of one severity and code no more are shown: they say the same of many pipelines."""

_MOST_SPARK_POINTS: Final = 72
_FEWEST_SPARK_POINTS: Final = 12
_SPARK_POINTS: Final = 60_000
"""Of all small lines together, so that the page stays small."""


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one severity; `more` says of which codes some are left out, and how many."""

    severity: Severity
    heading: str
    count: int
    findings: tuple[Finding, ...]
    more: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A pipeline's part of one resource of a pool, for people."""

    name: str
    owner: str
    pool: str
    unit: str
    guarantee: str
    cap: str
    used: str
    borrowed: str
    peak: str
    pending: str
    full: str
    bar: SmallBar | None
    spark: str


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """What all pipelines of an owner have of one resource of a pool."""

    owner: str
    pool: str
    unit: str
    queues: int
    guarantee: str
    cap: str
    used: str


def group_findings(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Return the findings by severity, the worst first; severities without any are left out."""
    found = tuple(findings)
    groups = ((severity, [each for each in found if each.severity == severity]) for severity in SEVERITIES)
    return tuple(_group(severity, held) for severity, held in groups if held)


def list_holders(rows: Iterable[PoolRow]) -> tuple[HolderRow, ...]:
    """Return who has how much of each row."""
    pairs = [(row, held) for row in rows for held in row.holdings]
    points = _SPARK_POINTS // max(1, len(pairs))
    points = min(_MOST_SPARK_POINTS, max(_FEWEST_SPARK_POINTS, points))
    return tuple(_holder(row, held, points) for row, held in pairs)


def list_owners(rows: Iterable[PoolRow]) -> tuple[OwnerRow, ...]:
    """Return what each owner has of each row; one pipeline whose use is not known makes the sum unknown."""
    grouped: dict[tuple[str, int], list[Holding]] = {}
    rows = tuple(rows)
    for number, row in enumerate(rows):
        for held in row.holdings:
            grouped.setdefault((held.owner, number), []).append(held)
    return tuple(
        _owner(owner, rows[number], held) for (owner, number), held in sorted(grouped.items(), key=_key)
    )


def _key(item: tuple[tuple[str, int], list[Holding]]) -> tuple[str, int]:
    return item[0]


def _group(severity: Severity, findings: list[Finding]) -> Group:
    counts: Counter[str] = Counter()
    kept = []
    for finding in findings:
        counts[finding.code] += 1
        if counts[finding.code] <= MOST_ALIKE:
            kept.append(finding)
    more = tuple((code, count - MOST_ALIKE) for code, count in counts.items() if count > MOST_ALIKE)
    return Group(severity, HEADINGS[severity], len(findings), tuple(kept), more)


def _holder(row: PoolRow, held: Holding, points: int) -> HolderRow:
    unit = UNITS[row.resource]
    return HolderRow(
        name=held.name,
        owner=held.owner or "nobody named",
        pool=row.pool,
        unit=unit.name,
        guarantee=unit.show(held.guarantee),
        cap=unit.show(held.cap),
        used=unit.show(held.used),
        borrowed=unit.show(held.borrowed),
        peak=unit.show(held.peak),
        pending="?" if held.pending is None else f"{held.pending:,}",
        full=show_hours(held.forecast),
        bar=None if held.used is None else small_bar(held),
        spark=draw_spark(held.series, held.cap, points),
    )


def _owner(owner: str, row: PoolRow, held: list[Holding]) -> OwnerRow:
    unit = UNITS[row.resource]
    used = [each.used for each in held]
    return OwnerRow(
        owner or "nobody named",
        row.pool,
        unit.name,
        len(held),
        unit.show(sum(each.guarantee for each in held)),
        unit.show(sum(each.cap for each in held)),
        unit.show(None if None in used else sum(each or 0 for each in used)),
    )
