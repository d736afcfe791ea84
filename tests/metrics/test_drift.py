"""Skew and drift: what a monitor exports of a window, and what of one that is too small."""

from threading import Thread
from typing import Any

import numpy as np
import pytest
from headroom_metrics import DriftMonitor, Exporter, MetricsError, watch_categories, watch_numbers

CHANCE = np.random.default_rng(3)
AGES = CHANCE.normal(40, 10, size=5_000)
COUNTRIES = list(CHANCE.choice(["DE", "FR", "NL"], size=5_000, p=[0.6, 0.3, 0.1]))


def monitor_ages(exporter: Exporter, **options: Any) -> DriftMonitor:
    return DriftMonitor(exporter, [watch_numbers("age", AGES, **options)], interval_seconds=300)


def test_window_like_the_reference_is_within_the_threshold(data: Exporter, read: Any) -> None:
    """M6: the distance and its threshold are exported side by side, with the same labels."""
    monitor = monitor_ages(data)
    monitor.observe({"age": CHANCE.normal(40, 10, size=2_000), "height": [1.8]})
    (found,) = monitor.check()
    assert found.is_drifted is False
    labels = {
        "stage": "data",
        "subject": "feature",
        "reference": "training",
        "feature": "age",
        "method": "psi",
    }
    assert read(data, "ml_distribution_distance", **labels) == found.distance
    assert read(data, "ml_distribution_distance_threshold", **labels) == 0.25
    assert read(data, "ml_distribution_samples", **labels) == 2_000
    assert read(data, "ml_distribution_samples_required", **labels) == found.watch.required


@pytest.mark.parametrize("method", ["psi", "jsd"])
def test_window_that_has_moved_is_beyond_the_threshold(serving: Exporter, read: Any, method: str) -> None:
    """M1: skew of the serving data against the training data."""
    monitor = monitor_ages(serving, method=method)
    monitor.observe({"age": CHANCE.normal(55, 10, size=2_000)})
    assert monitor.check()[0].is_drifted
    distance = read(serving, "ml_distribution_distance", method=method, model_version="7", track="canary")
    assert distance is not None
    assert distance > 0.25


@pytest.mark.parametrize("subject", ["label", "prediction"])
def test_subjects_are_told_apart(serving: Exporter, read: Any, subject: Any) -> None:
    """M2, M7: predictions and labels are watched as features are, under a name of their own."""
    watches = [watch_numbers("age", AGES), watch_categories("age", COUNTRIES, subject=subject)]
    monitor = DriftMonitor(serving, watches, interval_seconds=300)
    monitor.observe({"age": AGES})
    monitor.observe({"age": ["NL"] * 2_000}, subject)
    assert [found.is_drifted for found in monitor.check()] == [False, True]
    assert read(serving, "ml_distribution_distance", subject="feature") == pytest.approx(0, abs=1e-9)
    assert read(serving, "ml_distribution_distance", subject=subject) > 1


def test_window_one_value_short_has_no_distance_and_says_how_many_it_had(data: Exporter, read: Any) -> None:
    monitor = monitor_ages(data)
    required = watch_numbers("age", AGES).required
    monitor.observe({"age": AGES[: required - 1]})
    (found,) = monitor.check()
    assert (found.samples, found.distance, found.is_drifted) == (required - 1, None, None)
    assert read(data, "ml_distribution_distance") is None
    assert read(data, "ml_distribution_samples") == required - 1
    assert read(data, "ml_distribution_samples_required") == required
    monitor.observe_row({"age": 40})
    assert monitor.check()[0].samples == required
    assert read(data, "ml_distribution_distance") is not None
    assert read(data, "ml_distribution_samples") == required


def test_distance_goes_away_when_the_next_window_is_too_small(data: Exporter, read: Any) -> None:
    monitor = monitor_ages(data)
    monitor.observe({"age": AGES})
    monitor.check()
    monitor.check()
    assert read(data, "ml_distribution_distance") is None


def test_missing_values_do_not_fill_a_window(data: Exporter) -> None:
    monitor = monitor_ages(data)
    monitor.observe({"age": [None] * 5_000})
    assert monitor.check()[0].samples == 0


def test_monitor_shows_when_it_last_looked_and_how_often_it_is_due(
    data: Exporter, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    monitor = monitor_ages(data)
    assert read(data, "ml_monitor_last_run_timestamp_seconds", stage="data") == 1_000
    assert read(data, "ml_monitor_interval_seconds", stage="data") == 300
    monkeypatch.setattr("time.time", lambda: 1_300.0)
    monitor.observe({"age": AGES})
    assert read(data, "ml_monitor_last_run_timestamp_seconds", stage="data") == 1_000
    monitor.check()
    assert read(data, "ml_monitor_last_run_timestamp_seconds", stage="data") == 1_300


def test_values_of_several_threads_are_all_counted(data: Exporter) -> None:
    monitor = monitor_ages(data)
    threads = [
        Thread(target=lambda: [monitor.observe_row({"age": 40}) for _ in range(500)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.check()[0].samples == 4_000


def test_skew_and_drift_of_one_feature_are_watched_side_by_side(data: Exporter, read: Any) -> None:
    watches = [watch_numbers("age", AGES), watch_numbers("age", AGES + 30, reference="previous-week")]
    monitor = DriftMonitor(data, watches, interval_seconds=300)
    monitor.observe({"age": AGES})
    monitor.check()
    assert read(data, "ml_distribution_distance", reference="training") < 0.25
    assert read(data, "ml_distribution_distance", reference="previous-week") > 0.25


def test_training_pipeline_has_no_drift_to_watch(training: Exporter) -> None:
    with pytest.raises(MetricsError, match="watches no data"):
        monitor_ages(training)


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        ({"threshold": 0}, "age: threshold 0 is not between"),
        ({"threshold": float("nan")}, "age: threshold nan"),
        ({"threshold": 1, "method": "jsd"}, "between 0 and 1"),
        ({"threshold": 0.001}, "age: the reference has 5000 values"),
        ({"method": "ks"}, "method: 'ks' is none of"),
        ({"subject": "target"}, "subject: 'target' is none of"),
        ({"reference": ""}, "reference: '' is no label"),
    ],
)
def test_watch_that_means_nothing_is_refused(options: dict[str, Any], phrase: str) -> None:
    with pytest.raises(MetricsError, match=phrase):
        watch_numbers("age", AGES, **options)


def test_same_watch_twice_is_refused(data: Exporter) -> None:
    watch = watch_numbers("age", AGES)
    with pytest.raises(MetricsError, match="keep one"):
        DriftMonitor(data, [watch, watch], interval_seconds=300)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_interval_that_is_no_duration_is_refused(data: Exporter, seconds: float) -> None:
    with pytest.raises(MetricsError, match="is no duration"):
        DriftMonitor(data, [], interval_seconds=seconds)
