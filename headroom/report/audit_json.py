"""An audit as JSON, in a form that keeps its version, and as CSV.

What is not known is null. Amounts of pools are thousandths of a core, bytes, or devices as pods ask for them;
amounts of cloud quotas are in the quotas' own units, and -1 is unlimited.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final

from headroom.audit.findings import Finding, Severity
from headroom.audit.forecast import METHOD, Forecast
from headroom.audit.history import Change
from headroom.audit.ledger import Holding, PoolRow, QuotaRow
from headroom.audit.report import Audit
from headroom.audit.series import Series
from headroom.planning.comparison import new_limits

VERSION: Final = 1
"""Raised when a field goes, or means something else; fields that are added leave it as it is."""

SCHEMA_FILE: Final = Path(__file__).parent / "audit.schema.json"

CSV_COLUMNS: Final = (
    "kind", "name", "resource", "owner", "granted", "provisioned", "promised", "guarantee", "cap", "used",
    "peak", "forecast_hours",
)  # fmt: skip


def render_audit(audit: Audit, fail_on: Severity = "warning") -> str:
    """Return the audit as JSON text, as audit.schema.json describes it."""
    return json.dumps(describe_audit(audit, fail_on), indent=2, allow_nan=False)


def describe_audit(audit: Audit, fail_on: Severity = "warning") -> dict[str, Any]:
    """Return the audit as plain data."""
    return {
        "version": VERSION,
        "stack": audit.stack,
        "project": audit.project,
        "region": audit.region,
        "at": _time(audit.at),
        "window_days": audit.window_days,
        "exit_code": audit.exit_code(fail_on),
        "forecast_method": METHOD,
        "sources": [
            {
                "name": each.name,
                "state": each.state,
                "origin": each.origin or None,
                "read_at": None if each.read_at is None else _time(each.read_at),
                "detail": each.detail or None,
                "remedy": each.remedy or None,
            }
            for each in audit.sources
        ],
        "findings": [_finding(each) for each in audit.findings],
        "quotas": [_quota(row) for row in audit.quotas],
        "pools": [_pool(row) for row in audit.pools],
        "proposals": _proposals(audit),
        "change": None if audit.change is None else _change(audit.change),
    }


def render_csv(audit: Audit) -> str:
    """Return a line for each quota, each resource of a pool, and each pipeline's part of either."""
    text = StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(_csv_rows(audit))
    return text.getvalue()


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "family": finding.family,
        "severity": finding.severity,
        "subject": finding.subject,
        "message": finding.message,
        "numbers": dict(finding.numbers),
        "owner": finding.owner,
        "fix": finding.fix,
    }


def _quota(row: QuotaRow) -> dict[str, Any]:
    return {
        "service": row.quota.service,
        "quota_id": row.quota.quota_id,
        "region": row.quota.region,
        "dimensions": dict(row.quota.dimensions),
        "granted": row.granted,
        "drawn": row.drawn,
        "promised": row.promised,
        "provisioned": row.provisioned,
        "used": row.used,
        "peak": row.peak,
        "forecast": _forecast(row.forecast),
        "request": None
        if row.request is None
        else {
            "name": row.request.name,
            "asked": row.request.preferred,
            "granted": row.request.granted,
            "reconciling": row.request.reconciling,
        },
        "pools": dict(row.pools),
        "pipelines": [
            {
                "name": each.name,
                "owner": each.owner or None,
                "guarantee": round(each.guarantee, 3),
                "cap": round(each.cap, 3),
                "used": None if each.used is None else round(each.used, 3),
            }
            for each in row.holdings
        ],
        "series": _series(row.series),
    }


def _pool(row: PoolRow) -> dict[str, Any]:
    return {
        "pool": row.pool,
        "resource": row.resource,
        "nodes": row.nodes,
        "max_nodes": row.max_nodes,
        "offered": row.share.offered,
        "capacity": row.share.capacity,
        "provisioned": row.provisioned,
        "guaranteed": row.share.guaranteed,
        "headroom": row.share.headroom,
        "promised": row.promised,
        "caps": row.caps,
        "used": row.used,
        "peak": row.peak,
        "forecast": _forecast(row.forecast),
        "pipelines": [_holding(each) for each in row.holdings],
        "series": _series(row.series),
    }


