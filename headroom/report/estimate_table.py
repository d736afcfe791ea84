"""Estimates beside limits, as a table and as JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.markup import escape

from headroom.planning.comparison import Comparison, Line
from headroom.planning.pipelines import Resource, format_amount
from headroom.report.tables import Column, make_console, print_table

_GIB = 2**30
_FIGURES = ("guarantee", "cap", "low-high", "limits", "change")
_COLUMNS = (
    Column("pipeline"),
    Column("pool"),
    Column("resource"),
    *(Column(heading, right=True) for heading in _FIGURES),
    Column("evidence", below=1),
)


def print_estimates(stack: str, comparisons: Sequence[Comparison]) -> None:
    """Print what each pipeline needs, what it has, and the evidence, to standard output."""
    console = make_console()
    console.print(f"[bold]{stack}[/bold]\n")
    title = "Estimates: what the mean load needs (guarantee), and the peak (cap, and where it may lie)"
    print_table(console, title, _COLUMNS, [row for each in comparisons for row in _describe(each)])
    console.print()


def render_estimates(stack: str, comparisons: Sequence[Comparison], warnings: Iterable[str]) -> str:
    """Return the same as JSON text; amounts of cpu are thousandths of a core, of memory bytes."""
    pipelines = [_describe_json(each) for each in comparisons]
    return json.dumps({"environment": stack, "pipelines": pipelines, "warnings": list(warnings)}, indent=2)


def _describe(comparison: Comparison) -> list[tuple[str, ...]]:
    evidence = "; ".join(
        f"[bold]{each.kind}[/bold] {escape(each.detail)}"
        for found in comparison.estimates
        for each in found.evidence
    )
    return [
        ("" if number else comparison.pipeline, *_figures(line), "" if number else evidence)
        for number, line in enumerate(comparison.lines)
    ]


def _figures(line: Line) -> tuple[str, ...]:
    amount, resource = line.amount, line.resource
    limits = "none" if line.limit is None else "-".join(_shown(resource, each) for each in line.limit)
    if amount is None:
        return line.pool, resource, "?", "?", "?", limits, "[yellow]unknown[/yellow]"
    return (
        line.pool,
        resource,
        _shown(resource, amount.guarantee),
        _shown(resource, amount.likely),
        f"{_shown(resource, amount.low)}-{_shown(resource, amount.high)}",
        limits,
        _change(line),
    )


def _change(line: Line) -> str:
    if line.difference is None:
        return "[green]taken[/green]"
    if line.difference == (0, 0):
        return "[green]none[/green]"
    text = ", ".join(_signed(line.resource, each) for each in line.difference)
    return f"[bold red]{text}[/bold red]" if line.standing == "short" else text


def _signed(resource: Resource, amount: int) -> str:
    sign = "+" if amount > 0 else "-" if amount < 0 else ""
    return sign + _shown(resource, abs(amount))


def _shown(resource: Resource, amount: int) -> str:
    if resource == "memory" and amount >= _GIB and amount % _GIB:
        return f"{amount / _GIB:.1f}Gi"
    return format_amount(resource, amount)


def _describe_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "name": comparison.pipeline,
        "kind": comparison.kind,
        "evidence": [
            {"pool": found.pool, "kind": each.kind, "detail": each.detail}
            for found in comparison.estimates
            for each in found.evidence
        ],
        "resources": [_describe_line(line) for line in comparison.lines],
    }


def _describe_line(line: Line) -> dict[str, Any]:
    amount = line.amount
    return {
        "pool": line.pool,
        "resource": line.resource,
        "guarantee": amount.guarantee if amount else None,
        "cap": {"low": amount.low, "likely": amount.likely, "high": amount.high} if amount else None,
        "limit": _pair(line.limit),
        "difference": _pair(line.difference),
        "standing": line.standing,
    }


def _pair(pair: tuple[int, int] | None) -> dict[str, int] | None:
    return None if pair is None else {"guarantee": pair[0], "cap": pair[1]}
