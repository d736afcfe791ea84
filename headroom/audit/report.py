"""One audit as a value: everything that a table, JSON, CSV or a page shows of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from headroom.audit.drift_findings import find_drift
from headroom.audit.findings import Case, Finding, Severity, at_least, sort_findings
from headroom.audit.history import Change
from headroom.audit.ledger import Ledger, PoolRow, QuotaRow, keep_ledger
from headroom.audit.queue_findings import find_queues
from headroom.audit.quota_findings import find_quota
from headroom.audit.snapshot import NOT_ASKED, Known, QueueUse, Snapshot, Unread
from headroom.audit.use_findings import find_use
from headroom.planning.comparison import Comparison, compare_limits
from headroom.planning.estimates import Observation
from headroom.planning.plan import Plan
from headroom.planning.queues import EXPERIMENTS
from headroom.spec.platform import Platform

SourceState = Literal["known", "partly known", "not asked", "unreachable"]

CLEAN: Final = 0
FOUND: Final = 1
UNREACHABLE: Final = 3


@dataclass(frozen=True, slots=True)
class Source:
    """One source of the audit: what it is, whether it was read, when, from where, and why not."""

    name: str
    state: SourceState
    origin: str
    read_at: datetime | None
    detail: str
    """Why it is not known, or what of it is missing."""
    remedy: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, on what it stands, and who has how much of what."""

    stack: str
    project: str
    region: str
    at: datetime
    window_days: int
    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]
    """The worst first."""
    quotas: tuple[QuotaRow, ...]
    pools: tuple[PoolRow, ...]
    proposals: tuple[Comparison, ...]
    """For each pipeline of which use is known what it needs, beside the limits that it has."""
    change: Change | None = None
    """What differs from an audit before; None: it was not compared."""

    @property
    def unreachable(self) -> tuple[Source, ...]:
        """The sources that were asked and did not answer, or not all of it."""
        return tuple(each for each in self.sources if each.state in ("unreachable", "partly known"))

    def exit_code(self, fail_on: Severity = "warning") -> int:
        """Return 3 where a source could not be reached, 1 where something as bad as `fail_on` was found.

        What could not be read might be worse than what was found, so 3 comes before 1.
        """
        if self.unreachable:
            return UNREACHABLE
        return FOUND if at_least(self.findings, fail_on) else CLEAN


def run_audit(platform: Platform, plan: Plan, snapshot: Snapshot) -> Audit:
    """Return the audit of what the plan says and the live world is."""
    ledger: Ledger = keep_ledger(plan, platform.quota.experiments, snapshot)
    case = Case(plan, snapshot, ledger, platform.audit)
    findings = [*find_quota(case), *find_queues(case), *find_use(case), *find_drift(case)]
    return Audit(
        stack=plan.environment,
        project=plan.project,
        region=plan.region,
        at=snapshot.at,
        window_days=snapshot.window_days,
        sources=tuple(_describe(name, read) for name, read in snapshot.sources),
        findings=sort_findings(findings),
        quotas=ledger.quotas,
        pools=ledger.pools,
        proposals=_propose(platform, plan, snapshot),
    )


def observe(uses: Iterable[QueueUse]) -> tuple[Observation, ...]:
    """Return what estimates are made from: the mean of the means, and the peaks of the steps."""
    return tuple(
        Observation(
            use.queue,
            use.pool,
            use.resource,
            use.peaks.days,
            min(use.means.mean if use.means.mean is not None else use.peaks.mean or 0.0, peak),
            use.peaks.busy or 0.0,
            peak,
        )
        for use in uses
        if use.queue != EXPERIMENTS and (peak := use.peaks.peak) is not None
    )


def _propose(platform: Platform, plan: Plan, snapshot: Snapshot) -> tuple[Comparison, ...]:
    if not isinstance(snapshot.queue_use, Known):
        return ()
    seen = observe(snapshot.queue_use.value)
    names = {each.pipeline for each in seen} & platform.pipelines.keys()
    return compare_limits(platform, plan.pools, seen, names) if names else ()


def _describe(name: str, read: Known[object] | Unread) -> Source:
    if isinstance(read, Known):
        state: SourceState = "partly known" if read.gaps else "known"
        return Source(name, state, read.origin, read.read_at, "; ".join(read.gaps), "")
    state = "unreachable" if read.asked else "not asked"
    return Source(name, state, "", None, "" if read.reason == NOT_ASKED else read.reason, read.remedy)
