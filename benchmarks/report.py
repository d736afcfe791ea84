"""Results as tables for people and as JSON for programs."""

import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that a benchmark is about; `target` is the most that it may be, None where there is none."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether the value is above its target."""
        return self.target is not None and self.value > self.target


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark measured: a table, the figures drawn from it, and why it was skipped if it was."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | float, ...], ...] = ()
    figures: tuple[Figure, ...] = ()
    skipped: str = ""


def render_json(reports: list[Report]) -> str:
    """Return all reports as one JSON document."""
    return json.dumps([asdict(report) for report in reports], indent=2)


def print_report(report: Report, console: Console) -> None:
    """Print the measurements, then the figures beside their targets."""
    if report.skipped:
        console.print(f"{report.title}: skipped: {report.skipped}", markup=False)
        return
    measured = Table(*report.columns, title=report.title, title_justify="left")
    for row in report.rows:
        measured.add_row(*(cell if isinstance(cell, str) else f"{cell:,.4g}" for cell in row))
    console.print(measured)
    figures = Table("figure", "value", "at most", "")
    for figure in report.figures:
        wanted = "" if figure.target is None else f"{figure.target:g} {figure.unit}".rstrip()
        verdict = "" if figure.target is None else ("missed" if figure.is_missed else "met")
        figures.add_row(figure.name, f"{figure.value:.3g} {figure.unit}".rstrip(), wanted, verdict)
    console.print(figures)
