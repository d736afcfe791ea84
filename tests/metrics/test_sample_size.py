"""How many values a comparison needs: enough that chance alone seldom looks like drift."""

import numpy as np
import pytest
from headroom_metrics import MetricsError
from headroom_metrics.bins import cut_numeric_bins, smooth_shares
from headroom_metrics.distances import Method, measure_distance
from headroom_metrics.sample_size import require_sample_size
from hypothesis import given
from hypothesis import strategies as st


def test_size_of_ten_bins_at_a_threshold_of_a_quarter() -> None:
    # The chi-squared quantile for 9 degrees of freedom and 0.001 is 27.877 in the tables.
    assert require_sample_size("psi", 0.25, 10, 10**9) == 112
    assert require_sample_size("psi", 0.25, 10, 224) == 223


@pytest.mark.parametrize(("method", "threshold"), [("psi", 0.1), ("psi", 0.25), ("jsd", 0.1), ("jsd", 0.2)])
def test_window_of_the_required_size_seldom_crosses_the_threshold_by_chance(
    method: Method, threshold: float
) -> None:
    chance = np.random.default_rng(7)
    reference = chance.normal(size=5_000)
    bins = cut_numeric_bins(reference)
    size = require_sample_size(method, threshold, len(bins), len(reference))
    known = smooth_shares(bins.count(reference))
    alarms = 0
    for _ in range(4_000):
        window = smooth_shares(bins.count(chance.normal(size=size)))
        alarms += measure_distance(method, known, window) > threshold
    assert alarms / 4_000 < 0.003


def test_window_much_smaller_often_crosses_the_threshold_by_chance() -> None:
    chance = np.random.default_rng(7)
    reference = chance.normal(size=5_000)
    bins = cut_numeric_bins(reference)
    size = require_sample_size("psi", 0.1, len(bins), len(reference)) // 5
    known = smooth_shares(bins.count(reference))
    distances = [
        measure_distance("psi", known, smooth_shares(bins.count(chance.normal(size=size))))
        for _ in range(1_000)
    ]
    assert np.mean(np.array(distances) > 0.1) > 0.1


@given(
    threshold=st.floats(0.05, 0.9),
    bins=st.integers(2, 40),
    reference=st.integers(10_000, 10**7),
    method=st.sampled_from(["psi", "jsd"]),
)
def test_lower_threshold_needs_no_fewer_values(
    threshold: float, bins: int, reference: int, method: Method
) -> None:
    try:
        strict = require_sample_size(method, threshold / 2, bins, reference)
    except MetricsError:
        return
    assert strict >= require_sample_size(method, threshold, bins, reference) >= 5 * bins


def test_reference_too_small_for_its_threshold_is_refused_with_what_it_needs() -> None:
    with pytest.raises(MetricsError, match=r"has 223 values: .* it needs 224"):
        require_sample_size("psi", 0.25, 10, 223)
