"""An audit as GitHub's workflow commands, which it shows on the page of the run."""

from collections.abc import Mapping
from typing import Final

from headroom.audit.findings import Severity
from headroom.audit.report import Audit
from headroom.report.workflow_commands import Level, render_command

_LEVELS: Final[Mapping[Severity, Level]] = {"error": "error", "warning": "warning", "info": "notice"}


def render_annotations(audit: Audit) -> str:
    """Return a command for each source that did not answer, then for each finding, the worst first.

    GitHub shows ten of a level.
    """
    unread = [
        render_command(
            "warning",
            f"{source.name}: {source.detail or source.state}{_to_do(source.remedy)}",
            title=f"{audit.stack}: the audit is not whole",
        )
        for source in audit.unreachable
    ]
    found = [
        render_command(
            _LEVELS[each.severity],
            f"{each.subject}: {each.message}{_to_do(each.fix)} Owner: {each.owner}.",
            title=f"{audit.stack}: {each.code}",
        )
        for each in audit.findings
    ]
    return "\n".join([*unread, *found])


def _to_do(remedy: str) -> str:
    return f" To do: {remedy}." if remedy else "."
