"""Model quality: exported beside its bounds."""

from typing import Any

import pytest
from headroom_metrics import Exporter, MetricsError, QualityBound, QualityMonitor


def test_quality_is_exported_with_its_bound_and_the_version_that_was_measured(
    serving: Exporter, read: Any
) -> None:
    """M5: model quality metrics."""
    monitor = QualityMonitor(serving, QualityBound("auc", minimum=0.8), QualityBound("loss", maximum=0.4))
    assert monitor.measure("auc", 0.8)
    assert not monitor.measure("loss", 0.41)
    assert read(serving, "ml_model_quality", metric="auc", model_version="7", track="canary") == 0.8
    assert read(serving, "ml_model_quality_bound", metric="auc", direction="min") == 0.8
    assert read(serving, "ml_model_quality_bound", metric="loss", direction="max") == 0.4
    assert read(serving, "ml_model_quality_bound", metric="loss", direction="min") is None


@pytest.mark.parametrize(("value", "met"), [(0.0, False), (0.1, True), (0.3, True), (0.31, False)])
def test_bound_of_two_sides_is_met_between_them(value: float, met: bool) -> None:
    assert QualityBound("bias", minimum=0.1, maximum=0.3).is_met(value) is met


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_quality_that_is_no_finite_number_is_refused(serving: Exporter, read: Any, value: float) -> None:
    with pytest.raises(MetricsError, match="is no finite number"):
        QualityMonitor(serving, QualityBound("auc", minimum=0.8)).measure("auc", value)
    assert read(serving, "ml_model_quality") is None


def test_quality_without_a_bound_is_refused_as_nobody_would_look_at_it(serving: Exporter) -> None:
    with pytest.raises(MetricsError, match="f1: has no bound; those that have: auc"):
        QualityMonitor(serving, QualityBound("auc", minimum=0.8)).measure("f1", 0.9)


@pytest.mark.parametrize("bounds", [{}, {"minimum": 1, "maximum": 0}, {"minimum": float("nan")}])
def test_bound_that_bounds_nothing_is_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(MetricsError, match=r"no bound is given|there is nothing"):
        QualityBound("auc", **bounds)


def test_metric_that_is_bounded_twice_is_refused(serving: Exporter) -> None:
    with pytest.raises(MetricsError, match="bounded twice"):
        QualityMonitor(serving, QualityBound("auc", minimum=0.8), QualityBound("auc", maximum=1))
