"""What the engine is asked for, for every kind of pool: kinds that neither stack file has are here."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.plan import Plan, plan_config
from tests.conftest import MINIMAL
from tests.mocks import Registered

A = ["us-central1-a"]
POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"machine": "n2-standard-16", "nodes": {"max": 4}},
    "queued": {"machine": "a3-highgpu-8g", "zones": A, "nodes": {"max": 2}, "capacity": "queued"},
    "flex": {"machine": "a3-highgpu-8g", "zones": A, "nodes": {"max": 2}, "capacity": "flex-start"},
    "spot": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 2}, "capacity": "spot"},
    "shared": {
        "machine": "a3-highgpu-8g", "zones": A, "nodes": {"max": 2},
        "capacity": {"kind": "reservation", "names": ["one", "two"], "project": "acme-shared"},
    },
    "mig": {
        "machine": "a2-ultragpu-1g", "zones": A, "nodes": {"max": 1},
        "gpu": {"partition": "1g.10gb", "sharing": {"strategy": "time-sharing", "clients": 3}},
    },
    "t4": {
        "machine": "n1-standard-8", "zones": A, "nodes": {"max": 1}, "local_ssd": 2,
        "gpu": {"type": "nvidia-tesla-t4", "count": 2, "driver": "disabled", "sharing": {"strategy": "mps", "clients": 2}},
    },
    "v5e": {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"min": 1, "max": 2}},
    "tpu7x": {"machine": "tpu7x-standard-4t", "zones": ["us-central1-c"], "topology": "2x2x4", "slices": {"max": 1}},
    "close": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 2}, "placement": "compact"},
}  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> Plan:
    pipeline = {
        "kind": "serving", "model": "m", "owner": "user:a@b.co",
        "limits": {"close": {"gpus": {"guarantee": 1, "cap": 2}}},
    }  # fmt: skip
    config = MINIMAL | {"headroom:pools": POOLS, "headroom:pipelines": {"s": pipeline}}
    return plan_config(config, "test", "f")


@pytest.fixture
def pools(plan: Plan, run_program: Callable[[Plan], list[Registered]]) -> dict[str, Registered]:
    return {
        each.name.removeprefix("test-pool-"): each
        for each in run_program(plan)
        if each.type.endswith(":NodePool")
    }


def node(pools: dict[str, Registered], name: str) -> dict[str, Any]:
    return pools[name].inputs["nodeConfig"]


def test_the_system_pool_comes_before_all_others(pools: dict[str, Registered]) -> None:
    assert set(pools) == {*POOLS, "system", "v5e-0", "v5e-1", "tpu7x-0"} - {"v5e", "tpu7x"}
    for name, pool in pools.items():
        assert ("test-pool-system" in pool.options["depends_on"]) is (name != "system")


def test_what_comes_and_goes_takes_no_reservation(pools: dict[str, Registered]) -> None:
    for name in ("queued", "flex"):
        assert node(pools, name)["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert pools["queued"].inputs["queuedProvisioning"] == {"enabled": True}
    assert "maxRunDuration" not in node(pools, "queued")
    assert node(pools, "flex")["flexStart"] is True
    assert node(pools, "flex")["maxRunDuration"] == "604800s"
    assert pools["flex"].inputs["management"]["autoRepair"] is False
    assert node(pools, "spot")["spot"] is True
    assert "reservationAffinity" not in node(pools, "cpu")


def test_reservations_of_another_project_carry_its_path(pools: dict[str, Registered]) -> None:
    assert node(pools, "shared")["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["projects/acme-shared/reservations/one", "projects/acme-shared/reservations/two"],
    }


def test_shared_gpus_say_how_and_leave_room_for_the_pods(pools: dict[str, Registered]) -> None:
    (mig,) = node(pools, "mig")["guestAccelerators"]
    assert mig["gpuPartitionSize"] == "1g.10gb"
    assert mig["gpuSharingConfig"] == {"gpuSharingStrategy": "TIME_SHARING", "maxSharedClientsPerGpu": 3}
    (t4,) = node(pools, "t4")["guestAccelerators"]
    assert (t4["type"], t4["count"]) == ("nvidia-tesla-t4", 2)
    assert t4["gpuSharingConfig"]["gpuSharingStrategy"] == "MPS"
    assert t4["gpuDriverInstallationConfig"] == {"gpuDriverVersion": "INSTALLATION_DISABLED"}
    assert node(pools, "t4")["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 2}
    assert pools["mig"].inputs["maxPodsPerNode"] == pools["t4"].inputs["maxPodsPerNode"] == 110
    assert pools["spot"].inputs["maxPodsPerNode"] == 64


def test_slices_are_scaled_whole_and_the_first_is_always_there(pools: dict[str, Registered]) -> None:
    assert pools["v5e-0"].inputs["nodeCount"] == 4
    assert "autoscaling" not in pools["v5e-0"].inputs
    assert pools["v5e-1"].inputs["autoscaling"] == {
        "locationPolicy": "ANY", "minNodeCount": 0, "maxNodeCount": 4,
    }  # fmt: skip
    assert pools["v5e-1"].inputs["placementPolicy"] == {"type": "COMPACT", "tpuTopology": "4x4"}


def test_slices_of_tpu_7x_are_placed_by_a_policy(
    plan: Plan, pools: dict[str, Registered], run_program: Callable[[Plan], list[Registered]]
) -> None:
    policy = next(each for each in run_program(plan) if each.type.endswith(":ResourcePolicy"))
    assert policy.inputs["workloadPolicy"] == {"type": "HIGH_THROUGHPUT", "acceleratorTopology": "2x2x4"}
    placement = pools["tpu7x-0"].inputs["placementPolicy"]
    assert placement == {"type": "COMPACT", "tpuTopology": "2x2x4", "policyName": policy.inputs["name"]}


def test_compact_pools_that_serve_are_not_upgraded_blue_green(pools: dict[str, Registered]) -> None:
    assert pools["close"].inputs["placementPolicy"] == {"type": "COMPACT"}
    assert pools["close"].inputs["upgradeSettings"]["strategy"] == "SURGE"


def test_the_new_pool_comes_before_the_old_one_goes(pools: dict[str, Registered]) -> None:
    assert all(pool.options["delete_before_replace"] is False for pool in pools.values())


def test_what_google_changes_by_itself_is_no_drift(pools: dict[str, Registered]) -> None:
    assert pools["cpu"].options["ignore"] == ["initialNodeCount", "nodeCount", "version"]
    assert pools["v5e-0"].options["ignore"] == ["initialNodeCount", "version"]
