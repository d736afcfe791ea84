"""The way of a release as a flowchart: staging, people, phases, region by region."""

from collections.abc import Iterable

from headroom.alerts.durations import format_duration
from headroom.delivery.names import name_people
from headroom.planning.rollouts import RolloutPlan


def render_diagram(rollout: RolloutPlan) -> str:
    """Return the way of a release as a Mermaid flowchart."""
    nodes = dict(_list_nodes(rollout))
    canaries = " & ".join(node for node in nodes if node.lstrip("r0123456789").startswith("p"))
    lines = [
        "flowchart TD",
        *(f"{node}{shape}" for node, shape in nodes.items()),
        'stopped["stopped: what runs is as it was"]',
        'back["rolled back to the release before"]',
        " --> ".join(nodes),
        "validated -. no .-> stopped",
        f"{canaries} -. an alert fires .-> back",
    ]
    return "\n    ".join(lines)


def _list_nodes(rollout: RolloutPlan) -> Iterable[tuple[str, str]]:
    yield "staging", f'["staging: {rollout.staging.namespace}"]'
    yield "validated", '{"good enough?"}'
    for number, region in enumerate(rollout.regions):
        prefix = f"r{number}" if number else ""
        where = f" of {region.place}" if number else ""
        if region.wait_seconds:
            yield f"{prefix}wait", f'(["{format_duration(region.wait_seconds)} later"])'
        yield from _list_region(region, prefix, where)


def _list_region(region: RolloutPlan, prefix: str, where: str) -> Iterable[tuple[str, str]]:
    people = region.approvals
    if people.begin:
        yield f"{prefix}begin", f'(["{name_people(people.begin)} approve"])'
    for phase in region.phases:
        watched = format_duration(phase.watch_seconds)
        yield (
            f"{prefix}p{phase.percent}",
            f'["{phase.percent} % of the users{where}, watched for {watched}"]',
        )
        if phase.hold:
            yield f"{prefix}h{phase.percent}", f'(["{name_people(people.increase)} let it go on"])'
    yield f"{prefix}stable", f'["all users{where}"]'
