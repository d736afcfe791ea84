"""Quotas and grants as people read them."""

from collections.abc import Iterable
from datetime import datetime

from headroom.planning.grants import UNLIMITED, Grants, Standing

_STYLES = {"enough": "green", "short": "bold red", "unknown": "yellow"}


def render_granted(standing: Standing) -> str:
    """Return what is granted: a number, `unlimited`, or `?` where nobody knows."""
    if standing.granted is None:
        return "?"
    return "unlimited" if standing.granted == UNLIMITED else f"{standing.granted:,}"


def render_standing(standing: Standing) -> str:
    """Return the standing with rich's colours: `enough, 12 left`, `short by 8` or `unknown`."""
    style = _STYLES[standing.state]
    return f"[{style}]{describe_standing(standing)}[/{style}]"


def describe_standing(standing: Standing) -> str:
    """Return the standing as plain text."""
    if standing.state == "short":
        return f"short by {standing.short_by:,}"
    return f"enough, {standing.left:,} left" if standing.left is not None else standing.state


def list_shortages(standings: Iterable[Standing]) -> list[str]:
    """Return a line for each quota that is short."""
    return [
        f"{name_quota(standing)}: {standing.draw.amount:,} drawn, {render_granted(standing)} granted, "
        f"{describe_standing(standing)}"
        for standing in standings
        if standing.state == "short"
    ]


def list_warnings(
    standings: Iterable[Standing], grants: Grants | None, stack: str, now: datetime
) -> list[str]:
    """Return what keeps the comparison from being certain: no grants, old ones, quotas without one."""
    pull = f"headroom quota pull -s {stack}"
    if grants is None:
        return [f"no quotas/{stack}.json: run {pull}; until then every standing is unknown"]
    warnings = []
    if grants.is_stale(now):
        days = (now - grants.pulled).days
        warnings.append(f"quotas/{stack}.json is {days} days old: run {pull}")
    unknown = [name_quota(standing) for standing in standings if standing.state == "unknown"]
    if unknown:
        warnings.append(
            f"quotas/{stack}.json has no grant for {', '.join(unknown)}: unknown, which is not enough; "
            f"run {pull}, or look for it in the console"
        )
    return warnings


def name_quota(standing: Standing) -> str:
    """Return a quota's id with the dimensions that tell it from others of that id."""
    line = standing.draw.quota
    dimensions = ", ".join(f"{key}={value}" for key, value in line.dimensions)
    return f"{line.quota_id} ({dimensions})" if dimensions else line.quota_id


def print_grants(grants: Grants, stack: str) -> None:
    """Print what is granted to a stack's project to standard output."""
    from headroom.report.tables import Column, make_console, print_table

    console = make_console()
    columns = (
        Column("quota"),
        Column("where", below=2),
        Column("dimensions", below=1),
        Column("granted", right=True),
    )
    rows = [
        (
            grant.quota_id,
            grant.region or "all regions",
            ", ".join(f"{key}={value}" for key, value in grant.dimensions),
            "unlimited" if grant.value == UNLIMITED else f"{grant.value:,}",
        )
        for grant in grants.grants
    ]
    console.print(f"[bold]{stack}[/bold]: {grants.project}, pulled {grants.pulled:%Y-%m-%d %H:%M} UTC\n")
    print_table(console, "", columns, rows)
