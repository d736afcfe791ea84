"""Q2: what pools draw from Google Cloud's quotas: physical devices, upgrades, disks and the system pool."""

from collections.abc import Callable
from typing import Any

from headroom.planning.plan import Plan
from tests.planning.conftest import Planner

A = ["us-central1-a"]
L4 = {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 4}}


def drawn(plan: Plan, pool: str = "p") -> dict[str, int]:
    return {draw.quota.quota_id: draw.amount for draw in plan.pool_quota if draw.pool == pool}


def plan(config: dict[str, Any], plan_whole: Callable[[], Plan], **pool: Any) -> Plan:
    config["headroom:pools"] = {"p": pool}
    return plan_whole()


def test_surge_draws_beside_the_maximum(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> None:
    surge = {"strategy": "surge", "max_surge": 2}
    found = drawn(plan(config, plan_whole, **L4, upgrade=surge))
    assert found["NVIDIA-L4-GPUS-per-project-region"] == (4 + 2) * 4
    assert found["GPUS-ALL-REGIONS-per-project"] == (4 + 2) * 4
    assert found["SSD-TOTAL-GB-per-project-region"] == (4 + 2) * 100
    assert found["INSTANCES-per-project-region"] == 4 + 2


def test_blue_green_draws_twice(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> None:
    found = drawn(plan(config, plan_whole, **L4, upgrade="blue-green"))
    assert found["NVIDIA-L4-GPUS-per-project-region"] == 2 * 4 * 4


def test_the_cloud_counts_physical_gpus_however_they_are_shared(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    sharing = {"sharing": {"strategy": "mps", "clients": 8}}
    shared = drawn(plan(config, plan_whole, **L4, gpu=sharing))
    assert shared["NVIDIA-L4-GPUS-per-project-region"] == 4 * 4


def test_parts_of_a_gpu_are_added_up_before_they_are_rounded(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    """Nine nodes with an eighth of a GPU each: two GPUs, not nine."""
    pool = {"machine": "g4-standard-6", "zones": ["us-central1-b"], "nodes": {"max": 9}}
    found = drawn(plan(config, plan_whole, **pool))
    assert found["GPUS-PER-GPU-FAMILY-per-project-region"] == 2


def test_every_slice_draws_all_its_chips(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> None:
    pool = {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"max": 3}}
    assert drawn(plan(config, plan_whole, **pool))["TPU-LITE-PODSLICE-V5-per-project-region"] == 48


def test_a_reservation_draws_disks_only(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> None:
    pool = {"machine": "a3-highgpu-8g", "zones": A, "nodes": {"max": 2}}
    found = drawn(plan(config, plan_whole, **pool, capacity={"kind": "reservation", "names": ["r"]}))
    assert found == {"SSD-TOTAL-GB-per-project-region": 200}


def test_the_system_pool_is_counted(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> None:
    found = drawn(plan(config, plan_whole, **L4), "system")
    assert found["CPUS-per-project-region"] == (6 + 1) * 4


def test_the_sum_is_the_sum_of_the_pools(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> None:
    whole = plan(config, plan_whole, **L4)
    for total in whole.quota:
        parts = [draw.amount for draw in whole.pool_quota if draw.quota == total.quota]
        assert total.amount == sum(parts)


def test_a_pool_at_its_maximum_over_zones_draws_its_total(plan_one: Planner) -> None:
    zones = ["us-central1-a", "us-central1-b", "us-central1-c"]
    assert plan_one(machine="g2-standard-48", zones=zones, nodes={"max": 4}).peak_nodes == 4
