"""Every leaf of the stack files matters: a change of it changes the resources, or, for pipelines, the plan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.planning.plan import Plan, plan_config
from headroom.report.plan_json import describe_plan
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import load_config
from tests.mocks import Registered

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {stack: load_config(ROOT / f"Pulumi.{stack}.yaml") for stack in ("dev", "prod")}

# What pipelines are planned from, and what only advice is given from.
ABOUT_PIPELINES = ("headroom:pipelines", "headroom:baselines", "headroom:models", "headroom:prices")
ABOUT_GRANTS = ("headroom:quota",)
"""What changes resources only where a grant is short: tests/components/test_cloud_quotas.py."""

ABOUT_OWNERS = ("headroom:alerting",)
"""What names owners of pipelines: tests/components/test_alerting.py."""

ABOUT_DELIVERIES = ("headroom:delivery",)
"""What counts only with a delivered pipeline: tests/components/test_delivery.py."""

ELSEWHERE = ABOUT_PIPELINES + ABOUT_GRANTS + ABOUT_OWNERS + ABOUT_DELIVERIES
INFRASTRUCTURE = {
    stack: {key: value for key, value in config.items() if key not in ELSEWHERE}
    for stack, config in CONFIGS.items()
}

OTHERS: dict[str, list[Any]] = {
    "gcp:project": ["acme-ml-other"],
    "tier": ["development"],
    "machine": ["n2-standard-8", "g2-standard-96", "a3-megagpu-8g"],
    "capacity": ["spot", "on-demand"],
    "topology": ["2x4"],
    "protection": ["software"],
    "release_channel": ["stable"],
    "start": ["02:00"],
    "size": ["300Gi"],
    "type": ["pd-standard"],
    "upgrade": ["blue-green"],
    "driver": ["default"],
    "kind": ["validation", "training"],
    "model": ["other"],
    "owner": ["user:ada@acme.example"],
    "cost-center": ["research"],
    "placement": [None],
    "nodes": ["10.240.0.0/20"],
    "pods": ["10.96.0.0/14"],
    "services": ["10.242.0.0/20"],
    "control_plane": ["10.244.0.0/28"],
    "similar_to": ["feed-2024-training"],
    "preset": ["cautious", "standard", "fast"],
}

Leaf = tuple[str, ...]


def leaves(value: Any, path: Leaf = ()) -> list[Leaf]:
    """Paths of all values; what is told apart by a tag (capacity, upgrade) also counts as a whole."""
    if not isinstance(value, dict):
        return [path]
    found = [leaf for key, child in value.items() for leaf in leaves(child, (*path, key))]
    tagged = [path] if value.keys() & {"kind", "strategy"} and path[0] != "headroom:pipelines" else []
    return tagged + [leaf for leaf in found if leaf[-1] not in ("kind", "strategy") or not tagged]


def at(value: Any, path: Leaf) -> Any:
    for part in path:
        value = value[part]
    return value


def changed(value: Any, path: Leaf, new: Any) -> Any:
    return {**value, path[0]: changed(value[path[0]], path[1:], new)} if path else new


def candidates(path: Leaf, old: Any) -> list[Any]:
    if isinstance(old, int):
        return [old + step for step in (1, -1, 4, -4, 8, -8, 16, -16, 32, -32)]
    if isinstance(old, float):
        return [old * 1.5]
    if isinstance(old, list):
        return [old[:-1], [*old, "another"], [*old, "fri"]]
    if path[-1] in ("guarantee", "cap", "memory"):
        return [f"{int(old[:-2]) + 1}{old[-2:]}"]
    return [other for other in OTHERS[path[-1]] if other != old]


def plan_changed(config: dict[str, Any], stack: str, path: Leaf) -> Plan | None:
    """The plan with the leaf at `path` changed to the first other value that is accepted."""
    for candidate in candidates(path, at(config, path)):
        try:
            return plan_config(changed(config, path, candidate), stack, "f")
        except StackFileError:
            continue
    return None


def grouped(config_of: dict[str, Any]) -> dict[str, list[tuple[str, Leaf]]]:
    """Leaves of both stacks, those of all pools (and of all pipelines) under one name."""
    groups: dict[str, list[tuple[str, Leaf]]] = {}
    for stack, config in config_of.items():
        for path in leaves(config):
            collective = path[0] in ("headroom:pools", "headroom:pipelines")
            shown = (path[0], "*", *path[2:]) if collective else path
            groups.setdefault(".".join(shown), []).append((stack, path))
    return groups


GROUPS = grouped(INFRASTRUCTURE)
BEFORE: dict[str, Any] = {}


@pytest.mark.parametrize("name", [name for name in GROUPS if name != "gcp:region"])
def test_a_leaf_of_the_infrastructure_changes_the_resources(
    name: str, run_program: Callable[[Plan], list[Registered]]
) -> None:
    for stack, path in GROUPS[name]:
        plan = plan_changed(INFRASTRUCTURE[stack], stack, path)
        if plan is not None:
            if stack not in BEFORE:
                BEFORE[stack] = graph(run_program(plan_config(INFRASTRUCTURE[stack], stack, "f")))
            assert graph(run_program(plan)) != BEFORE[stack]
            return
    raise AssertionError(f"no other value is accepted at {name}")


def test_the_region_changes_the_resources(run_program: Callable[[Plan], list[Registered]]) -> None:
    def place(region: str) -> Plan:
        config = INFRASTRUCTURE["dev"] | {
            "gcp:region": region,
            "headroom:cluster": {"zones": [f"{region}-b"]},
            "headroom:pools": {"cpu": {"machine": "n2-standard-16", "nodes": {"max": 2}}},
        }
        return plan_config(config, "dev", "f")

    assert graph(run_program(place("us-east4"))) != graph(run_program(place("us-central1")))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_leaf_of_a_pipeline_changes_the_plan(stack: str) -> None:
    before = describe_plan(plan_config(CONFIGS[stack], stack, "f"))
    for path in leaves(CONFIGS[stack]["headroom:pipelines"], ("headroom:pipelines",)):
        demand = CONFIGS[stack]["headroom:pipelines"][path[1]].get("demand", {})
        if path[-2:] == ("demand", "pool") or (path[-1] == "kind" and "qps" in demand):
            continue  # What one pool can bear no other may; requests are answered by serving alone.
        plan = plan_changed(CONFIGS[stack], stack, path)
        assert plan is not None, path
        assert describe_plan(plan) != before, path


def graph(resources: list[Registered]) -> list[tuple[Any, ...]]:
    return [(r.type, r.name, r.inputs, r.options) for r in resources]
