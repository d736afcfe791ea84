"""Q4: limits from a demand, and what is said of a demand that nothing can meet."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.planning.plan import Plan, plan_config
from tests.conftest import MINIMAL

A = ["us-central1-a"]
AB = ["us-central1-a", "us-central1-b"]
BATCH = {"by": "the team", "source": "its records", "measured": "2026-06-30"}
ON_CPU = BATCH | {"kind": "data", "runs_per_day": 12, "hours": 2, "cpu": 8, "memory": "32Gi"}
ON_TPU = BATCH | {
    "kind": "training",
    "accelerator": "tpu-v5-lite-podslice",
    "runs_per_day": 3,
    "hours": 8,
    "devices": 16,
    "size": 10,
    "unit": "GB",
}
SERVING = {"pool": "l4", "qps": 100, "latency_ms": 80, "service_time_ms": 12, "service_variation": 0.5}
ON_PROCESSORS = SERVING | {"pool": "cpu", "replica": {"cpu": 2, "memory": "4Gi"}}


@pytest.fixture
def world(config: dict[str, Any]) -> dict[str, Any]:
    config["headroom:pools"] |= {
        "l4": {"machine": "g2-standard-48", "zones": AB, "nodes": {"max": 8}},
        "one": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 8}},
        "v5e": {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"max": 8}},
    }
    config["headroom:baselines"] = {"on-cpu": ON_CPU, "on-tpu": ON_TPU}
    return config


def put(world: dict[str, Any], kind: str, demand: dict[str, Any], **limits: Any) -> None:
    pipeline = {"kind": kind, "model": "m", "owner": "user:a@b.co", "demand": demand}
    world["headroom:pipelines"] = {"p": pipeline | ({"limits": limits} if limits else {})}


def limits_of(plan: Plan) -> dict[str, tuple[int, int]]:
    return {
        limit.resource: (limit.guarantee, limit.cap)
        for limit in plan.pipelines[0].limits
        if not limit.derived
    }


Whole = Callable[[], Plan]
Refused = Callable[[], list[str]]


def test_a_demand_takes_the_place_of_limits(world: dict[str, Any], plan_whole: Whole) -> None:
    """Q4: 100 queries/s x 12 ms keep 1.2 replicas busy, so at most 70 % each takes 2; a burst of 1.5 takes 3,
    and of as many again in the other zone one may be lost."""
    put(world, "serving", SERVING)
    assert limits_of(plan_whole()) == {"gpus": (2, 6)}


def test_one_zone_has_nothing_to_lose_another_to(world: dict[str, Any], plan_whole: Whole) -> None:
    put(world, "serving", SERVING | {"pool": "one"})
    plan = plan_whole()
    assert limits_of(plan) == {"gpus": (2, 3)}
    estimate = plan.pipelines[0].estimate
    assert estimate is not None
    assert "one zone, whose loss ends it" in estimate.evidence[0].detail


def test_the_loss_of_a_zone_may_be_left_unborne(world: dict[str, Any], plan_whole: Whole) -> None:
    put(world, "serving", SERVING | {"survive_zone_loss": False})
    assert limits_of(plan_whole()) == {"gpus": (2, 3)}


def test_losing_any_zone_leaves_enough(world: dict[str, Any], plan_whole: Whole) -> None:
    """Q4: with three zones of equal size the largest share is lost."""
    zones = ["us-central1-a", "us-central1-b", "us-central1-c"]
    for qps in (60, 100, 200, 333, 700):
        world["headroom:pools"]["l4"] |= {"zones": zones, "nodes": {"max": 20}}
        put(world, "serving", SERVING | {"qps": qps, "survive_zone_loss": False})
        peak = limits_of(plan_whole())["gpus"][1]
        put(world, "serving", SERVING | {"qps": qps})
        total = limits_of(plan_whole())["gpus"][1]
        assert total - -(-total // 3) >= peak > total - 1 - -(-(total - 1) // 3)


def test_replicas_on_processors_take_what_they_state(world: dict[str, Any], plan_whole: Whole) -> None:
    """Q1, Q4."""
    put(world, "serving", ON_PROCESSORS)
    gib = 2**30
    assert limits_of(plan_whole()) == {"cpu": (4_000, 12_000), "memory": (8 * gib, 24 * gib)}


def test_replicas_on_tpus_take_whole_slices(world: dict[str, Any], plan_whole: Whole) -> None:
    """Q4: rounded up to what can be scheduled."""
    put(world, "serving", SERVING | {"pool": "v5e", "replica": {"devices": 4}})
    assert limits_of(plan_whole()) == {"chips": (32, 48)}


def test_batches_and_concurrency_need_fewer_replicas(world: dict[str, Any], plan_whole: Whole) -> None:
    needed = []
    for changes in ({}, {"concurrency": 4}, {"batch": 8, "batch_wait_ms": 5}):
        put(world, "serving", SERVING | {"qps": 400} | changes)
        needed.append(limits_of(plan_whole())["gpus"][0])
    assert needed[0] > needed[1] > 0
    assert needed[0] > needed[2] > 0


def test_runs_like_those_of_a_project_take_what_they_took(world: dict[str, Any], plan_whole: Whole) -> None:
    """Q4: 3 runs of 8 hours a day keep one slice busy; for 95 % of the time three hold all runs at once."""
    put(world, "training", {"pool": "v5e", "similar_to": "on-tpu"})
    plan = plan_whole()
    assert limits_of(plan) == {"chips": (16, 48)}
    estimate = plan.pipelines[0].estimate
    assert estimate is not None
    assert "1 project: on-tpu (2026-06-30, the team); 1 runs at once" in estimate.evidence[0].detail


@pytest.mark.parametrize("change", [{"scale": 2}, {"size": 20}, {"runs_per_day": 6}])
def test_twice_the_work_takes_twice_the_mean(
    world: dict[str, Any], plan_whole: Whole, change: dict[str, Any]
) -> None:
    """Q4: scaled by size."""
    put(world, "training", {"pool": "v5e", "similar_to": ["on-tpu"]} | change)
    assert limits_of(plan_whole()) == {"chips": (32, 80)}


def test_data_pipelines_take_processors_and_memory(world: dict[str, Any], plan_whole: Whole) -> None:
    """Q1, Q4: 12 runs of 2 hours a day."""
    put(world, "data", {"pool": "cpu", "similar_to": "on-cpu"})
    gib = 2**30
    assert limits_of(plan_whole()) == {"cpu": (8_000, 24_000), "memory": (32 * gib, 96 * gib)}


def test_a_rare_run_is_guaranteed_whole(world: dict[str, Any], plan_whole: Whole) -> None:
    put(world, "training", {"pool": "v5e", "similar_to": "on-tpu", "runs_per_day": 0.01})
    assert limits_of(plan_whole()) == {"chips": (16, 16)}


def test_the_widest_of_several_projects_gives_a_run_its_width(
    world: dict[str, Any], plan_whole: Whole
) -> None:
    world["headroom:baselines"]["wide"] = ON_TPU | {"devices": 30, "runs_per_day": 1}
    put(world, "training", {"pool": "v5e", "similar_to": ["on-tpu", "wide"]})
    assert limits_of(plan_whole())["chips"][0] == 32


def test_limits_that_are_stated_stay(world: dict[str, Any], plan_whole: Whole) -> None:
    put(world, "serving", SERVING, l4={"gpus": {"guarantee": 5, "cap": 9}})
    assert limits_of(plan_whole()) == {"gpus": (5, 9)}


def test_a_pool_that_only_a_demand_names_serves(world: dict[str, Any], plan_whole: Whole) -> None:
    """Its upgrades are blue-green, as where limits name it."""
    put(world, "serving", ON_PROCESSORS)
    upgrade = next(pool.upgrade for pool in plan_whole().pools if pool.name == "cpu")
    assert upgrade is not None
    assert upgrade.strategy == "blue-green"


P = "headroom:pipelines.p"


@pytest.mark.parametrize(
    ("kind", "demand", "limits", "expected"),
    [
        ("serving", SERVING | {"pool": "l5"}, {}, f"{P}.demand.pool: names no pool of this stack; choose one of"),
        ("serving", SERVING | {"pool": "cpu"}, {}, f"{P}.demand.replica.cpu: is required on processors, such as 4"),
        ("serving", SERVING | {"pool": "cpu"}, {}, f"{P}.demand.replica.memory: is required on processors"),
        (
            "serving",
            ON_PROCESSORS | {"replica": {"devices": 2, "cpu": 1, "memory": "1Gi"}},
            {},
            f"{P}.demand.replica.devices: the pool cpu has no devices; remove it",
        ),
        (
            "serving",
            ON_PROCESSORS | {"replica": {"cpu": 64, "memory": "1Gi"}},
            {},
            f"{P}.demand.replica.cpu: is 64, and a node of cpu has ",
        ),
        (
            "serving",
            SERVING | {"replica": {"devices": 5}},
            {},
            f"{P}.demand.replica.devices: is 5, and a node of l4 has 4; a replica runs on one",
        ),
        (
            "serving",
            SERVING | {"pool": "one", "survive_zone_loss": True},
            {},
            f"{P}.demand.survive_zone_loss: the pool one has one zone",
        ),
        (
            "serving",
            SERVING | {"service_time_ms": 75},
            {},
            f"{P}.demand: cannot be met by any number of replicas: ",
        ),
        (
            "serving",
            SERVING | {"batch": 8, "batch_wait_ms": 79},
            {},
            f"{P}.demand: cannot be met by any number of replicas: 100.00% of requests take longer than 80 ms",
        ),
        (
            "serving",
            SERVING,
            {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}},
            f"{P}.demand.pool: has no limits here, where others have",
        ),
        (
            "serving",
            SERVING,
            {"l4": {"gpus": {"guarantee": 1, "cap": 1}}},
            f"{P}.limits.l4.gpus.cap: is 1: 1 replicas that are 120% busy at 100 queries/s",
        ),
        (
            "serving",
            SERVING | {"replica": {"devices": 2}},
            {"l4": {"gpus": {"guarantee": 1, "cap": 1}}},
            f"{P}.limits.l4.gpus.cap: is 1: no replica at 100 queries/s",
        ),
        (
            "serving",
            SERVING | {"qps": 100_000},
            {},
            f"{P}.demand: l4.gpus.cap, which is estimated from it, is 5144, and pipelines can have ",
        ),
        ("training", {"pool": "v5e", "similar_to": "on-tpus"}, {}, f"{P}.demand.similar_to[0]: names no baseline"),
        (
            "training",
            {"pool": "v5e", "similar_to": "on-cpu"},
            {},
            f"{P}.demand.similar_to[0]: was measured on processors, and the pool v5e has tpu-v5-lite-podslice",
        ),
        (
            "data",
            {"pool": "cpu", "similar_to": "on-cpu", "size": 5},
            {},
            f"{P}.demand.size: the baseline on-cpu has no size; give it one, or write scale",
        ),
        (
            "data",
            {"pool": "v5e", "similar_to": "on-tpu"},
            {},
            f"{P}.demand.pool: is a pool of accelerators; data pipelines run on processors only",
        ),
    ],
)  # fmt: skip
def test_a_demand_that_cannot_be_met_is_refused_with_its_reason(
    world: dict[str, Any],
    refused: Refused,
    kind: str,
    demand: dict[str, Any],
    limits: dict[str, Any],
    expected: str,
) -> None:
    """Q4."""
    put(world, kind, demand, **limits)
    problems = refused()
    assert any(problem.startswith(expected) for problem in problems), problems


def test_sizes_are_compared_in_one_unit(world: dict[str, Any], refused: Refused) -> None:
    world["headroom:baselines"]["other"] = ON_TPU | {"unit": "TB"}
    put(world, "training", {"pool": "v5e", "similar_to": ["on-tpu", "other"], "size": 5})
    assert refused() == [
        f"{P}.demand.size: is compared with sizes in several units; give its baselines one unit"
    ]


def test_a_demand_on_a_pool_that_is_wrong_itself_gets_no_problem_of_its_own(
    world: dict[str, Any], refused: Refused
) -> None:
    world["headroom:pools"]["v5e"]["zones"] = []
    put(world, "training", {"pool": "v5e", "similar_to": "on-tpu"})
    assert all(problem.startswith("headroom:pools.v5e") for problem in refused())


@settings(max_examples=60)
@given(
    st.floats(0.1, 2_000), st.floats(1, 3), st.floats(20, 500), st.floats(0, 1), st.integers(1, 8), st.floats(1, 3)
)  # fmt: skip
def test_more_queries_or_a_larger_burst_never_need_less(
    qps: float, more: float, latency: float, variation: float, concurrency: int, burst: float
) -> None:
    """Q4: monotone in the rate and in the burst, and never more for the mean than for the peak."""
    demand = SERVING | {
        "latency_ms": latency + 60,
        "service_variation": variation,
        "concurrency": concurrency,
        "burst": burst,
    }
    config = MINIMAL | {
        "gcp:region": "us-central1",
        "headroom:pools": {"l4": {"machine": "g2-standard-48", "zones": AB, "nodes": {"max": 2_000}}},
        "headroom:network": {"nodes": "10.0.0.0/16", "pods": "100.64.0.0/10"},
    }
    found = []
    for rate, factor in ((qps, 1.0), (qps * more, 1.0), (qps, more)):
        pipeline = {"kind": "serving", "model": "m", "owner": "user:a@b.co"}
        asked = demand | {"qps": rate, "burst": burst * factor}
        plan = plan_config(config | {"headroom:pipelines": {"p": pipeline | {"demand": asked}}}, "test", "f")
        found.append(limits_of(plan)["gpus"])
    (mean, cap), (more_mean, more_cap), (same, burst_cap) = found
    assert mean <= more_mean
    assert cap <= more_cap
    assert mean == same
    assert cap <= burst_cap
    assert all(guarantee <= most for guarantee, most in found)