def _holding(holding: Holding) -> dict[str, Any]:
    return {
        "name": holding.name,
        "owner": holding.owner or None,
        "guarantee": holding.guarantee,
        "cap": holding.cap,
        "used": holding.used,
        "borrowed": holding.borrowed,
        "peak": holding.peak,
        "mean": holding.mean,
        "days": holding.days,
        "pending": holding.pending,
        "forecast": _forecast(holding.forecast),
    }


def _forecast(forecast: Forecast | None) -> dict[str, float] | None:
    if forecast is None:
        return None
    return {
        "limit": forecast.limit,
        "hours": round(forecast.hours, 2),
        "per_hour": round(forecast.per_hour, 6),
    }


def _series(series: Series | None) -> dict[str, Any] | None:
    if series is None:
        return None
    values = [None if value is None else round(value, 3) for value in series.values]
    return {"start": _time(series.start), "step_s": series.step_s, "values": values}


def _proposals(audit: Audit) -> list[dict[str, Any]]:
    changes = new_limits(audit.proposals)
    evidence = {
        each.pipeline: [line.detail for found in each.estimates for line in found.evidence]
        for each in audit.proposals
    }
    return [
        {
            "pipeline": name,
            "limits": {
                pool: {
                    resource: {"guarantee": guarantee, "cap": cap}
                    for resource, (guarantee, cap) in resources.items()
                }
                for pool, resources in pools.items()
            },
            "evidence": evidence[name],
        }
        for name, pools in changes.items()
    ]


def _change(change: Change) -> dict[str, Any]:
    return {
        "since": _time(change.since),
        "appeared": [{"code": code, "subject": subject} for code, subject in change.appeared],
        "gone": [{"code": code, "subject": subject} for code, subject in change.gone],
        "moves": [
            {"subject": each.subject, "figure": each.figure, "before": each.before, "after": each.after}
            for each in change.moves
        ],
    }


def _csv_rows(audit: Audit) -> Iterator[Mapping[str, Any]]:
    for row in audit.quotas:
        yield {
            "kind": "quota",
            "name": row.label,
            "resource": row.quota.region or "all regions",
            **_figures(row.granted, row.provisioned, row.promised, row.used, row.peak, row.forecast),
        }
        for part in row.holdings:
            yield {
                "kind": "quota part",
                "name": row.label,
                "resource": part.name,
                "owner": part.owner,
                "guarantee": round(part.guarantee, 3),
                "cap": round(part.cap, 3),
                "used": "" if part.used is None else round(part.used, 3),
            }
    for pool in audit.pools:
        yield {
            "kind": "pool",
            "name": pool.pool,
            "resource": pool.resource,
            **_figures(
                pool.share.capacity, pool.provisioned, pool.promised, pool.used, pool.peak, pool.forecast
            ),
        }
        for held in pool.holdings:
            yield {
                "kind": "pipeline",
                "name": f"{held.name}/{pool.pool}",
                "resource": pool.resource,
                "owner": held.owner,
                "guarantee": held.guarantee,
                "cap": held.cap,
                "used": _cell(held.used),
                "peak": _cell(held.peak),
                "forecast_hours": _hours(held.forecast),
            }


def _figures(
    granted: float | None,
    provisioned: float | None,
    promised: float,
    used: float | None,
    peak: float | None,
    forecast: Forecast | None,
) -> dict[str, Any]:
    return {
        "granted": _cell(granted),
        "provisioned": _cell(provisioned),
        "promised": promised,
        "used": _cell(used),
        "peak": _cell(peak),
        "forecast_hours": _hours(forecast),
    }


def _cell(amount: float | None) -> float | str:
    return "" if amount is None else amount


def _hours(forecast: Forecast | None) -> float | str:
    return "" if forecast is None else round(forecast.hours, 2)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
