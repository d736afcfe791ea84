"""The plan as tables, for people."""

from rich.table import Table

from headroom.planning.grants import Grants, compare
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import LimitPlan, capacity, format_amount
from headroom.planning.plan import Plan
from headroom.report.quota_table import render_granted, render_standing
from headroom.report.tables import make_console, make_table
from headroom.spec.pools import BlueGreen
from headroom.spec.quantities import format_cpu

_GIB = 2**30


def print_plan(plan: Plan, grants: Grants | None = None) -> None:
    """Print the plan, and how it stands against `grants`, to standard output.

    Coloured on a terminal only, as wide as it must be elsewhere.
    """
    console = make_console()
    tier = "production, protected" if plan.cluster.protected else "development"
    console.print(f"[bold]{plan.environment}[/bold]: {plan.project}, {plan.region}, {tier}\n")
    for table in (_pool_table(plan), _quota_table(plan, grants), _pipeline_table(plan)):
        console.print(table)
        console.print()


def _pool_table(plan: Plan) -> Table:
    table = make_table(
        "Pools: what pods can ask for when each is at its maximum",
        ("pool", "machine", "accelerator", "capacity", "zones", "upgrade"),
        ("nodes", "hosts", "cpu", "memory", "devices"),
        wrapped=("zones",),
    )
    for pool in plan.all_pools:
        amounts = capacity(pool)
        table.add_row(
            pool.name,
            pool.machine.name,
            _accelerator(pool),
            pool.capacity,
            _zones(pool),
            _upgrade(pool),
            f"{pool.min_nodes}-{pool.max_nodes}",
            _hosts(pool),
            format_cpu(amounts["cpu"] // 1000 * 1000),
            f"{amounts['memory'] // _GIB}Gi",
            str(amounts.get("gpus", amounts.get("chips", ""))),
        )
    return table


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


def _quota_table(plan: Plan, grants: Grants | None) -> Table:
    table = make_table(
        "Quota drawn from Google Cloud at most, upgrades and disks included",
        ("quota", "where", "dimensions", "pools"),
        ("drawn", "granted", "standing"),
    )
    for standing in compare(plan.quota, grants):
        total = standing.draw
        pools = [f"{draw.pool} {draw.amount:,}" for draw in plan.pool_quota if draw.quota == total.quota]
        table.add_row(
            total.quota.quota_id,
            total.quota.region or "all regions",
            ", ".join(f"{key}={value}" for key, value in total.quota.dimensions if key != "region"),
            ", ".join(pools),
            f"{total.amount:,}",
            render_granted(standing),
            render_standing(standing),
        )
    return table


def _pipeline_table(plan: Plan) -> Table:
    table = make_table(
        "Pipelines: what is always theirs, and the most that they may use (dim: the share of the host)",
        ("pipeline", "kind", "model", "owner", "pool", "resource"),
        ("guarantee", "cap"),
    )
    for pipeline in plan.pipelines:
        for number, limit in enumerate(pipeline.limits):
            who = (pipeline.name, pipeline.kind, pipeline.model, pipeline.owner) if number == 0 else ("",) * 4
            table.add_row(*who, limit.pool, limit.resource, *_amounts(limit))
    return table


def _amounts(limit: LimitPlan) -> tuple[str, str]:
    guarantee, cap = (_shown(limit, amount) for amount in (limit.guarantee, limit.cap))
    return (f"[dim]{guarantee}[/dim]", f"[dim]{cap}[/dim]") if limit.derived else (guarantee, cap)


def _shown(limit: LimitPlan, amount: int) -> str:
    if limit.derived:
        return f"{amount // _GIB}Gi" if limit.resource == "memory" else str(amount // 1000)
    return format_amount(limit.resource, amount)
