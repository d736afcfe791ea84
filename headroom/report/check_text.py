"""The result of a check as people read it: what is refused first, then the rules."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.markup import escape

from headroom.report.findings import OUTCOMES, CheckResult, Finding
from headroom.report.tables import Column, make_console, print_table

_STYLES = {"refused": "bold red", "advice": "yellow", "exempted": "cyan"}


def render_text(result: CheckResult, *, plain: bool = False) -> str:
    """Return the result as text, coloured where standard output is a terminal unless it is to be `plain`."""
    console = Console(file=StringIO(), highlight=False, width=300) if plain else make_console()
    with console.capture() as captured:
        _print_headline(console, result)
        for finding in result.findings:
            _print_finding(console, finding)
        _print_rules(console, result)
    return captured.get()


def summarize(result: CheckResult) -> str:
    """Return the result in one line."""
    counts = ", ".join(f"{result.count(outcome)} {outcome}" for outcome in OUTCOMES)
    if not result.judged:
        return f"{result.stack}: nothing could be judged: {len(result.findings)} problems"
    return f"{result.stack}: {result.resources} resources, {len(result.rules)} rules: {counts}"


def _print_headline(console: Console, result: CheckResult) -> None:
    stack, _, rest = summarize(result).partition(":")
    console.print(f"[bold]{escape(stack)}[/bold]:{escape(rest)}\n", soft_wrap=True)


def _print_finding(console: Console, finding: Finding) -> None:
    style = _STYLES[finding.outcome]
    head = f"[{style}]{finding.outcome}[/{style}]  [bold]{finding.rule}[/bold] ({finding.severity})"
    console.print(f"{head}  [dim]{escape(str(finding.place))}[/dim]", soft_wrap=True)
    where = f"{finding.resource}: " if finding.resource else ""
    for line in (f"{where}{finding.message}", _labelled("remedy", finding.remedy), _exempted(finding)):
        if line:
            console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print()


def _labelled(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def _exempted(finding: Finding) -> str:
    return _labelled("exempted by", finding.exemption)


def _print_rules(console: Console, result: CheckResult) -> None:
    families: dict[str, list[str]] = {}
    for rule in result.rules:
        families.setdefault(rule.family, []).append(rule.name)
    columns = (Column("rules"), *(Column(text, right=True) for text in ("", *OUTCOMES)))
    rows = [
        (family, str(len(names)), *_counts(result, names))
        for family, names in sorted(families.items(), key=lambda item: item[0])
    ]
    print_table(console, "", columns, rows)


def _counts(result: CheckResult, names: Iterable[str]) -> tuple[str, ...]:
    held = set(names)
    return tuple(
        str(sum(each.rule in held and each.outcome == outcome for each in result.findings))
        for outcome in OUTCOMES
    )
