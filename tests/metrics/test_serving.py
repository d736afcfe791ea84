"""Serving: requests by code, how long they took, and how many were slower than the bound."""

import asyncio
from threading import Thread
from typing import Any

import pytest
from headroom_metrics import Exporter, MetricsError, ServingMonitor

REQUESTS = "ml_prediction_requests_total"
SLOW = "ml_prediction_slow_requests_total"
DURATION = "ml_prediction_duration_seconds"


@pytest.fixture
def monitor(serving: Exporter) -> ServingMonitor:
    return ServingMonitor(serving, latency_bound_seconds=0.1)


def test_requests_are_counted_by_code_version_and_track(
    serving: Exporter, monitor: ServingMonitor, read: Any
) -> None:
    """M16: whether predictions are delivered; D8: canary and stable are told apart."""
    predict = monitor.observed(lambda number: number + 1)
    assert predict(1) == 2
    assert read(serving, REQUESTS, code="200", model_version="7", track="canary") == 1


def test_request_may_set_its_code(serving: Exporter, monitor: ServingMonitor, read: Any) -> None:
    with monitor.request() as request:
        request.code = 422
    assert read(serving, REQUESTS, code="422") == 1
    assert read(serving, REQUESTS, code="200") == 0


def test_exception_counts_as_500_and_goes_on(serving: Exporter, monitor: ServingMonitor, read: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        monitor.observed(lambda: 1 / 0)()
    assert read(serving, REQUESTS, code="500") == 1
    assert read(serving, f"{DURATION}_count") == 1


def test_code_that_is_none_counts_as_500(serving: Exporter, monitor: ServingMonitor, read: Any) -> None:
    for code in (99, 600):
        with monitor.request() as request:
            request.code = code
    assert read(serving, REQUESTS, code="500") == 2


def test_coroutine_is_timed_until_it_returns(serving: Exporter, monitor: ServingMonitor, read: Any) -> None:
    @monitor.observed
    async def predict(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    assert asyncio.run(predict(0.02)) == "done"
    assert read(serving, f"{DURATION}_sum") >= 0.02
    assert predict.__name__ == "predict"


def test_latency_is_in_the_histogram_and_beyond_the_bound_counted_as_slow(
    serving: Exporter, monitor: ServingMonitor, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M15: how long a prediction takes."""
    times = iter([0.0, 0.0999, 1.0, 1.1001])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    for _ in range(2):
        with monitor.request():
            pass
    assert read(serving, SLOW) == 1
    assert read(serving, f"{DURATION}_bucket", le="0.1") == 1
    assert read(serving, f"{DURATION}_bucket", le="+Inf") == 2


def test_bound_and_objectives_travel_as_metrics(serving: Exporter, read: Any) -> None:
    ServingMonitor(serving, latency_bound_seconds=0.2, availability_objective=0.99, latency_objective=0.95)
    assert read(serving, "ml_prediction_latency_bound_seconds") == 0.2
    assert read(serving, "ml_slo_objective_ratio", slo="availability") == 0.99
    assert read(serving, "ml_slo_objective_ratio", slo="latency") == 0.95


def test_counters_are_there_at_zero_before_the_first_request(
    serving: Exporter, monitor: ServingMonitor, read: Any
) -> None:
    assert read(serving, REQUESTS, code="200") == read(serving, REQUESTS, code="500") == 0
    assert read(serving, SLOW) == 0


def test_requests_of_several_threads_are_all_counted(
    serving: Exporter, monitor: ServingMonitor, read: Any
) -> None:
    predict = monitor.observed(lambda: None)
    threads = [Thread(target=lambda: [predict() for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(serving, REQUESTS, code="200") == read(serving, f"{DURATION}_count") == 4_000


def test_pipeline_that_does_not_serve_is_refused(data: Exporter) -> None:
    with pytest.raises(MetricsError, match="its kind must be serving"):
        ServingMonitor(data, latency_bound_seconds=0.1)


@pytest.mark.parametrize(
    "wrong",
    [{"latency_bound_seconds": 0}, {"availability_objective": 1}, {"latency_objective": 99}],
)
def test_bound_or_objective_that_means_nothing_is_refused(serving: Exporter, wrong: dict[str, float]) -> None:
    with pytest.raises(MetricsError, match=next(iter(wrong))):
        ServingMonitor(serving, **({"latency_bound_seconds": 0.1} | wrong))
