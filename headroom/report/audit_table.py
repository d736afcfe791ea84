"""An audit as tables: findings first, then who has how much of what."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape

from headroom.audit.findings import SEVERITIES, shown
from headroom.audit.forecast import Forecast
from headroom.audit.history import Change
from headroom.audit.ledger import Holding, PoolRow, QuotaRow, leading_rows
from headroom.audit.report import Audit, Source
from headroom.planning.grants import UNLIMITED
from headroom.report.tables import Column, make_console, print_table

_STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}
_WORDS = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "info": ("for information", "for information"),
}
_STATES = {"known": "green", "partly known": "yellow", "not asked": "dim", "unreachable": "bold red"}
_MOST_MOVES = 20
_MOST_HOLDERS = 4
_FIGURES = ("granted", "there now", "promised", "used", "peak", "full")


def print_audit(audit: Audit, console: Console | None = None) -> None:
    """Print the audit to standard output, or to `console`."""
    console = console or make_console()
    when = audit.at.strftime("%Y-%m-%d %H:%M UTC")
    console.print(f"[bold]{audit.stack}[/bold]: {audit.project}, {audit.region}, {when}\n")
    _print_findings(console, audit)
    _print_quotas(console, audit.quotas)
    _print_pools(console, leading_rows(audit.pools))
    _print_sources(console, audit.sources)
    if audit.change is not None:
        _print_change(console, audit.change)
    console.print(summarize(audit), soft_wrap=True, markup=False)


def summarize(audit: Audit) -> str:
    """Return how many findings there are, and how many sources did not answer."""
    found = [each.severity for each in audit.findings]
    counted = [(found.count(severity), _WORDS[severity]) for severity in SEVERITIES]
    counts = ", ".join(f"{count} {words[count != 1]}" for count, words in counted)
    away = len(audit.unreachable)
    noun = "source" if away == 1 else "sources"
    return counts + (f"; {away} {noun} did not answer, or not all of it" if away else "")


def _print_findings(console: Console, audit: Audit) -> None:
    if not audit.findings:
        console.print("nothing found\n")
        return
    for finding in audit.findings:
        style = _STYLES[finding.severity]
        head = f"[{style}]{finding.severity}[/{style}] {escape(finding.message)}"
        console.print(head, soft_wrap=True)
        console.print(f"    owner: {finding.owner}; to do: {finding.fix}", soft_wrap=True, markup=False)
    console.print()


def _print_quotas(console: Console, rows: Sequence[QuotaRow]) -> None:
    columns = (
        Column("quota"),
        Column("where", below=3),
        *(Column(heading, right=True) for heading in _FIGURES),
        Column("held by", below=1),
    )
    cells = [
        (
            escape(row.label),
            row.quota.region or "all regions",
            "unlimited" if row.granted == UNLIMITED else _number(row.granted),
            _number(row.provisioned),
            _number(row.promised),
            _number(row.used),
            _number(row.peak),
            _hours(row.forecast),
            _holders(row),
        )
        for row in rows
    ]
    print_table(console, "Cloud quotas, in their own units", columns, cells)
    console.print()


def _holders(row: QuotaRow) -> str:
    """Who has most of a quota, as far as that is known."""
    held = sorted(((each.used, each.name) for each in row.holdings if each.used), reverse=True)
    names = [f"{name} {_number(round(used, 1))}" for used, name in held[:_MOST_HOLDERS]]
    more = [f"{len(held) - _MOST_HOLDERS} more"] if len(held) > _MOST_HOLDERS else []
    return ", ".join(names + more)


def _print_pools(console: Console, rows: Iterable[PoolRow]) -> None:
    columns = (
        Column("pool"),
        Column("who"),
        Column("owner", below=2),
        *(Column(heading, right=True) for heading in ("guarantee", "cap", "used", "peak", "waiting", "full")),
    )
    cells = [line for row in rows for line in _pool_lines(row)]
    print_table(
        console,
        "Pools, as pods ask for them; the cpu and memory of accelerators' hosts follow the devices",
        columns,
        cells,
    )
    console.print()


def _pool_lines(row: PoolRow) -> list[tuple[str, ...]]:
    free = row.share.headroom
    whole = (
        f"{row.pool} {row.resource}",
        f"all: {_amount(row, row.share.capacity)}, headroom {_amount(row, free)}",
        "" if row.nodes is None else f"{row.nodes} of {row.max_nodes} nodes",
        _amount(row, row.share.guaranteed),
        _amount(row, row.caps),
        _amount(row, row.used),
        _amount(row, row.peak),
        "",
        _hours(row.forecast),
    )
    return [whole, *(_holding(row, each) for each in row.holdings)]


def _holding(row: PoolRow, held: Holding) -> tuple[str, ...]:
    return (
        "",
        held.name,
        held.owner,
        _amount(row, held.guarantee),
        _amount(row, held.cap),
        _amount(row, held.used),
        _amount(row, held.peak),
        "?" if held.pending is None else str(held.pending),
        _hours(held.forecast),
    )


def _print_sources(console: Console, sources: Iterable[Source]) -> None:
    columns = (Column("source"), Column("state"), Column("from", below=2), Column("why not", below=1))
    cells = []
    for each in sources:
        style = _STATES[each.state]
        why = each.detail + (f"; {each.remedy}" if each.remedy else "")
        when = f" at {each.read_at:%Y-%m-%d %H:%M} UTC" if each.read_at else ""
        state = f"[{style}]{each.state}[/{style}]"
        cells.append((each.name, state, escape(each.origin + when), escape(why)))
    print_table(console, "On what this stands", columns, cells)
    console.print()


def _print_change(console: Console, change: Change) -> None:
    lines = [f"Since {change.since:%Y-%m-%d %H:%M} UTC:"]
    lines += [f"  new: {code} {subject}" for code, subject in change.appeared]
    lines += [f"  gone: {code} {subject}" for code, subject in change.gone]
    lines += [
        f"  {each.subject}: {each.figure} {_number(each.before)} -> {_number(each.after)}"
        for each in change.moves[:_MOST_MOVES]
    ]
    if len(change.moves) > _MOST_MOVES:
        lines.append(f"  and {len(change.moves) - _MOST_MOVES} figures more (--json has them)")
    if len(lines) == 1:
        lines.append("  nothing differs")
    console.print("\n".join(lines) + "\n", soft_wrap=True, markup=False)


def _amount(row: PoolRow, amount: int | None) -> str:
    return "?" if amount is None else shown(row.resource, amount).split()[0]


def _number(amount: float | None) -> str:
    if amount is None:
        return "?"
    return f"{amount:,.0f}" if float(amount).is_integer() else f"{amount:,.1f}"


def _hours(forecast: Forecast | None) -> str:
    return "" if forecast is None else f"in {forecast.hours:,.0f} h"
