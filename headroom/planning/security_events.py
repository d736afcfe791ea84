"""Alert policies on entries of audit logs."""

from collections.abc import Iterable
from dataclasses import dataclass

from headroom.alerts.linting import kebab_case
from headroom.alerts.rules import Pairs
from headroom.alerts.security_events import SecurityEvent

AUTO_CLOSE_SECONDS = 86_400
"""Nobody says when an entry of a log is over; a day is long enough to be looked at."""

EXTRACTED = (
    ("principal", "EXTRACT(protoPayload.authenticationInfo.principalEmail)"),
    ("method", "EXTRACT(protoPayload.methodName)"),
    ("resource", "EXTRACT(protoPayload.resourceName)"),
)
"""What a notification says of the entry."""

_WHO = (
    "${log.extracted_label.principal} called ${log.extracted_label.method} on ${log.extracted_label.resource}"
)


@dataclass(frozen=True, slots=True)
class LogPolicyPlan:
    """An alert policy on entries of logs; `filter` is in the Logging query language."""

    name: str
    display_name: str
    severity: str
    notify: str
    filter: str
    extracted: Pairs
    subject: str
    content: str
    links: Pairs
    user_labels: Pairs
    period_seconds: int
    """At most one notification is sent in that time."""
    auto_close_seconds: int


def plan_security_events(
    events: Iterable[SecurityEvent],
    environment: str,
    region: str,
    deployers: tuple[str, ...],
    runbook_base: str = "",
) -> tuple[LogPolicyPlan, ...]:
    """Return the policy of each event; what is expected of `deployers`, by address, is left out.

    `runbook_base` is the URL below which the project's files can be read.
    """
    return tuple(_plan(event, environment, region, deployers, runbook_base.rstrip("/")) for event in events)


def _plan(
    event: SecurityEvent, environment: str, region: str, deployers: tuple[str, ...], runbook_base: str
) -> LogPolicyPlan:
    runbook = f"{runbook_base}/{event.runbook}" if runbook_base else event.runbook
    return LogPolicyPlan(
        name=kebab_case(event.name),
        display_name=f"{environment}: security/{event.name}",
        severity=event.severity.upper(),
        notify=event.notify,
        filter=_filter(event, environment, region, deployers),
        extracted=EXTRACTED,
        subject=f"{environment}: {event.summary}",
        content=f"{event.description}\n\n{_WHO}\n\nRunbook: {runbook}\n",
        links=(("runbook", runbook),) if runbook_base else (),
        user_labels=(
            ("alert", kebab_case(event.name)),
            ("environment", environment),
            ("managed-by", "headroom"),
            ("notify", event.notify),
            ("requirements", "-".join(event.requirements).lower()),
            ("severity", event.severity),
        ),
        period_seconds=event.period_seconds,
        auto_close_seconds=AUTO_CLOSE_SECONDS,
    )


def _filter(event: SecurityEvent, environment: str, region: str, deployers: tuple[str, ...]) -> str:
    own = event.filter.replace("{cluster}", f"{environment}-cluster").replace("{region}", region)
    if not (event.expected_of_deployers and deployers):
        return own
    listed = " OR ".join(f'"{account}"' for account in deployers)
    return f"({own}) AND NOT protoPayload.authenticationInfo.principalEmail=({listed})"
