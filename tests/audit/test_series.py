"""Amounts over time: what was not measured is unknown, what is no amount too."""

from datetime import UTC, datetime
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.audit.series import Series, add_series, make_series

START = datetime(2026, 11, 1, tzinfo=UTC)
BEGIN = START.timestamp()


def of(*values: float | None, step_s: int = 3_600) -> Series:
    return Series(START, step_s, values)


@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0, float(2**63 - 1)])
def test_what_is_no_amount_is_not_known(value: float) -> None:
    made = make_series([(BEGIN, 3.0), (BEGIN + 3_600, value)], START, 3_600, 2)
    assert made.values == (3.0, None)
    assert (made.peak, made.mean) == (3.0, 3.0)


def test_of_two_points_in_a_step_the_higher_counts_and_outside_of_the_window_none() -> None:
    points = [(BEGIN - 9_000, 9.0), (BEGIN + 10, 1.0), (BEGIN - 10, 2.0), (BEGIN + 99_999, 9.0)]
    assert make_series(points, START, 3_600, 2).values == (2.0, None)


def test_of_a_series_without_amounts_nothing_is_known() -> None:
    made = make_series([], START, 3_600, 4)
    assert (made.now, made.peak, made.mean, made.busy, made.days) == (None, None, None, None, 0)


def test_now_is_the_last_of_two_steps_or_unknown() -> None:
    assert of(1, 2, 3).now == 3
    assert of(1, 2, None).now == 2
    assert of(1, None, None).now is None


def test_a_sum_is_unknown_where_a_part_is() -> None:
    assert add_series([of(1, None, 3), of(1, 2, 0)]) == of(2, None, 3)
    assert add_series([]) is None
    assert add_series([of(1), of(1, 2)]) is None


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e15)), min_size=1, max_size=40))
def test_no_figure_of_a_series_lies_outside_of_its_amounts(values: list[float | None]) -> None:
    made = of(*values)
    known = [value for value in values if value is not None]
    for figure in (made.peak, made.busy, made.mean, made.now):
        assert figure is None or (min(known) <= figure * (1 + 1e-9) and figure <= max(known) * (1 + 1e-9))
