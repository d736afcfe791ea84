"""The proposals of the audit's page: limits by what was used, beside those that there are, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from headroom.planning.comparison import Comparison, Line
from headroom.report.audit_page_amounts import UNITS

MOST_PIPELINES: Final = 200
"""Of more the page says how many there are: it stays small, and nobody reads a table of a thousand rows."""

MOST_PATCH_LINES: Final = 1_500


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One resource of a pool: guarantee and cap now and as proposed, in the unit's notation."""

    pool: str
    unit: str
    now: str
    proposed: str
    more: bool
    """Whether the proposed cap is above that of now, or there is none now."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a pipeline's limits would become, and why."""

    pipeline: str
    rows: tuple[ProposalRow, ...]
    evidence: tuple[tuple[str, str], ...]
    """Kind and detail of each piece."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The change of the stack file that would bring all proposals in; `refusal` says why there is none."""

    text: str = ""
    refusal: str = ""

    @property
    def shown(self) -> str:
        """The text, or as much of it as a page has room for."""
        return "\n".join(self.text.splitlines()[:MOST_PATCH_LINES])

    @property
    def cut(self) -> int:
        """How many lines the page leaves out."""
        return max(0, len(self.text.splitlines()) - MOST_PATCH_LINES)


def list_proposals(comparisons: Iterable[Comparison]) -> tuple[Proposal, ...]:
    """Return the pipelines whose limits would become others, those first that need more than they have."""
    found = [each for each in map(_describe, comparisons) if each.rows]
    return tuple(sorted(found, key=lambda each: (not any(row.more for row in each.rows), each.pipeline)))


def _describe(comparison: Comparison) -> Proposal:
    evidence = tuple((each.kind, each.detail) for found in comparison.estimates for each in found.evidence)
    return Proposal(comparison.pipeline, tuple(_rows(comparison.lines)), evidence)


def _rows(lines: Iterable[Line]) -> Iterator[ProposalRow]:
    for line in lines:
        if line.amount is None or line.difference == (0, 0):
            continue
        unit = UNITS[line.resource]
        guarantee, cap = line.amount.guarantee, line.amount.likely
        now = "none" if line.limit is None else " to ".join(unit.show(each) for each in line.limit)
        more = line.limit is None or cap > line.limit[1]
        yield ProposalRow(line.pool, unit.name, now, f"{unit.show(guarantee)} to {unit.show(cap)}", more)
