"""An audit as one HTML page, for people who open a file: nothing of it comes from elsewhere.

The page has its own style and script, named to the browser by their hashes; whatever else a name or a message
might bring along the browser refuses to run or to load.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headroom.audit.forecast import METHOD
from headroom.audit.history import Change, Move
from headroom.audit.ledger import PoolRow, QuotaRow, leading_rows
from headroom.audit.report import Audit
from headroom.report.audit_page_amounts import (
    QUOTA_UNIT,
    UNITS,
    show_grant,
    show_hours,
    show_number,
)
from headroom.report.audit_page_bars import NARROW, WIDE, Bar, divide_use, pool_bar, quota_bar
from headroom.report.audit_page_lines import HEIGHT, WIDTH, Chart, draw_chart
from headroom.report.audit_page_proposals import MOST_PIPELINES, Patch, list_proposals
from headroom.report.audit_page_rows import group_findings, list_holders, list_owners
from headroom.report.audit_table import summarize

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER: Final = Path(__file__).parent / "templates"
MOST_MOVES: Final = 100
_MOST_HOLDERS: Final = 4


@dataclass(frozen=True, slots=True)
class PoolCard:
    """One resource of a pool: a bar, a chart, and the numbers of both."""

    title: str
    bar: Bar
    chart: Chart | None
    figures: tuple[tuple[str, str, str], ...]
    """Name, amount, and what the bar calls it, empty where the bar does not have it."""


@dataclass(frozen=True, slots=True)
class QuotaLineRow:
    """A cloud quota: a bar, a chart, and the numbers of both."""

    label: str
    where: str
    bar: Bar
    chart: Chart | None
    granted: str
    promised: str
    drawn: str
    there: str
    used: str
    peak: str
    full: str
    holders: str


def render_page(audit: Audit, patch: Patch | None = None) -> str:
    """Return the page. What is not known is a question mark, and its lines and bars are not drawn.

    `patch` is what would bring the audit's proposals into the stack file; None: nobody made one.
    """
    style, script = (FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("audit.css", "audit.js"))
    template = _environment().get_template("audit.html.j2")
    return template.render(
        _content(audit, patch or Patch()), style=style, script=script, policy=_policy(style, script)
    )


def pool_card(row: PoolRow) -> PoolCard:
    """Return what is shown of one resource of a pool."""
    unit, share, use = UNITS[row.resource], row.share, divide_use(row)
    figures = [
        ("can be had", unit.show(share.capacity), "limit"),
        ("guaranteed", unit.show(share.guaranteed), "guarantee"),
        ("shared", unit.show(max(0, share.shared)), "shared"),
        ("headroom", unit.show(share.headroom), "headroom"),
        ("sum of caps", unit.show(row.caps), ""),
        ("there now", unit.show(row.provisioned), "there"),
        ("used", unit.show(row.used), ""),
        ("within guarantees", unit.show(use.within if use else None), "within"),
        ("borrowed", unit.show(use.borrowed if use else None), "borrowed"),
        ("by experiments", unit.show(use.experiments if use else None), "experiments"),
        ("peak", unit.show(row.peak), "peak"),
        ("full in", show_hours(row.forecast) or "no forecast", ""),
    ]
    chart = draw_chart(row.series, share.capacity, unit)
    return PoolCard(f"{row.pool}, {unit.name}", pool_bar(row), chart, tuple(figures))


def quota_line(row: QuotaRow) -> QuotaLineRow:
    """Return what is shown of a cloud quota."""
    return QuotaLineRow(
        label=row.label,
        where=row.quota.region or "all regions",
        bar=quota_bar(row),
        chart=draw_chart(row.series, row.limit, QUOTA_UNIT),
        granted=show_grant(row.granted),
        promised=show_number(row.promised),
        drawn=show_number(row.drawn),
        there=show_number(row.provisioned),
        used=show_number(row.used),
        peak=show_number(row.peak),
        full=show_hours(row.forecast),
        holders=_name_holders(row),
    )


def _content(audit: Audit, patch: Patch) -> dict[str, Any]:
    pools, proposals = leading_rows(audit.pools), list_proposals(audit.proposals)
    return {
        "audit": audit,
        "at": f"{audit.at:%Y-%m-%d %H:%M} UTC",
        "summary": summarize(audit),
        "silent": [each.name for each in audit.sources if each.state == "not asked"],
        "groups": group_findings(audit.findings),
        "pools": [pool_card(row) for row in pools],
        "quotas": [quota_line(row) for row in audit.quotas],
        "holders": list_holders(pools),
        "owners": list_owners(pools),
        "proposals": proposals[:MOST_PIPELINES],
        "more_proposals": max(0, len(proposals) - MOST_PIPELINES),
        "patch": patch,
        "change": None if audit.change is None else _change(audit.change),
        "method": METHOD,
        "wide": WIDE,
        "narrow": NARROW,
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "since": f"{change.since:%Y-%m-%d %H:%M} UTC",
        "appeared": change.appeared,
        "gone": change.gone,
        "moves": list(_moves(change.moves[:MOST_MOVES])),
        "more": max(0, len(change.moves) - MOST_MOVES),
    }


def _moves(moves: Iterable[Move]) -> Iterable[tuple[str, str, str, str]]:
    for move in moves:
        yield move.subject, move.figure, show_number(move.before), show_number(move.after)


def _name_holders(row: QuotaRow) -> str:
    held = sorted(((each.used, each.name) for each in row.holdings if each.used), reverse=True)
    names = [f"{name} {show_number(used)}" for used, name in held[:_MOST_HOLDERS]]
    more = [f"{len(held) - _MOST_HOLDERS} more"] if len(held) > _MOST_HOLDERS else []
    return ", ".join(names + more)


def _policy(style: str, script: str) -> str:
    """The content security policy: this style and this script, and nothing else from anywhere."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
