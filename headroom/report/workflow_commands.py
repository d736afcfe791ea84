"""Commands of GitHub's workflows: lines of a job's output that its page shows as annotations."""

from typing import Literal

Level = Literal["error", "warning", "notice"]


def render_command(level: Level, text: str, **properties: str) -> str:
    """Return the line that makes an annotation, with what the runner would read otherwise escaped.

    The runner undoes it (actions/toolkit, packages/core/src/command.ts, 2026-11).
    """
    shown = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    return f"::{level} {shown}::{_escape(text)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
