"""Bins: cut from the reference, and every value in one of them."""

import numpy as np
import pytest
from headroom_metrics import MetricsError
from headroom_metrics.bins import SMOOTHING, cut_category_bins, cut_numeric_bins, smooth_shares
from hypothesis import given
from hypothesis import strategies as st

finite = st.floats(-1e9, 1e9)


def test_quantiles_hold_equal_shares_of_the_reference() -> None:
    reference = np.random.default_rng(1).lognormal(size=10_000)
    counts = cut_numeric_bins(reference).count(reference)
    assert list(counts) == [1_000] * 10


def test_few_distinct_values_have_a_bin_each_and_two_for_what_is_outside() -> None:
    bins = cut_numeric_bins([1, 2, 2, 5])
    assert list(bins.count([0.5, 1, 2, 2, 5, 5.1])) == [1, 1, 2, 1, 1]


def test_change_of_a_constant_feature_is_seen_in_both_directions() -> None:
    bins = cut_numeric_bins([3.0] * 50)
    assert [list(bins.count([value])) for value in (2.9, 3.0, 3.1)] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_frequent_value_among_many_has_a_bin_to_itself() -> None:
    bins = cut_numeric_bins([0.0] * 990 + list(range(1, 11)))
    assert list(bins.count([-1, 0, 0, 0.5, 7])) == [1, 2, 2]


@given(reference=st.lists(finite, min_size=1, max_size=200), window=st.lists(finite, max_size=200))
def test_every_finite_number_is_in_exactly_one_bin(reference: list[float], window: list[float]) -> None:
    bins = cut_numeric_bins(reference)
    assert bins.count(window).sum() == len(window)
    assert len(bins.count(window)) == len(bins) <= 2 * 10 + 2


def test_what_is_no_finite_number_is_in_no_bin() -> None:
    bins = cut_numeric_bins([1, 2, 3])
    assert bins.count([None, float("nan"), float("inf"), "2", True, [2], 10**400, 2]).sum() == 1
    assert bins.count(np.array([np.nan, np.inf, 2.0])).sum() == 1
    assert bins.count(np.array([None, 2.0], dtype=object)).sum() == 1


def test_rare_and_new_categories_share_the_last_bin() -> None:
    bins = cut_category_bins(["DE"] * 3 + ["FR"] * 2 + ["NL"], bins=2)
    assert bins.categories == ("DE", "FR")
    assert list(bins.count(["FR", "NL", "XX", "DE", None, float("nan")])) == [1, 1, 2]


@given(categories=st.lists(st.text(max_size=3), min_size=1), window=st.lists(st.text(max_size=3)))
def test_every_category_is_in_exactly_one_bin(categories: list[str], window: list[str]) -> None:
    assert cut_category_bins(categories).count(window).sum() == len(window)


def test_reference_without_values_is_refused() -> None:
    with pytest.raises(MetricsError, match="no finite number"):
        cut_numeric_bins([None, float("nan")])
    with pytest.raises(MetricsError, match="no category"):
        cut_category_bins([None])


@given(counts=st.lists(st.integers(0, 1_000_000), min_size=1))
def test_shares_add_up_to_one_and_none_is_zero(counts: list[int]) -> None:
    shares = smooth_shares(np.array(counts))
    assert shares.sum() == pytest.approx(1)
    assert shares.min() > 0


def test_smoothing_adds_half_a_value_to_each_bin() -> None:
    assert list(smooth_shares(np.array([0, 3]))) == [SMOOTHING / 4, 3.5 / 4]
