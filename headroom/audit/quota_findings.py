"""Findings about cloud quotas: what is granted beside what is promised, drawn, asked for and used."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from headroom.audit.findings import PLATFORM, Case, Finding, Severity, span
from headroom.audit.ledger import QuotaRow
from headroom.audit.snapshot import Known
from headroom.planning.cloud_quotas import judge_request
from headroom.planning.grants import UNLIMITED, Grants, find_grant

ALL_GPUS: Final = "GPUS-ALL-REGIONS-per-project"
INSTANCES: Final = "INSTANCES-per-project-region"
"""How many machines there may be, of whatever kind: every project has thousands from the start, and what is
scarce about a machine has a quota of its own."""
_SKEW: Final = timedelta(minutes=5)


def find_quota(case: Case) -> Iterator[Finding]:
    """Yield every finding about cloud quotas."""
    for row in case.ledger.quotas:
        yield from _grant(case, row)
        yield from _request(row)
        yield from _use(case, row)
    yield from _file(case)


def _finding(
    code: str, severity: Severity, row: QuotaRow, message: str, fix: str, **numbers: float | None
) -> Finding:
    figures = (("granted", row.granted), *numbers.items())
    subject = row.label if row.quota.region is None else f"{row.label} in {row.quota.region}"
    return Finding(code, "quota", severity, subject, f"{row.label}: {message}", figures, PLATFORM, fix)


def _ask(case: Case, row: QuotaRow) -> str:
    if case.plan.quota_requests is None:
        return f"set headroom:quota.requests, so that `pulumi up` asks for {row.drawn:,}, or promise less"
    return f"`headroom quota pull -s {case.stack}`, then `pulumi up` asks for {row.drawn:,}"


def _grant(case: Case, row: QuotaRow) -> Iterator[Finding]:
    if row.granted is None:
        yield _unknown(case, row)
    elif row.limit is None:
        return
    elif row.promised > row.limit:
        message = (
            f"guarantees and headroom take {row.promised:,}, and {row.limit:,} are granted, "
            f"{row.promised - row.limit:,} too few"
        )
        numbers = {"promised": row.promised, "missing": row.promised - row.limit}
        code = "all-regions-gpu-limit" if row.quota.quota_id == ALL_GPUS else "promised-over-granted"
        hint = (
            f"{_ask(case, row)}; it counts the GPUs of every region"
            if code == "all-regions-gpu-limit"
            else ""
        )
        yield _finding(code, "error", row, message, hint or _ask(case, row), **numbers)
    elif row.drawn > row.limit:
        message = (
            f"the pools draw {row.drawn:,} at their peak, and {row.limit:,} are granted: what is promised "
            f"({row.promised:,}) fits, the rest does not"
        )
        code = "all-regions-gpu-limit" if row.quota.quota_id == ALL_GPUS else "drawn-over-granted"
        yield _finding(code, "warning", row, message, _ask(case, row), drawn=row.drawn)
    elif row.quota.quota_id != INSTANCES and row.limit - row.drawn > case.thresholds.surplus * row.limit:
        idle = row.limit - row.drawn
        message = (
            f"{row.limit:,} are granted, and the pools draw {row.drawn:,} at most: no pool can use {idle:,}"
        )
        fix = "raise a pool's max, or leave the rest to others: a quota that is granted costs nothing"
        yield _finding("granted-over-provisionable", "info", row, message, fix, drawn=row.drawn, idle=idle)


def _unknown(case: Case, row: QuotaRow) -> Finding:
    why = "the quotas could not be read"
    if isinstance(case.snapshot.grants, Known):
        why = f"{case.snapshot.grants.origin} does not have it"
    message = f"what is granted is not known, since {why}; the pools draw {row.drawn:,}"
    fix = f"headroom quota pull -s {case.stack}, or look for it in the console: unknown is not enough"
    return _finding("grant-unknown", "warning", row, message, fix, drawn=row.drawn)


def _request(row: QuotaRow) -> Iterator[Finding]:
    request = row.request
    if request is None:
        return
    state = judge_request(request.preferred, request.granted, reconciling=request.reconciling)
    numbers = {"asked": request.preferred, "given": request.granted}
    if state == "pending":
        message = f"{request.preferred:,} were asked for ({request.name}), and Google has not decided"
        fix = "answer Google's mail to the contact, or ask its support; until then count on what is granted"
        yield _finding("request-pending", "warning", row, message, fix, **numbers)
    elif state == "partly granted":
        message = f"{request.preferred:,} were asked for ({request.name}), and {request.granted:,} were given"
        fix = (
            "ask again with a better reason (headroom:quota.requests.justification), or lower what is planned"
        )
        enough = row.limit is None or row.drawn <= row.limit
        yield _finding(
            "request-partly-granted", "info" if enough else "warning", row, message, fix, **numbers
        )
    elif state == "unknown":
        message = (
            f"{request.preferred:,} were asked for ({request.name}), and Google does not say what it gave"
        )
        yield _finding(
            "request-unknown", "warning", row, message, "look at the request in the console", **numbers
        )


def _use(case: Case, row: QuotaRow) -> Iterator[Finding]:
    limit, peak = row.limit, row.peak
    if not limit or peak is None:
        return
    days, numbers = case.snapshot.window_days, {"used": row.used, "peak": peak}
    if row.used is not None and row.used > limit:
        message = (
            f"{row.used:,.0f} are in use, and {limit:,} are granted: the limit was lowered, or is another's"
        )
        fix = f"headroom quota pull -s {case.stack}; look whether both are of the same region and project"
        yield _finding("used-over-granted", "warning", row, message, fix, **numbers)
    elif peak >= limit:
        message = f"all {limit:,} were in use at some time in {days} days"
        yield _finding("quota-exhausted", "error", row, message, _ask(case, row), **numbers)
    elif peak >= case.thresholds.near_limit * limit:
        message = f"{peak:,.0f} of {limit:,} were in use at the peak of {days} days, {peak / limit:.0%}"
        yield _finding("quota-near-limit", "warning", row, message, _ask(case, row), **numbers)
    ahead = row.forecast
    if ahead and peak < limit and ahead.hours <= case.thresholds.forecast_hours:
        message = f"as use has risen for {days} days, all {limit:,} are in use {span(ahead.hours)}"
        yield _finding(
            "quota-runs-out", "error", row, message, _ask(case, row), hours=round(ahead.hours, 1), **numbers
        )


def _file(case: Case) -> Iterator[Finding]:
    grants, committed = case.snapshot.grants, case.snapshot.committed
    if committed is None:
        return
    file, pull = f"quotas/{case.stack}.json", f"headroom quota pull -s {case.stack}"
    if (age := _age(committed, case.snapshot.at)) is not None:
        yield Finding("grants-stale", "quota", "warning", file, f"{file}: {age}", (), PLATFORM, pull)
    if not isinstance(grants, Known) or grants.value is committed:
        return
    for row in case.ledger.quotas:
        held = find_grant(row.quota, committed.grants)
        if held is None or row.granted is None or held.value == row.granted:
            continue
        message = (
            f"{file} says {_limit(held.value)}, the cloud {_limit(row.granted)}: the plan is out of date"
        )
        fix = f"{pull}, and commit the file"
        yield _finding("grants-file-differs", "warning", row, message, fix, committed=held.value)


def _age(committed: Grants, now: datetime) -> str | None:
    if committed.pulled - now > _SKEW:
        return f"was pulled at {committed.pulled:%Y-%m-%d %H:%M} UTC, which is yet to come: a clock is wrong"
    return f"is {(now - committed.pulled).days} days old" if committed.is_stale(now) else None


def _limit(value: int) -> str:
    return "unlimited" if value == UNLIMITED else f"{value:,}"
