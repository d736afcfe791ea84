"""Q4: intervals, and how what was observed narrows them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.estimates import (
    Evidence,
    Load,
    Observation,
    estimate,
    estimate_from_use,
    list_shortfalls,
    narrow,
    prior_of_guess,
    prior_of_projects,
)
from headroom.planning.node_pools import PoolPlan
from headroom.planning.workloads import Batch

A = ["us-central1-a"]
PROJECTS = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=8)


@pytest.fixture
def slices(plan_one: Callable[..., PoolPlan]) -> PoolPlan:
    return plan_one(machine="ct5lp-hightpu-4t", zones=A, topology="4x4", slices={"max": 8})


@pytest.fixture
def cpu(plan_one: Callable[..., PoolPlan]) -> PoolPlan:
    return plan_one(machine="n2-standard-16", nodes={"max": 12})


def seen(days: float, mean: float, busy: float, peak: float, **changes: Any) -> Observation:
    return replace(Observation("p", "p", "chips", days, mean, busy, peak), **changes)


FORMULA = Evidence("baselines", "two projects")


def test_a_guess_is_wrong_by_its_factor_either_way() -> None:
    load = prior_of_guess(1.5)
    assert (load.low, load.factor, load.high) == pytest.approx((1 / 1.5, 1.0, 1.5))


def test_one_similar_project_leaves_a_factor_of_two_and_its_own_doubt() -> None:
    likely, load = prior_of_projects([24.0])
    assert likely == pytest.approx(24)
    assert load.high == pytest.approx(2 ** (2**0.5))


def test_projects_that_agree_leave_less_doubt_the_more_they_are() -> None:
    """Q4."""
    widths = [prior_of_projects([10.0] * count)[1].high for count in (1, 2, 4, 8, 32)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 1.3


def test_projects_that_differ_leave_more_doubt() -> None:
    assert prior_of_projects([1, 100, 10_000])[1].deviation > prior_of_projects([90, 100, 110])[1].deviation


@given(PROJECTS, st.floats(0.01, 100))
def test_the_estimate_scales_with_the_projects(amounts: list[float], factor: float) -> None:
    likely, load = prior_of_projects(amounts)
    scaled, again = prior_of_projects([each * factor for each in amounts])
    assert scaled == pytest.approx(likely * factor)
    assert again.deviation == pytest.approx(load.deviation)
    assert min(amounts) * 0.999 <= likely <= max(amounts) * 1.001


@given(st.floats(0.05, 2), st.floats(0.05, 20), st.floats(0.1, 400))
def test_observation_always_narrows_and_moves_towards_what_was_seen(
    deviation: float, observed: float, days: float
) -> None:
    """Q4."""
    before = Load(1.0, deviation)
    after, weight = narrow(before, observed, days)
    assert after.deviation < before.deviation
    assert 0 < weight < 1
    assert min(1.0, observed) * 0.999 <= after.factor <= max(1.0, observed) * 1.001


@given(st.floats(0.05, 2), st.floats(0.05, 20), st.floats(0.1, 200), st.floats(1.01, 10))
def test_more_days_weigh_more(deviation: float, observed: float, days: float, more: float) -> None:
    load = Load(1.0, deviation)
    assert narrow(load, observed, days * more)[1] > narrow(load, observed, days)[1]


def test_a_load_that_is_certain_or_an_idle_pipeline_changes_nothing() -> None:
    assert narrow(prior_of_guess(1.0), 3.0, 10) == (prior_of_guess(1.0), 0.0)
    assert narrow(prior_of_guess(2.0), 0.0, 10) == (prior_of_guess(2.0), 0.0)


def test_use_narrows_the_interval_and_is_named_beside_the_formula(slices: PoolPlan) -> None:
    """Q4: the result says on which evidence it stands."""
    workload, prior = Batch((("chips", 16),), busy=1.0, percentile=95), prior_of_projects([24.0, 20.0])[1]
    alone = estimate(workload, prior, slices, FORMULA)
    helped = estimate(workload, prior, slices, FORMULA, [seen(14, mean=16, busy=32, peak=48)])
    (before,), (after,) = alone.amounts, helped.amounts
    assert after.high - after.low < before.high - before.low
    assert [each.kind for each in alone.evidence] == ["baselines"]
    assert [each.kind for each in helped.evidence] == ["baselines", "observed"]
    assert "14 days of chips: mean 16, p95 32, peak 48" in helped.evidence[1].detail


def test_nobody_gets_less_than_was_seen_in_use(slices: PoolPlan) -> None:
    workload = Batch((("chips", 16),), busy=0.1, percentile=95)
    found = estimate(workload, prior_of_guess(1.2), slices, FORMULA, [seen(3, mean=20, busy=60, peak=100)])
    (amount,) = found.amounts
    assert (amount.guarantee, amount.likely) == (32, 112)
    assert amount.high >= 112


def test_a_pipeline_that_was_idle_is_said_to_tell_nothing(slices: PoolPlan) -> None:
    workload = Batch((("chips", 16),), busy=1.0, percentile=95)
    idle = estimate(workload, prior_of_guess(2), slices, FORMULA, [seen(9, 0, 0, 0)])
    assert idle.amounts == estimate(workload, prior_of_guess(2), slices, FORMULA).amounts
    assert "nothing to go by" in idle.evidence[1].detail


def test_use_alone_gives_an_estimate_in_whole_slices(slices: PoolPlan) -> None:
    """Q4: from a prototype, without a prediction."""
    (amount,) = estimate_from_use([seen(4, mean=5, busy=17, peak=33)], slices).amounts
    assert (amount.guarantee, amount.low, amount.likely) == (16, 32, 48)
    assert amount.high == 48  # 33 x 2**(1/2) is 46.7


def test_use_of_processors_is_rounded_to_whole_cores_and_gibibytes(cpu: PoolPlan) -> None:
    gib = 2**30
    used = [
        seen(100, 1_250, 2_000, 3_001, resource="cpu"),
        seen(100, 1.5 * gib, 2 * gib, 2.5 * gib, resource="memory"),
    ]
    amounts = {each.resource: each for each in estimate_from_use(used, cpu).amounts}
    assert (amounts["cpu"].guarantee, amounts["cpu"].likely) == (2_000, 4_000)
    assert (amounts["memory"].guarantee, amounts["memory"].likely) == (2 * gib, 3 * gib)


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100), st.floats(1, 365), st.floats(0.01, 20))
def test_estimates_are_always_ordered(
    mean: float, busy: float, peak: float, days: float, runs: float
) -> None:
    from headroom.planning.plan import plan_config
    from tests.conftest import MINIMAL

    pool = plan_config(MINIMAL, "test", "f").pools[0]
    mean, busy, peak = (each * 1_000 for each in sorted((mean, busy, peak)))
    observed = [seen(days, mean, busy, peak, resource="cpu", pool="cpu")]
    workload = Batch((("cpu", 4_000),), busy=runs, percentile=95)
    alone = estimate_from_use(observed, pool)
    for found in (alone, estimate(workload, prior_of_guess(2), pool, FORMULA, observed)):
        for amount in found.amounts:
            assert 0 < amount.guarantee <= amount.likely
            assert amount.low <= amount.likely <= amount.high


def test_a_cap_below_what_is_likely_needed_is_told(
    config: dict[str, Any], plan_whole: Callable[[], Any]
) -> None:
    """Q4: given both, the limits are checked against the estimate."""
    demand = {
        "pool": "cpu",
        "qps": 100,
        "latency_ms": 100,
        "service_time_ms": 20,
        "replica": {"cpu": 2, "memory": "1Gi"},
    }
    memory = {"guarantee": "1Gi", "cap": "40Gi"}
    pipeline = {"kind": "serving", "model": "m", "owner": "user:a@b.co", "demand": demand}
    config["headroom:pipelines"] = {"s": pipeline}
    likely = plan_whole().pipelines[0].limits[0].cap // 1_000
    for cap, expected in ((likely, 0), (likely - 2, 1)):
        pipeline["limits"] = {"cpu": {"cpu": {"guarantee": 2, "cap": cap}, "memory": memory}}
        told = list_shortfalls(plan_whole().pipelines)
        assert len(told) == expected
    assert told == [
        f"headroom:pipelines.s.limits.cpu.cpu.cap: is {likely - 2}, and the demand likely needs {likely} at its "
        "peak; `headroom estimate` says why"
    ]
