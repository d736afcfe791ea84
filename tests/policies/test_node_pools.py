"""What is read back from node pools is what they were planned to be, whatever they are made of."""

from typing import Any

import pytest

from headroom.planning.plan import Plan, plan_config
from headroom.planning.quota import plan_pool_quota
from headroom.spec.stack_file import load_config
from policies.model import Records, build_model
from policies.node_pools import read_pools
from policies.pool_rules import POOL_RULES
from policies.resources import Resource, from_registration
from policies.settings import Settings
from policies.shares import draw_quota, read_sharing
from tests.components.test_node_pools import POOLS
from tests.conftest import MINIMAL
from tests.mocks import record
from tests.policies.scenes import ROOT, open_scene


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A plan with a pool of every kind."""
    return plan_config(MINIMAL | {"headroom:pools": POOLS}, "test", "f")


@pytest.fixture(scope="module")
def resources(plan: Plan) -> list[Resource]:
    async def main() -> None:
        from infra.stack import build

        await build(plan).registered()

    return [from_registration("test", each.type, each.name, each.inputs) for each in record("test", main)]


@pytest.mark.slow
def test_every_kind_of_pool_is_read_back_as_it_was_planned(plan: Plan, resources: list[Resource]) -> None:
    """Q1, Q2: nodes, devices and quota are the same by the program's resources as by its plan."""
    model = build_model(resources, Records(), Settings())
    read = {pool.label: pool for pool in model.pools}
    for planned in plan.pools:
        found = read[planned.name].plan
        assert found is not None, read[planned.name].reasons
        assert found.max_nodes == planned.max_nodes
        assert found.devices_per_node == planned.devices_per_node
        assert found.devices_per_unit == planned.devices_per_unit
        assert plan_pool_quota(found, plan.region) == plan_pool_quota(planned, plan.region)
    assert draw_quota(model) == plan.quota
    assert read_sharing(model, Settings()).shares == plan.shares
    assert [pool.label for pool in model.pools if pool.is_system] == ["system"]
    (rule,) = (rule for rule in POOL_RULES if rule.name == "nodes-are-in-queues")
    assert rule.check_stack(model, Settings()) == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_stacks_of_the_project_are_read_back_as_they_were_planned(stack: str) -> None:
    path = ROOT / f"Pulumi.{stack}.yaml"
    scene = open_scene(stack)
    planned = plan_config(load_config(path), stack, path.name, scene.records.grants)
    model = scene.model()
    assert draw_quota(model) == planned.quota
    assert read_sharing(model, scene.settings).shares == planned.shares


def node_pool(**changes: Any) -> Resource:
    config = {"machineType": "g2-standard-48", "labels": {"headroom/pool": "l4"}}
    config["guestAccelerators"] = [{"type": "nvidia-l4", "count": 4.0}]
    inputs: dict[str, Any] = {
        "nodeConfig": config | changes.pop("node", {}),
        "autoscaling": {"totalMaxNodeCount": 4.0},
    }
    return from_registration("dev", "gcp:container/nodePool:NodePool", "dev-pool-l4", inputs | changes)


def read_one(resource: Resource, zones: tuple[str, ...] = ("us-central1-a",)) -> Any:
    (pool,) = read_pools([resource], zones, Settings().system_pods)
    return pool


@pytest.mark.parametrize(
    ("changes", "zones", "nodes"),
    [
        ({}, 3, 4),
        ({"autoscaling": {"maxNodeCount": 2.0}}, 3, 6),
        ({"autoscaling": None, "nodeCount": 2.0}, 3, 6),
        ({"autoscaling": None, "nodeCount": 0.0}, 3, 0),
        ({"autoscaling": {"maxNodeCount": 2.0}, "nodeLocations": ["us-central1-a"]}, 3, 2),
    ],
)
def test_counts_are_totals_or_for_each_zone(changes: dict[str, Any], zones: int, nodes: int) -> None:
    names = tuple(f"us-central1-{letter}" for letter in "abc"[:zones])
    assert read_one(node_pool(**changes), names).plan.max_nodes == nodes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"autoscaling": None}, "has no limit"),
        ({"node": {"machineType": "g9-standard-1"}}, "that the catalog does not know, g9-standard-1"),
        (
            {
                "node": {
                    "guestAccelerators": [{"type": "nvidia-x1", "count": 1.0}],
                    "machineType": "n1-standard-8",
                }
            },
            "GPUs of a type that the catalog does not know, nvidia-x1",
        ),
        (
            {
                "node": {
                    "guestAccelerators": [{"type": "nvidia-l4", "count": 4.0, "gpuPartitionSize": "1g.5gb"}]
                }
            },
            "GPUs that cannot be cut like that",
        ),
        ({"node": {"diskType": "pd-imaginary"}}, "a boot disk whose quota is not known"),
        ({"placementPolicy": {"tpuTopology": "4x"}}, "a TPU topology that cannot be"),
    ],
)
def test_a_pool_that_cannot_be_counted_says_why(changes: dict[str, Any], reason: str) -> None:
    pool = read_one(node_pool(**changes))
    assert pool.plan is None
    assert reason in pool.reasons[0][1]


def test_a_pool_in_no_zone_cannot_be_counted() -> None:
    assert "names no nodeLocations" in read_one(node_pool(), ()).reasons[0][1]
