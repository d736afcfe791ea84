"""The result of a check as GitHub's workflow commands, which it shows beside the lines of a change."""

from headroom.report.check_text import summarize
from headroom.report.findings import CheckResult, Finding

_COMMANDS = {"refused": "error", "advice": "warning", "exempted": "notice"}


def render_github(result: CheckResult) -> str:
    """Return a command for each finding, and the result in one line."""
    return "\n".join([*map(_command, result.findings), summarize(result)])


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {"file": place.file, **({"line": str(place.line)} if place.line else {})}
    properties["title"] = f"{finding.rule} ({finding.outcome})"
    shown = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    key = f"{place.key}: " if place.key else ""
    return f"::{_COMMANDS[finding.outcome]} {shown}::{_escape(f'{key}{finding}')}"


def _escape(text: str) -> str:
    """Escape as the runner undoes it (actions/toolkit, packages/core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
