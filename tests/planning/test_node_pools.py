"""Q1: what becomes of a pool's few lines, for processors, GPUs and TPUs."""

from typing import Any

import pytest

from headroom.spec.pools import BlueGreen, Surge
from tests.planning.conftest import Planner

A = ["us-central1-a"]


def test_cpu_pool_spreads_over_the_clusters_zones_and_counts_in_total(plan_one: Planner) -> None:
    """Q1."""
    pool = plan_one(machine="n2-standard-16", nodes={"min": 3, "max": 12})
    (node_pool,) = pool.node_pools
    assert (node_pool.min_nodes, node_pool.max_nodes, node_pool.total_limits) == (3, 12, True)
    assert node_pool.zones == ("us-central1-a", "us-central1-b")
    assert node_pool.initial_nodes_per_zone == 2
    assert pool.location_policy == "BALANCED"
    assert pool.upgrade == Surge(max_surge=1, max_unavailable=0)


def test_a_pool_never_starts_with_more_nodes_than_its_maximum(plan_one: Planner) -> None:
    """One node over two zones: GKE would create one in each."""
    pool = plan_one(machine="n2-standard-16", nodes={"min": 1, "max": 1})
    assert pool.node_pools[0].initial_nodes_per_zone == 0


def test_gpu_pool_has_its_machines_accelerator(plan_one: Planner) -> None:
    """Q1."""
    pool = plan_one(machine="a3-highgpu-8g", zones=A, nodes={"max": 2}, capacity="spot")
    assert pool.node.attachment is not None
    assert (pool.node.attachment.accelerator, pool.node.attachment.count) == ("nvidia-h100-80gb", 8)
    assert pool.node.local_ssds == 16
    assert pool.location_policy == "ANY"
    assert "nvidia.com/gpu=present:NoSchedule" in pool.gke_taints


def test_gpu_attached_to_n1_counts_as_the_nodes_own(plan_one: Planner) -> None:
    pool = plan_one(
        machine="n1-standard-8", zones=A, nodes={"max": 2}, gpu={"type": "nvidia-tesla-t4", "count": 2}
    )
    assert pool.physical_devices == pool.devices_per_node == 2
    assert dict(pool.gke_labels)["cloud.google.com/gke-accelerator"] == "nvidia-tesla-t4"


def test_devices_that_pods_see_are_physical_times_partitions_times_clients(plan_one: Planner) -> None:
    sharing = {"strategy": "time-sharing", "clients": 4}
    pool = plan_one(
        machine="a2-ultragpu-2g",
        zones=A,
        nodes={"max": 1},
        gpu={"partition": "2g.20gb", "sharing": sharing},
    )
    assert (pool.physical_devices, pool.devices_per_node) == (2, 2 * 3 * 4)


@pytest.mark.parametrize(
    ("machine", "topology", "hosts"),
    [("ct5lp-hightpu-4t", "4x4", 4), ("ct5lp-hightpu-4t", "4x8", 8), ("ct5lp-hightpu-4t", "2x4", 2)],
)
def test_a_multi_host_slice_is_a_node_pool_of_its_own(
    plan_one: Planner, machine: str, topology: str, hosts: int
) -> None:
    """Q1."""
    pool = plan_one(machine=machine, zones=A, topology=topology, slices={"min": 1, "max": 3})
    assert [n.max_nodes for n in pool.node_pools] == [hosts] * 3
    assert [n.min_nodes for n in pool.node_pools] == [hosts, 0, 0]
    assert [n.fixed for n in pool.node_pools] == [True, False, False]
    assert [n.key for n in pool.node_pools] == ["p-0", "p-1", "p-2"]
    assert not any(n.total_limits for n in pool.node_pools)
    assert pool.placement is not None
    assert pool.placement.topology == topology
    assert pool.upgrade is None


def test_slices_are_dealt_out_over_the_zones_one_each(plan_one: Planner) -> None:
    zones = ["us-west4-a", "us-west4-b"]
    pool = plan_one(
        region="us-west4", machine="ct5lp-hightpu-4t", zones=zones, topology="4x4", slices={"max": 3}
    )
    assert [n.zones for n in pool.node_pools] == [("us-west4-a",), ("us-west4-b",), ("us-west4-a",)]


def test_a_single_host_tpu_pool_scales_by_nodes_and_sets_no_topology(plan_one: Planner) -> None:
    """Q1."""
    pool = plan_one(machine="ct5lp-hightpu-8t", zones=A, topology="2x4", nodes={"max": 3})
    assert pool.placement is None
    assert pool.hosts_per_slice == 1
    assert pool.max_nodes == 3
    assert dict(pool.gke_labels)["cloud.google.com/gke-tpu-topology"] == "2x4"


def test_tpu_7x_slices_bring_a_workload_policy(plan_one: Planner) -> None:
    pool = plan_one(machine="tpu7x-standard-4t", zones=["us-central1-c"], topology="2x2x4", slices={"max": 1})
    assert pool.placement is not None
    assert pool.placement.workload_policy


