"""The plan as tables, for people."""

from collections.abc import Iterable
from itertools import groupby, takewhile

from rich.console import Console

from headroom.planning.allocation import Share, describe_amount
from headroom.planning.grants import Grants, Standing, compare
from headroom.planning.node_pools import PoolPlan
from headroom.planning.operations import JobPlan
from headroom.planning.pipelines import LimitPlan, capacity, format_amount
from headroom.planning.plan import Plan
from headroom.report.cloud_quotas_table import print_requests
from headroom.report.delivery_table import print_deliveries
from headroom.report.quota_table import render_granted, render_standing
from headroom.report.tables import Column, make_console, print_table
from headroom.spec.pools import BlueGreen

_GIB = 2**30


def print_plan(plan: Plan, grants: Grants | None = None) -> None:
    """Print the plan, and how it stands against `grants`, to standard output.

    Coloured on a terminal only, as wide as it must be elsewhere.
    """
    console = make_console()
    tier = "production, protected" if plan.cluster.protected else "development"
    console.print(f"[bold]{plan.environment}[/bold]: {plan.project}, {plan.region}, {tier}\n")
    _print_pools(console, plan)
    _print_quota(console, plan, grants)
    print_requests(console, plan.quota_requests.requests if plan.quota_requests else ())
    _print_shares(console, plan)
    _print_pipelines(console, plan)
    print_deliveries(console, plan.delivery)
    _print_operations(console, plan)


def _print_pools(console: Console, plan: Plan) -> None:
    columns = (
        Column("pool"),
        Column("machine"),
        Column("accelerator", below=1),
        Column("capacity", below=2),
        Column("zones", below=3),
        Column("upgrade", below=4),
        *(Column(heading, right=True) for heading in ("nodes", "hosts", "cpu", "memory", "devices")),
    )
    rows = [_describe_pool(pool) for pool in plan.all_pools]
    print_table(console, "Pools: what pods can ask for when each is at its maximum", columns, rows)
    console.print()


