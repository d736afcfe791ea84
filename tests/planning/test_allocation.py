"""Who gets how much: headroom, guarantees and caps against what pools offer and the cloud has granted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.allocation import Share, check_shares, describe_amount, fit_promises, share_out
from headroom.planning.grant_bounds import NodeBound, bound_nodes
from headroom.planning.grants import UNLIMITED, Grant, Grants
from headroom.planning.node_pools import PoolPlan, plan_pool
from headroom.planning.pipelines import LimitPlan, PipelinePlan
from headroom.planning.plan import Plan, plan_config
from headroom.spec.pools import Pool
from headroom.spec.quota import Experiments, Quota, SystemPods

A = ["us-central1-a"]
Whole = Callable[[], Plan]


@pytest.fixture
def pools(config: dict[str, Any]) -> dict[str, Any]:
    config["headroom:pools"] |= {
        "l4": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}},
        "v5e": {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"max": 4}},
        "v6e": {"machine": "ct6e-standard-8t", "zones": ["us-central1-b"], "nodes": {"max": 4}},
    }
    config["headroom:pipelines"] = {}
    return config


def gpus(guarantee: int, cap: int, kind: str = "training") -> dict[str, Any]:
    limits = {"l4": {"gpus": {"guarantee": guarantee, "cap": cap}}}
    return {"kind": kind, "model": "m", "owner": "user:a@b.co", "limits": limits}


def share_of(plan: Plan, pool: str, resource: str) -> Share:
    return next(share for share in plan.shares if (share.pool, share.resource) == (pool, resource))


def test_headroom_is_a_share_rounded_up_to_what_can_be_scheduled(
    pools: dict[str, Any], plan_whole: Whole
) -> None:
    """Q5: a fifth of 20 GPUs is 4; of 4 slices a whole slice; of 4 hosts a whole host."""
    plan = plan_whole()
    assert share_of(plan, "l4", "gpus").headroom == 4
    assert share_of(plan, "v5e", "chips").headroom == 16
    assert share_of(plan, "v6e", "chips").headroom == 8


def test_the_hosts_cpu_and_memory_stay_free_with_their_devices(
    pools: dict[str, Any], plan_whole: Whole
) -> None:
    """Q5: a headroom of devices without a host to run on would be none."""
    plan = plan_whole()
    for resource in ("cpu", "memory"):
        share = share_of(plan, "v5e", resource)
        assert Fraction(share.headroom, share.capacity) >= Fraction(1, 4)
        assert share.headroom * 4 <= share.capacity + 4


def test_a_pool_may_have_a_share_of_its_own(pools: dict[str, Any], plan_whole: Whole) -> None:
    pools["headroom:quota"] = {"experiments": {"share": 0.2, "pools": {"l4": 0.5, "v5e": 0.0}}}
    plan = plan_whole()
    assert share_of(plan, "l4", "gpus").headroom == 10
    assert share_of(plan, "v5e", "chips").headroom == share_of(plan, "v5e", "cpu").headroom == 0


def test_what_systems_pods_take_is_no_capacity(pools: dict[str, Any], plan_whole: Whole) -> None:
    before = share_of(plan_whole(), "cpu", "cpu").capacity
    pools["headroom:quota"] = {"system_pods": {"cpu": 1, "memory": "1Gi"}}
    assert share_of(plan_whole(), "cpu", "cpu").capacity == before - 4 * 500


def test_guarantees_and_headroom_together_fit_into_the_pool(
    pools: dict[str, Any], plan_whole: Whole, refused: Callable[[], list[str]]
) -> None:
    """Q2: what is shared is enough for all together, before anything is provisioned."""
    pools["headroom:pipelines"] = {"a": gpus(8, 16), "b": gpus(8, 16)}
    assert share_of(plan_whole(), "l4", "gpus").shared == 0
    pools["headroom:pipelines"]["c"] = gpus(1, 1, "validation")
    assert refused() == [
        "headroom:pools.l4: the guarantees of gpus add up to 17, 1 too much; pipelines can have 16 of l4's 20, "
        "as 4 stay free for experiments; lower guarantees, or raise the pool's max"
    ]


def test_no_cap_reaches_into_the_headroom(pools: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    """Q5."""
    pools["headroom:pipelines"] = {"a": gpus(0, 17)}
    assert refused() == [
        "headroom:pipelines.a.limits.l4.gpus.cap: is 17, and pipelines can have 16 of l4's 20, as 4 stay free "
        "for experiments; lower the cap, or raise the pool's max"
    ]


def test_a_share_of_a_pool_that_is_not_there_is_refused(
    pools: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    pools["headroom:quota"] = {"experiments": {"pools": {"l5": 0.1}}}
    assert refused()[0].startswith("headroom:quota.experiments.pools.l5: names no pool of this stack")


def granted(**values: int) -> Grants:
    grants = tuple(
        Grant("compute.googleapis.com", name.replace("_", "-"), None, (), value)
        for name, value in values.items()
    )
    return Grants("acme-ml-test", datetime(2026, 11, 21, tzinfo=UTC), grants)


def plan_within(config: dict[str, Any], grants: Grants) -> Plan:
    return plan_config(config, "test", "f", grants)


def test_capacity_is_what_the_cloud_has_granted(pools: dict[str, Any]) -> None:
    """Q2: 11 GPUs are two whole nodes of four."""
    plan = plan_within(pools, granted(NVIDIA_L4_GPUS_per_project_region=11))
    share = share_of(plan, "l4", "gpus")
    assert (share.offered, share.capacity, share.headroom) == (20, 8, 2)
    assert share_of(plan, "v5e", "chips").capacity == 64


@pytest.mark.parametrize("value", [UNLIMITED, 1000])
def test_a_grant_that_suffices_bounds_nothing(pools: dict[str, Any], value: int) -> None:
    plan = plan_within(pools, granted(NVIDIA_L4_GPUS_per_project_region=value))
    assert share_of(plan, "l4", "gpus").capacity == 20


def test_promises_above_the_grant_are_a_shortfall_that_names_the_quota(pools: dict[str, Any]) -> None:
    """Q2."""
    pools["headroom:pipelines"] = {"a": gpus(12, 16)}
    plan = plan_within(pools, granted(NVIDIA_L4_GPUS_per_project_region=11))
    assert [str(problem) for problem in plan.shortfalls] == [
        "headroom:pools.l4: NVIDIA-L4-GPUS-per-project-region grants 11, with which the pool can have 2 nodes; "
        "the guarantees of gpus add up to 12, and pipelines can have 6 of l4's 8, as 2 stay free for "
        "experiments; ask for more quota, lower guarantees, or set headroom:quota.grants to awaited"
    ]


def test_promises_are_cut_in_proportion_to_what_is_granted(pools: dict[str, Any]) -> None:
    pools["headroom:pipelines"] = {"a": gpus(8, 16), "b": gpus(4, 16)}
    pools["headroom:quota"] = {"grants": "awaited"}
    plan = plan_within(pools, granted(NVIDIA_L4_GPUS_per_project_region=11))
    assert plan.awaits_grants
    queues = {queue.name: queue for queue in plan.tenancy.queues.queues}
    quotas = {
        name: next(quota for quota in queue.flavors[0].quotas if quota.resource == "nvidia.com/gpu")
        for name, queue in queues.items()
        if name in "ab"
    }
    assert {name: quota.nominal for name, quota in quotas.items()} == {"a": "4", "b": "2"}
    assert {name: quota.borrowing for name, quota in quotas.items()} == {"a": "2", "b": "4"}


def test_pools_that_draw_on_one_quota_share_it(pools: dict[str, Any]) -> None:
    """Q2: spot and flex-start share one ceiling, so that together they stay below it."""
    pools["headroom:pools"] |= {
        "spot": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 3}, "capacity": "spot"},
        "flex": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 3}, "capacity": "flex-start"},
    }
    plan = plan_within(pools, granted(PREEMPTIBLE_NVIDIA_L4_GPUS_per_project_region=12))
    nodes = [share_of(plan, name, "gpus").capacity // 4 for name in ("flex", "spot")]
    assert sorted(nodes) == [1, 2]


def test_the_all_regions_quota_of_gpus_bounds_every_pool_of_gpus(pools: dict[str, Any]) -> None:
    plan = plan_within(pools, granted(GPUS_ALL_REGIONS_per_project=4))
    assert share_of(plan, "l4", "gpus").capacity == 4


def test_the_system_pool_is_served_first(pools: dict[str, Any]) -> None:
    del pools["headroom:pools"]["l4"], pools["headroom:pools"]["v5e"], pools["headroom:pools"]["v6e"]
    pools["headroom:pools"]["cpu"]["nodes"] = {"max": 4}
    system = plan_config(pools, "test", "f").system_pool
    cores = system.max_nodes * system.machine.vcpus
    plan = plan_within(pools, granted(CPUS_ALL_REGIONS_per_project=cores + 2 * 16))
    assert share_of(plan, "cpu", "cpu").capacity == share_of(plan, "cpu", "cpu").offered // 2


MACHINES = {
    "n2-standard-16": {},
    "g2-standard-48": {"zones": A},
    "ct6e-standard-4t": {"zones": ["us-central1-b"]},
    "ct5lp-hightpu-4t": {"zones": A, "topology": "4x4"},
}


@st.composite
def small_pools(draw: st.DrawFn) -> list[PoolPlan]:
    plans = []
    for number in range(draw(st.integers(1, 4))):
        machine = draw(st.sampled_from(sorted(MACHINES)))
        size = {"max": draw(st.integers(1, 5))}
        pool = Pool.model_validate(
            {"machine": machine, "slices" if machine.startswith("ct5lp") else "nodes": size}
            | {"capacity": draw(st.sampled_from(["on-demand", "spot"]))}
            | MACHINES[machine]
        )
        plans.append(
            plan_pool(
                f"p{number}", pool, ("us-central1-a",), serves=False, disk_key="s", system_pods=SystemPods()
            )
        )
    return plans


@st.composite
def promises(draw: st.DrawFn, pools: list[PoolPlan]) -> list[PipelinePlan]:
    pipelines = []
    for number in range(draw(st.integers(0, 4))):
        limits = []
        for pool in draw(st.lists(st.sampled_from(pools), unique_by=lambda pool: pool.name, max_size=3)):
            unit, whole = pool.devices_per_unit, pool.max_nodes * pool.devices_per_node
            cap = draw(st.integers(1, max(1, whole // unit))) * unit
            guarantee = draw(st.integers(0, cap // unit)) * unit
            resource = "gpus" if pool.machine.kind == "gpu" else "chips"
            if pool.accelerator is not None:
                limits.append(LimitPlan(pool.name, resource, guarantee, cap, derived=False))
        pipelines.append(
            PipelinePlan(f"q{number}", "training", "m", "user:a@b.co", "open", (), tuple(limits))
        )
    return pipelines


@given(data=st.data(), share=st.sampled_from([0.05, 0.1, 0.2, 0.333, 0.5, 0.9]))
def test_headroom_is_at_least_its_share_of_everything(data: st.DataObject, share: float) -> None:
    """Q5: of each pool and resource, whatever the cloud has granted."""
    pools = data.draw(small_pools())
    bounds = {pool.name: NodeBound(data.draw(st.integers(0, pool.max_nodes))) for pool in pools}
    quota = Quota(experiments=Experiments(share=share))
    for each in share_out(pools, [], quota, bounds):
        assert Fraction(str(share)) * each.capacity <= each.headroom <= each.capacity <= each.offered


@given(data=st.data())
def test_cut_promises_always_fit(data: st.DataObject) -> None:
    """Q2, Q5: after the cut no check finds anything, and nobody has more than was asked for."""
    pools = data.draw(small_pools())
    pipelines = data.draw(promises(pools))
    units = {pool.name: pool.devices_per_unit * pool.hosts_per_slice for pool in pools}
    bounds = {
        pool.name: NodeBound(data.draw(st.integers(0, len(pool.node_pools))) * pool.hosts_per_slice)
        if units[pool.name]
        else NodeBound(pool.max_nodes)
        for pool in pools
    }
    fitted = fit_promises(pipelines, share_out(pools, pipelines, Quota(), bounds))
    shares = share_out(pools, fitted, Quota(), bounds)
    assert check_shares(shares, fitted) == []
    for before, after in zip(pipelines, fitted, strict=True):
        for asked, got in zip(before.limits, after.limits, strict=True):
            assert got.guarantee <= asked.guarantee
            assert got.guarantee <= got.cap <= asked.cap


@given(data=st.data())
def test_the_nodes_that_pools_can_count_on_never_exceed_a_grant(data: st.DataObject) -> None:
    """Q2: for each quota, all pools together at what they can count on."""
    from headroom.planning.quota import draw_per_node

    pools = data.draw(small_pools())
    lines = sorted({line for pool in pools for line in draw_per_node(pool, "us-central1")}, key=str)
    values = {line: data.draw(st.integers(0, 400)) for line in lines}
    grants = Grants(
        "p",
        datetime(2026, 11, 21, tzinfo=UTC),
        tuple(
            Grant(line.service, line.quota_id, line.region, line.dimensions, value)
            for line, value in values.items()
        ),
    )
    nobody = replace(pools[0], name="system", node_pools=())
    bounds = bound_nodes(nobody, pools, "us-central1", grants)
    for line, value in values.items():
        drawn = sum(
            bounds[pool.name].nodes * draw_per_node(pool, "us-central1").get(line, 0) for pool in pools
        )
        assert drawn <= value
    for pool in pools:
        assert bounds[pool.name].nodes % pool.hosts_per_slice == 0


@pytest.mark.parametrize(
    ("resource", "amount", "shown"),
    [
        ("cpu", 336_229, "336.2"),
        ("cpu", 500, "0.5"),
        ("memory", 2920 * 2**30 + 5, "2920Gi"),
        ("gpus", 13, "13"),
    ],
)
def test_amounts_are_shown_round(resource: Any, amount: int, shown: str) -> None:
    assert describe_amount(resource, amount) == shown
