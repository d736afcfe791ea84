"""Rollouts that were played through, for people, for jobs, and for docs/delivery.md."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from rich.console import Console

from headroom.alerts.durations import format_duration
from headroom.delivery.simulation import Outcome
from headroom.report.tables import Column, print_table

NO_FAULT = "none"

_HEADINGS = ("fault", "end", "phase", "by", "after", "requests", "of all then", "of a day")
_FIGURES = _HEADINGS[4:]


def print_outcomes(console: Console, pipeline: str, outcomes: Sequence[Outcome]) -> None:
    """Print how each rollout ended, and what share of the requests the new model had answered by then."""
    columns = [Column(heading, right=heading in _FIGURES) for heading in _HEADINGS]
    title = (
        f"Rollouts of {pipeline}, simulated (requests: those that the new model answered, in the busy hour)"
    )
    print_table(console, title, columns, [_describe(outcome) for outcome in outcomes])
    skipped = next((outcome.skipped for outcome in outcomes if outcome.skipped), ())
    if skipped:
        console.print(
            f"the first release skips {', '.join(skipped)}: there is no present model to compare with, and "
            "no alert judges it",
            soft_wrap=True,
        )


def describe_outcomes(outcomes: Iterable[Outcome]) -> str:
    """Return the same as JSON."""
    return json.dumps([asdict(outcome) for outcome in outcomes], indent=2)


def render_outcomes(outcomes: Iterable[Outcome]) -> str:
    """Return the same as a table of Markdown, by preset."""
    headings = ("preset", *_HEADINGS)
    rows = [headings, tuple("---" for _ in headings)]
    rows += [(outcome.preset, *_describe(outcome)) for outcome in outcomes]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _describe(outcome: Outcome) -> tuple[str, ...]:
    return (
        outcome.fault or NO_FAULT,
        outcome.end,
        outcome.phase,
        outcome.reason,
        format_duration(outcome.seconds) if outcome.seconds else "",
        f"{outcome.requests:,.0f}" if outcome.requests else "",
        f"{outcome.share:.1%}" if outcome.share else "",
        f"{outcome.day_share:.3%}" if outcome.day_share else "",
    )
