"""Deliveries, for people and jobs: phases, who is asked, how long a good release takes, what is at risk."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.console import Console

from headroom.alerts.durations import format_duration
from headroom.planning.delivery import DeliveryPlan, FreezePlan
from headroom.planning.rollouts import PhasePlan, RolloutPlan, least_watch_seconds
from headroom.report.tables import Column, print_table


def print_deliveries(console: Console, plan: DeliveryPlan | None) -> None:
    """Print how each delivered model reaches its users; nothing where none is delivered."""
    if plan is None:
        return
    columns = (
        Column("pipeline"),
        Column("preset", below=2),
        Column("where"),
        Column("users", right=True),
        Column("watched", right=True),
        Column("then"),
        Column("at risk", right=True),
    )
    rows = [row for rollout in plan.rollouts for row in _describe_rollout(rollout)]
    print_table(console, "Deliveries: a bad model is rolled back by itself", columns, rows)
    console.print(
        "at risk: requests of the busy hour that a bad model gets before it is certainly seen",
        highlight=False,
    )
    for rollout in plan.rollouts:
        for region in rollout.regions:
            console.print(_summarize(region), highlight=False)
    for freeze in plan.freezes:
        console.print(f"frozen {_describe_freeze(freeze)} ({freeze.name})", highlight=False)
    console.print()


def describe_delivery(plan: DeliveryPlan | None) -> dict[str, Any] | None:
    """Return the deliveries as plain data; None where no model is delivered."""
    if plan is None:
        return None
    described = asdict(plan)
    for rollout, row in zip(plan.rollouts, described["rollouts"], strict=True):
        row |= {
            "watch_seconds": rollout.watch_seconds,
            "peak_replicas": rollout.peak_replicas,
            "least_watch_seconds": least_watch_seconds(rollout.gates),
        }
    for row in described["freezes"]:
        row |= {side: row[side].isoformat() if row[side] else None for side in ("start", "end")}
    return described


def _describe_rollout(rollout: RolloutPlan) -> Iterable[tuple[str, ...]]:
    validated = f"<= {format_duration(rollout.validation.timeout_seconds)}"
    then = "a person approves" if rollout.production.approval else "goes on"
    where = f"staging in {rollout.staging.site.stack}" if rollout.place_suffix else "staging"
    yield (rollout.pipeline, rollout.preset or "own", where, "0 %", validated, then, "")
    for region in rollout.regions:
        where = f"canary in {region.place}" if region.place_suffix else "canary"
        for number, phase in enumerate(region.phases):
            is_last = number == len(region.phases) - 1
            yield ("", "", where, f"{phase.percent} %", *_describe_phase(phase, is_last=is_last))


def _describe_phase(phase: PhasePlan, *, is_last: bool) -> tuple[str, str, str]:
    on = "all users" if is_last else "goes on"
    then = (
        f"a person increases, {on}" if phase.hold and is_last else "a person increases" if phase.hold else on
    )
    return format_duration(phase.watch_seconds), then, f"{phase.requests_at_risk:,.0f}"


def _summarize(rollout: RolloutPlan) -> str:
    people = rollout.approvals
    asked = f"begun by {_name(people.begin)}" if people.begin else "begun without asking"
    if rollout.wait_seconds:
        asked += f" {format_duration(rollout.wait_seconds)} after the region before"
    if any(phase.hold for phase in rollout.phases):
        asked += f", increased by {_name(people.increase)}"
    where = f" in {rollout.place}" if rollout.place_suffix else ""
    return (
        f"{rollout.pipeline}{where}: {asked}, a good release is watched for "
        f"{format_duration(rollout.watch_seconds)}, {rollout.peak_replicas} replicas at most, below "
        f"{rollout.least_qps:.3g} queries/s the first phase is starved and rolled back"
    )


def _name(members: Iterable[str]) -> str:
    return " or ".join(member.partition(":")[2] for member in members)


def _describe_freeze(freeze: FreezePlan) -> str:
    if freeze.start and freeze.end:
        return f"from {freeze.start:%Y-%m-%d %H:%M} to {freeze.end:%Y-%m-%d %H:%M} UTC"
    days = ", ".join(day.capitalize()[:3] for day in freeze.days)
    hours = f"{freeze.from_minute // 60:02}:{freeze.from_minute % 60:02} to "
    return f"{days} {hours}{freeze.to_minute // 60:02}:{freeze.to_minute % 60:02} {freeze.time_zone}"
