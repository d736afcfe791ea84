"""Findings about use: who is at its cap, who leaves a guarantee idle, and what becomes of the headroom.

Use is judged by its peak over the window. Of what is not known nothing is said but that it is not known.
"""

from collections.abc import Iterator

from headroom.audit.findings import PLATFORM, Case, Finding, Severity, name_queue, shown, span
from headroom.audit.ledger import Holding, PoolRow, leading_rows
from headroom.audit.snapshot import Known
from headroom.planning.queues import EXPERIMENTS


def find_use(case: Case) -> Iterator[Finding]:
    """Yield every finding about use."""
    for row in leading_rows(case.ledger.pools):
        for holding in row.holdings:
            if holding.name == EXPERIMENTS:
                yield from _headroom(case, row, holding)
            else:
                yield from _pipeline(case, row, holding)
        yield from _pool(case, row)
    yield from _silence(case)


def _finding(
    code: str, severity: Severity, row: PoolRow, holding: Holding, message: str, fix: str, **more: float
) -> Finding:
    numbers = (
        ("guarantee", holding.guarantee),
        ("cap", holding.cap),
        ("used", holding.used),
        ("peak", holding.peak),
        *more.items(),
    )
    subject = f"{holding.name}/{row.pool}/{row.resource}"
    text = f"{name_queue(holding.name)} on {row.pool}: {message}"
    return Finding(code, "use", severity, subject, text, numbers, holding.owner or PLATFORM, fix)


def _pipeline(case: Case, row: PoolRow, holding: Holding) -> Iterator[Finding]:
    cap, peak, days = holding.cap, holding.peak, case.snapshot.window_days
    whole = shown(row.resource, cap)
    raise_cap = (
        f"raise headroom:pipelines.{holding.name}.limits.{row.pool}.{row.resource}.cap if the pool has it"
    )
    if holding.used is not None and holding.used > cap:
        message = (
            f"holds {shown(row.resource, holding.used)}, and its cap is {whole}: the limit does not hold"
        )
        fix = f"`pulumi up --refresh`; a lowered cap evicts nobody, so delete jobs of {holding.name}"
        yield _finding("over-cap", "error", row, holding, message, fix)
    elif peak is not None and peak >= case.thresholds.at_cap * cap:
        waits = holding.pending or 0
        message = f"has used {shown(row.resource, peak)} of its cap of {whole} in {days} days"
        message += f", and {waits} of its jobs wait" if waits else ""
        fix = f"headroom estimate -s {case.stack} -p {holding.name}; {raise_cap}"
        severity: Severity = "warning" if waits else "info"
        yield _finding("at-cap", severity, row, holding, message, fix, pending=waits)
    ahead = holding.forecast
    if ahead and (peak or 0) < case.thresholds.at_cap * cap and ahead.hours <= case.thresholds.forecast_hours:
        message = f"as its use has risen for {days} days, it is at its cap of {whole} {span(ahead.hours)}"
        hours = round(ahead.hours, 1)
        yield _finding("cap-runs-out", "warning", row, holding, message, raise_cap, hours=hours)
    yield from _idle_guarantee(case, row, holding)


def _idle_guarantee(case: Case, row: PoolRow, holding: Holding) -> Iterator[Finding]:
    if not holding.guarantee or holding.peak is None or holding.days < case.thresholds.least_days:
        return
    if holding.peak > case.thresholds.idle * holding.guarantee:
        return
    idle = holding.guarantee - holding.peak
    takers = ", ".join(each.name for each in row.holdings if each is not holding and _wants(case, each))
    message = (
        f"has used at most {shown(row.resource, holding.peak)} of its guarantee of "
        f"{shown(row.resource, holding.guarantee)} in {holding.days} days"
    )
    message += f"; {takers} could have had it" if takers else ""
    fix = f"lower the guarantee: headroom audit -s {case.stack} --propose says to what"
    yield _finding("guarantee-idle", "warning" if takers else "info", row, holding, message, fix, idle=idle)


def _wants(case: Case, other: Holding) -> bool:
    """Whether it waits, borrows, or was at its cap."""
    at_cap = other.peak is not None and other.peak >= case.thresholds.at_cap * other.cap > 0
    return bool(other.pending) or bool(other.borrowed) or at_cap


def _headroom(case: Case, row: PoolRow, holding: Holding) -> Iterator[Finding]:
    free, peak, days = row.share.headroom, holding.peak, case.snapshot.window_days
    if not free or peak is None:
        return
    whole = shown(row.resource, free)
    if peak >= case.thresholds.headroom_eaten * free:
        waits = holding.pending or 0
        message = f"have used {shown(row.resource, peak)} of a headroom of {whole} in {days} days"
        message += f", and {waits} of their jobs wait" if waits else ""
        fix = f"raise headroom:quota.experiments.pools.{row.pool}, or let some experiments become pipelines"
        severity: Severity = "warning" if waits else "info"
        yield _finding("headroom-eaten", severity, row, holding, message, fix, headroom=free, pending=waits)
    elif holding.days >= case.thresholds.least_days and peak <= case.thresholds.idle * free:
        message = (
            f"have used at most {shown(row.resource, peak)} of a headroom of {whole} in {holding.days} days"
        )
        fix = (
            f"lower headroom:quota.experiments.pools.{row.pool}, or lend it: headroom:quota.experiments.lend"
        )
        yield _finding("headroom-idle", "info", row, holding, message, fix, headroom=free)


def _pool(case: Case, row: PoolRow) -> Iterator[Finding]:
    pipelines = [each for each in row.holdings if each.name != EXPERIMENTS]
    used = [each.used for each in pipelines]
    held = sum(amount for amount in used if amount is not None)
    numbers = (("used", row.used), ("pipelines", held), ("capacity", row.share.capacity))
    subject = f"{row.pool}/{row.resource}"
    if held > row.share.available and row.share.headroom:
        message = (
            f"{row.pool}: pipelines hold {shown(row.resource, held)}, and may have "
            f"{shown(row.resource, row.share.available)} together: they use the headroom of the experiments"
        )
        fix = f"`pulumi up -s {case.stack}`, which sets the cohort `pipelines` right"
        yield Finding("headroom-invaded", "use", "error", subject, message, numbers, PLATFORM, fix)
    ahead = row.forecast
    if ahead and ahead.hours <= case.thresholds.forecast_hours:
        message = f"{row.pool}: as use has risen, all {shown(row.resource, row.share.capacity)} are in use "
        fix = f"raise headroom:pools.{row.pool}'s max, and the quota with it"
        numbers += (("hours", round(ahead.hours, 1)),)
        yield Finding(
            "pool-runs-out", "use", "warning", subject, message + span(ahead.hours), numbers, PLATFORM, fix
        )


def _silence(case: Case) -> Iterator[Finding]:
    """Pipelines of which Prometheus knows nothing, where it was asked and knows of others."""
    if not isinstance(case.snapshot.queue_use, Known):
        return
    heard = {each.queue for each in case.snapshot.queue_use.value}
    for name in (*case.pipelines, EXPERIMENTS):
        if name in heard:
            continue
        message = (
            f"{name_queue(name)}: no use is known of {case.snapshot.window_days} days, which is not none"
        )
        fix = f"look whether Kueue has a queue {name}, and whether its metrics are collected"
        yield Finding("use-unknown", "use", "warning", name, message, (), case.owner_of(name), fix)
