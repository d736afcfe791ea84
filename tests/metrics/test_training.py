"""Training runs: their start, end, success and failure as timestamps."""

from typing import Any

import pytest
from headroom_metrics import Exporter, MetricsError, TrainingMonitor

START = "ml_training_run_start_timestamp_seconds"
END = "ml_training_run_end_timestamp_seconds"
DURATION = "ml_training_run_duration_seconds"
SUCCESS = "ml_training_last_success_timestamp_seconds"
FAILURE = "ml_training_last_failure_timestamp_seconds"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


def raise_after(clock: Clock, error: BaseException) -> None:
    clock.now = 1_010
    raise error


@pytest.fixture
def monitor(training: Exporter) -> TrainingMonitor:
    return TrainingMonitor(training, baseline_seconds=60, schedule_seconds=3_600)


def test_run_that_succeeds_has_start_end_duration_and_success(
    training: Exporter, monitor: TrainingMonitor, clock: Clock, read: Any
) -> None:
    """M11: how long training took, beside how long it usually takes and how often it is due."""
    with monitor.run("1"):
        assert read(training, START, run="1") == 1_000
        assert read(training, END) is None
        clock.now = 1_090
    assert read(training, END, run="1") == 1_090
    assert read(training, DURATION) == 90
    assert read(training, SUCCESS) == 1_090
    assert read(training, FAILURE) is None
    assert read(training, "ml_training_duration_baseline_seconds") == 60
    assert read(training, "ml_training_schedule_seconds") == 3_600


@pytest.mark.parametrize("error", [RuntimeError("diverged"), KeyboardInterrupt(), SystemExit(1)])
def test_run_that_is_left_by_an_exception_has_failed(
    training: Exporter, monitor: TrainingMonitor, clock: Clock, read: Any, error: BaseException
) -> None:
    """M12: training failures."""
    run = monitor.run("1")
    with pytest.raises(type(error)), run:
        raise_after(clock, error)
    assert read(training, END, run="1") == 1_010
    assert read(training, FAILURE) == 1_010
    assert read(training, SUCCESS) is None
    assert read(training, DURATION) is None


def test_run_that_leaves_with_exit_code_zero_has_succeeded(
    training: Exporter, monitor: TrainingMonitor, read: Any
) -> None:
    with pytest.raises(SystemExit), monitor.run("1"):
        raise SystemExit(0)
    assert read(training, FAILURE) is None
    assert read(training, SUCCESS) is not None


def test_next_run_takes_the_place_of_the_last_and_keeps_its_duration_until_it_ends(
    training: Exporter, monitor: TrainingMonitor, clock: Clock, read: Any
) -> None:
    with monitor.run("1"):
        clock.now = 1_030
    with monitor.run("2"):
        assert read(training, START, run="1") is None
        assert read(training, END) is None
        assert read(training, DURATION) == 30
    assert read(training, DURATION) == 0


def test_second_run_beside_the_first_is_refused(monitor: TrainingMonitor) -> None:
    with monitor.run("1"), pytest.raises(MetricsError, match="another is under way"), monitor.run("2"):
        pass
    with monitor.run("3"):
        pass


@pytest.mark.parametrize("wrong", ["baseline_seconds", "schedule_seconds"])
def test_plan_that_is_no_duration_is_refused(training: Exporter, wrong: str) -> None:
    with pytest.raises(MetricsError, match=wrong):
        TrainingMonitor(training, **({"baseline_seconds": 1, "schedule_seconds": 1} | {wrong: 0}))
