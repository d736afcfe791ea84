"""What holds for every valid platform."""

from math import ceil, prod
from typing import Any

from hypothesis import given, settings

from headroom.catalog.topologies import parse_topology
from headroom.planning.pipelines import capacity
from headroom.planning.plan import Plan, plan_config
from tests.conftest import MINIMAL
from tests.planning.strategies import pools, system_pool


def plan_for(region: str, pool: dict[str, Any]) -> Plan:
    config = MINIMAL | {
        "gcp:region": region,
        "headroom:cluster": {"zones": pool["zones"], "system_pool": system_pool(pool["zones"])},
        "headroom:pools": {"p": pool},
        "headroom:network": {"nodes": "10.0.0.0/16", "pods": "100.64.0.0/10"},
    }
    return plan_config(config, "test", "f")


@settings(max_examples=300)
@given(pools())
def test_every_valid_pool_can_be_planned(drawn: tuple[str, dict[str, Any]]) -> None:
    """Q1: on-demand, spot, flex-start, queued and reserved; processors, GPUs and TPUs."""
    region, asked = drawn
    pool = plan_for(region, asked).pools[0]
    assert pool.max_nodes >= 1
    assert all(len(node_pool.name) <= 40 for node_pool in pool.node_pools)
    assert all(set(node_pool.zones) <= set(asked["zones"]) for node_pool in pool.node_pools)
    assert all(
        node_pool.initial_nodes_per_zone * len(node_pool.zones) <= node_pool.max_nodes
        for node_pool in pool.node_pools
    )
    assert min(capacity(pool).values()) > 0


@settings(max_examples=300)
@given(pools())
def test_hosts_times_chips_is_the_product_of_the_topology(drawn: tuple[str, dict[str, Any]]) -> None:
    region, asked = drawn
    pool = plan_for(region, asked).pools[0]
    if pool.placement is not None and pool.placement.topology is not None:
        chips = prod(parse_topology(pool.placement.topology).dims)
        assert pool.hosts_per_slice * pool.physical_devices == chips
        assert all(node_pool.max_nodes == pool.hosts_per_slice for node_pool in pool.node_pools)


@settings(max_examples=300)
@given(pools())
def test_quota_drawn_is_never_below_what_the_pool_uses_at_its_maximum(
    drawn: tuple[str, dict[str, Any]],
) -> None:
    """Q2: what is verified against the cloud's quota is the most that the pool ever draws."""
    region, asked = drawn
    plan = plan_for(region, asked)
    pool = plan.pools[0]
    drawn_by_pool = {draw.quota.quota_id: draw.amount for draw in plan.pool_quota if draw.pool == "p"}
    disks = [
        amount
        for quota_id, amount in drawn_by_pool.items()
        if "TOTAL-GB" in quota_id and "LOCAL" not in quota_id
    ]
    assert sum(disks) >= pool.max_nodes * pool.node.boot_disk_gb
    if pool.capacity == "reservation":
        return
    assert drawn_by_pool["INSTANCES-per-project-region"] >= pool.max_nodes
    if pool.accelerator is not None:
        physical = ceil(pool.max_nodes * pool.physical_devices * pool.machine.device_fraction)
        devices = [
            amount
            for quota_id, amount in drawn_by_pool.items()
            if any(word in quota_id for word in ("GPU", "TPU"))
        ]
        assert devices
        assert min(devices) >= physical
    if pool.machine.kind != "tpu":
        cpus = [amount for quota_id, amount in drawn_by_pool.items() if "CPUS" in quota_id]
        assert cpus
        assert min(cpus) >= pool.max_nodes * pool.machine.vcpus
