"""Requests for quota as people and jobs read them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headroom.planning.cloud_quotas import CloudQuotasPlan, QuotaRequest, judge_request
from headroom.planning.grants import UNLIMITED, Preference

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    "to be asked": "cyan",
    "pending": "yellow",
    "partly granted": "bold red",
    "granted": "green",
    "unknown": "yellow",
}


def list_request_warnings(plan: CloudQuotasPlan | None, stack: str) -> list[str]:
    """Return what keeps requests from being made: for what is not known, nothing is asked."""
    if plan is None:
        return []
    if not plan.preferences_known:
        return [
            f"quotas/{stack}.json does not say which requests the project has, so no quota is asked for; run "
            f"headroom quota pull -s {stack}"
        ]
    if plan.unknown:
        names = ", ".join(dict.fromkeys(line.quota_id for line in plan.unknown))
        return [f"no quota is asked for where the grant is not known: {names}"]
    return []


def describe_requests(plan: CloudQuotasPlan | None) -> dict[str, Any] | None:
    """Return the requests as plain data; None where the stack asks for nothing. -1 is unlimited."""
    if plan is None:
        return None
    return {
        "contact": plan.contact,
        "justification": plan.justification,
        "preferences_known": plan.preferences_known,
        "requests": [
            {
                "name": request.name,
                "service": request.quota.service,
                "quota_id": request.quota.quota_id,
                "region": request.quota.region,
                "dimensions": dict(request.quota.dimensions),
                "drawn": request.drawn,
                "held": request.held,
                "preferred": request.preferred,
                "granted": request.granted,
                "state": request.state,
            }
            for request in plan.requests
        ],
        "not_asked": [line.quota_id for line in plan.unknown],
    }


def print_requests(console: "Console", requests: Iterable[QuotaRequest]) -> None:
    """Print what a plan asks for, and how Google has answered; nothing where it asks for nothing."""
    from headroom.report.tables import Column, print_table

    columns = (
        Column("quota"),
        Column("where", below=2),
        Column("dimensions", below=1),
        *(Column(heading, right=True) for heading in ("drawn", "limit", "asked", "granted")),
        Column("state"),
    )
    rows = [
        (
            request.quota.quota_id,
            request.quota.region or "all regions",
            _pairs(request.quota.dimensions),
            f"{request.drawn:,}",
            _amount(request.held),
            _amount(request.preferred),
            _amount(request.granted) if request.exists else "",
            _state(request.state),
        )
        for request in requests
    ]
    if rows:
        print_table(console, "Quota asked of Google Cloud", columns, rows)
        console.print()


def print_preferences(console: "Console", preferences: Iterable[Preference]) -> None:
    """Print the requests that a project has, and how Google has answered; nothing where there is none."""
    from rich.markup import escape

    from headroom.report.tables import Column, print_table

    columns = (
        Column("request", below=1),
        Column("quota"),
        Column("where", below=2),
        Column("dimensions", below=3),
        *(Column(heading, right=True) for heading in ("asked", "granted")),
        Column("state"),
    )
    rows = [
        (
            escape(each.name),
            each.quota_id,
            each.region or "all regions",
            _pairs(each.dimensions),
            _amount(each.preferred),
            _amount(each.granted),
            _state(judge_request(each.preferred, each.granted, reconciling=each.reconciling)),
        )
        for each in preferences
    ]
    if rows:
        print_table(console, "Requests that the project has, whoever made them", columns, rows)


def _pairs(dimensions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{key}={value}" for key, value in dimensions)


def _amount(amount: int | None) -> str:
    if amount is None:
        return "?"
    return "unlimited" if amount == UNLIMITED else f"{amount:,}"


def _state(state: str) -> str:
    return f"[{_STYLES[state]}]{state}[/{_STYLES[state]}]"
