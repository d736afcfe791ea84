"""The result of a check as GitHub's workflow commands, which it shows beside the lines of a change."""

from collections.abc import Mapping
from typing import Final

from headroom.report.check_text import summarize
from headroom.report.findings import CheckResult, Finding, Outcome
from headroom.report.workflow_commands import Level, render_command

_LEVELS: Final[Mapping[Outcome, Level]] = {"refused": "error", "advice": "warning", "exempted": "notice"}


def render_github(result: CheckResult) -> str:
    """Return a command for each finding, and the result in one line."""
    return "\n".join([*map(_command, result.findings), summarize(result)])


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {"file": place.file, **({"line": str(place.line)} if place.line else {})}
    properties["title"] = f"{finding.rule} ({finding.outcome})"
    key = f"{place.key}: " if place.key else ""
    return render_command(_LEVELS[finding.outcome], f"{key}{finding}", **properties)
