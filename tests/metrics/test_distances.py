"""Distances of two distributions: what they are on known, equal, swapped and shifting ones."""

from math import log

import numpy as np
import pytest
from headroom_metrics.bins import smooth_shares
from headroom_metrics.distances import Method, measure_distance, measure_jsd, measure_psi
from hypothesis import given
from hypothesis import strategies as st

METHODS = ("psi", "jsd")

counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=30)
pairs = st.integers(2, 20).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=size, max_size=size)] * 2)
)


def shares(counts: list[int]) -> np.ndarray:
    return smooth_shares(np.array(counts))


def test_psi_of_known_shares() -> None:
    reference, window = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    assert measure_psi(reference, window) == pytest.approx(0.4 * log(1.8) - 0.4 * log(0.2))


def test_jsd_is_the_distance_to_base_2() -> None:
    assert measure_jsd(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1)
    divergence = 0.5 * (log(1 / 0.75, 2)) + 0.5 * (0.5 * log(0.5 / 0.75, 2) + 0.5 * log(0.5 / 0.25, 2))
    assert measure_jsd(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(divergence**0.5)


@pytest.mark.parametrize("method", METHODS)
@given(counts=counts)
def test_distance_of_equal_shares_is_zero(method: Method, counts: list[int]) -> None:
    assert measure_distance(method, shares(counts), shares(counts)) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
@given(pair=pairs)
def test_distance_is_symmetric_finite_and_not_negative(
    method: Method, pair: tuple[list[int], list[int]]
) -> None:
    one, other = shares(pair[0]), shares(pair[1])
    distance = measure_distance(method, one, other)
    assert 0 <= distance < float("inf")
    assert distance == pytest.approx(measure_distance(method, other, one), abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
@given(pair=pairs, step=st.floats(0.05, 0.45))
def test_distance_grows_as_the_window_moves_away(
    method: Method, pair: tuple[list[int], list[int]], step: float
) -> None:
    start, end = shares(pair[0]), shares(pair[1])
    near, far = (measure_distance(method, start, start + part * (end - start)) for part in (step, 2 * step))
    assert near <= far + 1e-9


@given(pair=pairs)
def test_jsd_is_at_most_one(pair: tuple[list[int], list[int]]) -> None:
    assert measure_jsd(shares(pair[0]), shares(pair[1])) <= 1 + 1e-9


def test_bin_that_is_empty_on_one_side_makes_no_distance_infinite() -> None:
    assert measure_psi(shares([100, 0]), shares([0, 100])) < float("inf")
