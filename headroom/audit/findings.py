"""What an audit finds: how bad, about what, with which numbers, whose it is, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from headroom.audit.ledger import Ledger
from headroom.audit.snapshot import Snapshot
from headroom.planning.allocation import describe_amount
from headroom.planning.pipelines import PipelinePlan, Resource
from headroom.planning.plan import Plan
from headroom.planning.queues import EXPERIMENTS
from headroom.spec.audit import AuditThresholds

Severity = Literal["error", "warning", "info"]
Family = Literal["quota", "queues", "use", "drift"]
Number = int | float | str | None

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""From the worst on."""

PLATFORM = "platform"
"""Whose a finding is that is no single pipeline's."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit found. `code` and `subject` together tell it from all others."""

    code: str
    family: Family
    severity: Severity
    subject: str
    """What it is about: a quota, `pool/resource`, `pipeline/pool/resource`, a queue, a node pool."""
    message: str
    numbers: tuple[tuple[str, Number], ...]
    """The figures of the message, of pools in thousandths of a core, bytes, devices as pods ask for them."""
    owner: str
    fix: str


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: the plan, the live world, the ledger of both, and the thresholds."""

    plan: Plan
    snapshot: Snapshot
    ledger: Ledger
    thresholds: AuditThresholds

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.plan.environment

    @property
    def pipelines(self) -> Mapping[str, PipelinePlan]:
        """The pipelines by name."""
        return {pipeline.name: pipeline for pipeline in self.plan.pipelines}

    def owner_of(self, queue: str) -> str:
        """Return who answers for a queue: its pipeline's owner."""
        found = self.pipelines.get(queue)
        return found.owner if found else PLATFORM


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in a stable order, the worst first."""
    return tuple(
        sorted(
            findings, key=lambda each: (SEVERITIES.index(each.severity), each.family, each.code, each.subject)
        )
    )


def at_least(findings: Iterable[Finding], severity: Severity) -> tuple[Finding, ...]:
    """Return those that are as bad as `severity`, or worse."""
    worst = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return tuple(each for each in findings if each.severity in worst)


def shown(resource: Resource, amount: float) -> str:
    """Return an amount of a pool for people, with its unit."""
    text = describe_amount(resource, round(amount))
    return text if resource == "memory" else f"{text} {'cores' if resource == 'cpu' else resource}"


def name_queue(queue: str) -> str:
    """Return a queue as messages call it."""
    return "the experiments" if queue == EXPERIMENTS else queue


def span(hours: float) -> str:
    """Return a time span for people."""
    if hours < 1:
        return "within the hour"
    return f"in {hours:.0f} hours" if hours < 72 else f"in {hours / 24:.0f} days"
