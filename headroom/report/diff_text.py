"""What a change does, for people on a terminal and for programs."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape

from headroom.planning.changes import StackChange
from headroom.planning.preview import PreviewSummary
from headroom.report.amounts import (
    PIPELINE_HEADINGS,
    POOL_HEADINGS,
    QUOTA_HEADINGS,
    count_unchanged,
    list_effects,
    show_pipeline,
    show_pool,
    show_quota,
)
from headroom.report.tables import Column, make_console, print_table


def print_changes(changes: Iterable[tuple[StackChange, PreviewSummary | None]]) -> None:
    """Print what changes in each stack to standard output."""
    console = make_console()
    for change, preview in changes:
        _print_change(console, change, preview)


def list_operations(preview: PreviewSummary | None) -> list[str]:
    """Return what would be replaced or deleted, a line for each kind, and how much of all else there is."""
    if preview is None:
        return []
    counts = ", ".join(f"{count} {operation}" for operation, count in preview.counts)
    lines = [f"preview: {counts}"]
    for steps, what in ((preview.replaced, "replaced"), (preview.deleted, "deleted")):
        if steps:
            lines.append(f"{what}: {', '.join(map(str, steps))}")
    return lines + [f"error of the preview: {message}" for message in preview.errors]


def render_changes(changes: Sequence[tuple[StackChange, PreviewSummary | None]]) -> str:
    """Return the changes as JSON text; cpu in thousandths of a core, memory in bytes."""
    return json.dumps([_describe(change, preview) for change, preview in changes], indent=2)


def _describe(change: StackChange, preview: PreviewSummary | None) -> dict[str, Any]:
    rows = {
        "pools": [asdict(row) | {"changed": row.changed} for row in change.pools],
        "pipelines": [asdict(row) | {"changed": row.changed} for row in change.pipelines],
        "quotas": [
            asdict(row) | {"changed": row.changed, "standing": row.after.state if row.after else None}
            for row in change.quotas
        ],
    }
    said = {"changed": change.changed, "effects": list_effects(change)}
    return asdict(change) | rows | said | {"preview": asdict(preview) if preview else None}


def _print_change(console: Console, change: StackChange, preview: PreviewSummary | None) -> None:
    console.print(f"[bold]{escape(change.stack)}[/bold]")
    for line in [*list_effects(change), *list_operations(preview)]:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print()
    _print_rows(console, "Pools", POOL_HEADINGS, change.pools, lambda row: show_pool(row, change))
    limits = [row for row in change.pipelines if not row.derived]
    _print_rows(console, "Pipelines", PIPELINE_HEADINGS, limits, lambda row: show_pipeline(row, change))
    _print_rows(console, "Quotas of Google Cloud", QUOTA_HEADINGS, change.quotas, show_quota)


def _print_rows(
    console: Console,
    title: str,
    headings: Sequence[str],
    rows: Iterable[Any],
    show: Callable[[Any], tuple[str, ...]],
) -> None:
    rows = list(rows)
    shown = [tuple(map(escape, show(row))) for row in rows if row.changed]
    if not shown:
        return
    same = count_unchanged(rows)
    columns = [Column(heading) for heading in headings]
    print_table(console, f"{title}: before → after; {same} more are as they were", columns, shown)
    console.print()
