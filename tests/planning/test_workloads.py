"""Q4: what a demand comes to, in replicas and runs."""

from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.estimates import Observation
from headroom.planning.workloads import Batch, Serving
from headroom.spec.demand import ServingDemand

DEMAND = {"pool": "l4", "qps": 1200, "latency_ms": 80, "service_time_ms": 20, "service_variation": 0.5}
USED = Observation("p", "l4", "gpus", 9, mean=2, busy=5, peak=8)


def serving(zones: int = 1, **changes: Any) -> Serving:
    return Serving(ServingDemand.model_validate(DEMAND | changes), (("gpus", 1),), zones)


def test_replicas_work_on_several_requests_at_a_time() -> None:
    """1200/s x 20 ms keep 24 places busy, 40 at 60 %; a replica has 4 of them."""
    found = serving(concurrency=4, target_utilization=0.6)
    assert found.counts(1.0) == (10, 15)
    assert found.utilization(10) == pytest.approx(0.6)


def test_the_evidence_says_what_it_was_made_from() -> None:
    """Q4."""
    found = serving(3, concurrency=4, target_utilization=0.6, batch=2, batch_wait_ms=3)
    assert found.describe() == (
        "M/M/c: 1200 queries/s, 99 % within 80 ms, 20 ms each in batches of 2 after 3 ms, 4 at once, variation "
        "0.5, at most 60% busy: 5 replicas; 12 with a burst of 1.5 and a zone lost"
    )


def test_a_slow_service_is_a_hindrance_and_a_quick_one_is_none() -> None:
    assert serving().find_hindrance() == ""
    assert "cannot be met by any number of replicas" in serving(service_time_ms=60).find_hindrance()


def test_the_busy_hour_is_what_serving_is_judged_by_and_the_mean_what_runs_are() -> None:
    """`qps` is that of the busy hour; the work of runs is the same however they overlap."""
    assert serving().level(USED) == 5
    assert Batch((("gpus", 1),), 2.0, 95).level(USED) == 2


@given(st.integers(2, 8), st.floats(0.01, 50))
def test_what_is_left_after_a_zone_is_lost_bears_the_peak(zones: int, factor: float) -> None:
    """Q4: N+1 over zones, and not one replica more than that takes."""
    peak = serving(1).counts(factor)[1]
    total = serving(zones).counts(factor)[1]
    assert total - ceil(total / zones) >= peak
    assert (total - 1) - ceil((total - 1) / zones) < peak


@given(st.floats(0.001, 50), st.floats(1, 5), st.sampled_from([50, 90, 95, 99.9]))
def test_more_runs_never_need_less(busy: float, more: float, percentile: float) -> None:
    """Q4: and one run is always guaranteed whole."""
    few, many = (Batch((("chips", 16),), busy, percentile).counts(factor) for factor in (1.0, more))
    assert 1 <= few[0] <= few[1]
    assert few[0] <= many[0]
    assert few[1] <= many[1]


def test_waiting_for_a_batch_to_fill_is_taken_off_the_latency() -> None:
    quick, slow = (serving(batch=8, batch_wait_ms=wait, target_utilization=0.95) for wait in (1, 25))
    assert quick.replicas(1.0) < slow.replicas(1.0)