def _describe_pool(pool: PoolPlan) -> tuple[str, ...]:
    amounts = capacity(pool)
    return (
        pool.name,
        pool.machine.name,
        _accelerator(pool),
        pool.capacity,
        _zones(pool),
        _upgrade(pool),
        f"{pool.min_nodes}-{pool.max_nodes}",
        _hosts(pool),
        str(amounts["cpu"] // 1000),
        f"{amounts['memory'] // _GIB}Gi",
        str(amounts.get("gpus", amounts.get("chips", ""))),
    )


def _accelerator(pool: PoolPlan) -> str:
    if pool.accelerator is None:
        return ""
    text = f"{pool.accelerator.name} x{pool.physical_devices}"
    if pool.devices_per_node != pool.physical_devices:
        text += f" as {pool.devices_per_node}"
    if pool.placement and pool.placement.topology:
        text += f", {pool.placement.topology}"
    return text


def _zones(pool: PoolPlan) -> str:
    zones = list(dict.fromkeys(zone for node_pool in pool.node_pools for zone in node_pool.zones))
    region = zones[0].rsplit("-", 1)[0]
    return f"{region}-{','.join(zone.rsplit('-', 1)[1] for zone in zones)}"


def _upgrade(pool: PoolPlan) -> str:
    if pool.upgrade is None:
        return "as they come and go" if pool.hosts_per_slice == 1 else "by slice"
    if isinstance(pool.upgrade, BlueGreen):
        return f"blue-green, {pool.peak_nodes} at once"
    return f"surge {pool.upgrade.max_surge}, {pool.upgrade.max_unavailable} away"


def _hosts(pool: PoolPlan) -> str:
    return f"{len(pool.node_pools)} x {pool.hosts_per_slice}" if pool.hosts_per_slice > 1 else ""


def _print_quota(console: Console, plan: Plan, grants: Grants | None) -> None:
    columns = (
        Column("quota"),
        Column("where", below=2),
        Column("dimensions", below=1),
        Column("pools", below=3),
        *(Column(heading, right=True) for heading in ("drawn", "granted", "standing")),
    )
    rows = [_describe_standing(standing, plan) for standing in compare(plan.quota, grants)]
    print_table(console, "Quota drawn from Google Cloud at most, upgrades and disks included", columns, rows)
    console.print()


def _describe_standing(standing: Standing, plan: Plan) -> tuple[str, ...]:
    total = standing.draw
    pools = [f"{draw.pool} {draw.amount:,}" for draw in plan.pool_quota if draw.quota == total.quota]
    return (
        total.quota.quota_id,
        total.quota.region or "all regions",
        ", ".join(f"{key}={value}" for key, value in total.quota.dimensions if key != "region"),
        ", ".join(pools),
        f"{total.amount:,}",
        render_granted(standing),
        render_standing(standing),
    )


def _print_shares(console: Console, plan: Plan) -> None:
    columns = (
        Column("pool"),
        Column("resource"),
        *(Column(heading, right=True) for heading in ("capacity", "headroom", "guaranteed", "shared")),
    )
    rows = []
    for pool, group in groupby(plan.shares, key=lambda share: share.pool):
        for number, share in enumerate(group):
            rows.append((pool if number == 0 else "", share.resource, *_describe_share(share)))
    title = "Shares: what stays free for experiments, what is promised, what is shared"
    print_table(console, title, columns, rows)
    console.print()


def _describe_share(share: Share) -> tuple[str, ...]:
    amounts = [
        describe_amount(share.resource, amount)
        for amount in (share.capacity, share.headroom, share.guaranteed, max(0, share.shared))
    ]
    if share.capacity < share.offered:
        amounts[0] = f"[yellow]{amounts[0]} of {describe_amount(share.resource, share.offered)}[/yellow]"
    if share.shared < 0:
        amounts[3] = f"[bold red]short by {describe_amount(share.resource, -share.shared)}[/bold red]"
    return tuple(amounts)


def _print_pipelines(console: Console, plan: Plan) -> None:
    columns = (
        Column("pipeline"),
        Column("kind", below=2),
        Column("model", below=1),
        Column("owner", below=3),
        Column("pool"),
        Column("resource"),
        Column("guarantee", right=True),
        Column("cap", right=True),
    )
    rows = []
    for pipeline in plan.pipelines:
        for number, limit in enumerate(pipeline.limits):
            kind = ", ".join((pipeline.kind, *([] if pipeline.admission == "open" else [pipeline.admission])))
            who = (pipeline.name, kind, pipeline.model, pipeline.owner) if number == 0 else ("",) * 4
            rows.append((*who, limit.pool, limit.resource, *_amounts(limit)))
    dim = " (dim: the share of the host)" if console.is_terminal else ""
    title = f"Pipelines: what is always theirs, and the most that they may use{dim}"
    print_table(console, title, columns, rows)
    console.print()


def _amounts(limit: LimitPlan) -> tuple[str, str]:
    guarantee, cap = (_shown(limit, amount) for amount in (limit.guarantee, limit.cap))
    return (f"[dim]{guarantee}[/dim]", f"[dim]{cap}[/dim]") if limit.derived else (guarantee, cap)


def _shown(limit: LimitPlan, amount: int) -> str:
    if limit.derived:
        return f"{amount // _GIB}Gi" if limit.resource == "memory" else str(amount // 1000)
    return format_amount(limit.resource, amount)


def _print_operations(console: Console, plan: Plan) -> None:
    if plan.operations is None:
        return
    columns = [Column(heading) for heading in ("job", "when, in UTC", "does", "roles in the project")]
    rows = [
        (job.name, job.schedule, " ".join(("headroom", *_verb(job))), ", ".join(job.roles))
        for job in plan.operations.jobs
    ]
    print_table(console, "The platform's own jobs", columns, rows)
    console.print(f"image: {plan.operations.image}", highlight=False, soft_wrap=True)
    if plan.operations.reports:
        console.print(f"reports are kept for {plan.operations.reports.keep_days} days", highlight=False)
    console.print()


def _verb(job: JobPlan) -> Iterable[str]:
    return takewhile(lambda word: not word.startswith("-"), job.arguments)