@pytest.mark.parametrize("kind", ["flex-start", "queued"])
def test_machines_that_come_and_go_take_no_reservation_and_no_upgrade(plan_one: Planner, kind: str) -> None:
    pool = plan_one(machine="a3-highgpu-8g", zones=A, nodes={"max": 2}, capacity=kind)
    assert pool.upgrade is None
    assert pool.node.max_run_seconds == (604_800 if kind == "flex-start" else None)
    assert pool.auto_repair is (kind == "queued")


def test_arm_nodes_carry_gkes_taint(plan_one: Planner) -> None:
    pool = plan_one(machine="c4a-standard-8", nodes={"max": 2})
    assert pool.machine.architecture == "arm"
    assert pool.gke_taints == ("kubernetes.io/arch=arm64:NoSchedule",)
    assert pool.node.boot_disk_type == "hyperdisk-balanced"


def test_several_reservations_keep_their_order_and_their_project(plan_one: Planner) -> None:
    capacity = {"kind": "reservation", "names": ["b", "a"], "project": "acme-shared"}
    pool = plan_one(machine="a3-highgpu-8g", zones=A, nodes={"max": 2}, capacity=capacity)
    assert pool.node.reservation is not None
    assert pool.node.reservation.names == ("b", "a")
    assert pool.node.reservation.project == "acme-shared"


def test_a_pool_that_serves_is_upgraded_blue_green(plan_one: Planner) -> None:
    pool = plan_one(
        machine="g2-standard-48", zones=A, nodes={"max": 4}, serving={"gpus": {"guarantee": 1, "cap": 2}}
    )
    assert isinstance(pool.upgrade, BlueGreen)
    assert pool.peak_nodes == 8


def test_accelerators_that_do_not_serve_are_upgraded_in_place(plan_one: Planner) -> None:
    pool = plan_one(machine="g2-standard-48", zones=A, nodes={"max": 4})
    assert pool.upgrade == Surge(max_surge=0, max_unavailable=1)
    assert pool.peak_nodes == 4


BASE: dict[str, Any] = {"machine": "n1-standard-8", "zones": A, "nodes": {"max": 2}}


@pytest.mark.parametrize(
    "change",
    [
        {"machine": "n1-standard-16"},
        {"boot_disk": {"size": "200Gi"}},
        {"boot_disk": {"type": "pd-ssd"}},
        {"local_ssd": 1},
        {"capacity": "spot"},
        {"gpu": {"type": "nvidia-tesla-t4", "count": 1}},
    ],
)
def test_a_change_of_what_cannot_be_changed_gives_the_pool_another_name(
    plan_one: Planner, change: dict[str, Any]
) -> None:
    assert plan_one(**BASE).node_pools[0].name != plan_one(**BASE | change).node_pools[0].name


def test_another_key_for_disks_gives_the_pool_another_name(config: dict[str, Any], plan_whole: Any) -> None:
    """A key of another protection level is another key, and a disk keeps the key that it began with."""
    before = plan_whole()
    config["headroom:encryption"] = {"protection": "hsm"}
    after = plan_whole()
    for old, new in zip(before.all_pools, after.all_pools, strict=True):
        assert old.node_pools[0].name != new.node_pools[0].name


def test_compact_placement_gives_the_pool_another_name(plan_one: Planner) -> None:
    pool = {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 2}}
    assert plan_one(**pool).node_pools[0].name != plan_one(**pool, placement="compact").node_pools[0].name


def test_an_option_that_nobody_uses_yet_renames_no_pool() -> None:
    from headroom.planning.names import shape_hash

    shape = {"node": {"machine": "n2-standard-16", "spot": False}}
    later = {"node": {"machine": "n2-standard-16", "spot": False, "option_of_a_later_release": None}}
    assert shape_hash(shape) == shape_hash(later)
    assert shape_hash(shape) != shape_hash({"node": {"machine": "n2-standard-16", "spot": True}})


@pytest.mark.parametrize(
    "change",
    [{"nodes": {"min": 1, "max": 3}}, {"labels": {"team": "a"}}, {"upgrade": "surge"}],
)
def test_a_change_of_what_can_be_changed_keeps_the_pools_name(
    plan_one: Planner, change: dict[str, Any]
) -> None:
    assert plan_one(**BASE).node_pools[0].name == plan_one(**BASE | change).node_pools[0].name


def test_the_longest_names_fit_into_what_gke_allows(config: dict[str, Any], plan_whole: Any) -> None:
    config["headroom:pools"] = {
        "a" * 28: {
            "machine": "ct5lp-hightpu-4t",
            "zones": A,
            "topology": "2x4",
            "capacity": "spot",
            "slices": {"max": 256},
        }
    }
    assert max(len(node_pool.name) for node_pool in plan_whole().pools[0].node_pools) <= 40
