"""Security events: what somebody did that is worth a look, found in audit logs (security_events.yaml)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from headroom.alerts.durations import parse_duration
from headroom.alerts.linting import kebab_case

RUNBOOKS = "docs/runbooks/security"
"""Where the runbooks are, from the project's folder."""

_FILE = Path(__file__).parent / "security_events.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Entries of audit logs of which somebody is told."""

    name: str
    severity: str
    notify: str
    """`page` or `ticket`."""
    period_seconds: int
    """At most one notification is sent in that time."""
    filter: str
    """In the Logging query language, with {cluster} and {region} for the environment's."""
    expected_of_deployers: bool
    """Whether it is everyday work where it comes from an account that deploys the stack."""
    summary: str
    description: str

    @property
    def requirements(self) -> tuple[str, ...]:
        """Ids of the requirements that every security event answers."""
        return ("M17",)

    @property
    def runbook(self) -> str:
        """The runbook's path from the project's folder."""
        return f"{RUNBOOKS}/{kebab_case(self.name)}.md"


@cache
def load_security_events() -> tuple[SecurityEvent, ...]:
    """Return all security events, read once for each process.

    The file belongs to the package, so one that is missing or malformed is a defect and raises.
    """
    data = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one
    return tuple(
        SecurityEvent(
            name=row["event"],
            severity=row["severity"],
            notify=row["notify"],
            period_seconds=parse_duration(row["period"]),
            filter=row["filter"],
            expected_of_deployers=row.get("expected") == "deployers",
            summary=row["summary"],
            description=row["description"],
        )
        for row in data["events"]
    )
