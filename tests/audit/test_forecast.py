"""Q8: a limit is said to be reached where use rises for certain, and not where it swings or stays."""

import math
import random

import pytest

from headroom.audit.forecast import forecast
from headroom.audit.series import Series
from tests.audit.worlds import COUNT, START, STEP_S, flat, rising, series

HOURS = (COUNT - 1) * STEP_S / 3_600


def shaped(values: list[float]) -> Series:
    return Series(START, STEP_S, tuple(values))


def test_a_straight_rise_reaches_its_limit_when_the_line_does() -> None:
    found = forecast(rising(0, 50), 100)
    assert found is not None
    assert found.per_hour == pytest.approx(50 / HOURS, rel=0.03)
    assert found.hours == pytest.approx(HOURS, rel=0.05)


def test_a_rise_that_is_there_already_needs_no_time() -> None:
    found = forecast(rising(0, 50), 40)
    assert found is not None
    assert found.hours == 0


def test_outliers_do_not_turn_a_trend() -> None:
    values = [number * 0.5 for number in range(COUNT)]
    values[10], values[60] = 900.0, 700.0
    found = forecast(shaped(values), 100)
    assert found is not None
    assert found.per_hour == pytest.approx(0.5 / 3, rel=0.15)


@pytest.mark.parametrize(
    "silent",
    [
        flat(5),
        rising(50, 0),
        shaped([10 + 5 * math.sin(number / 8 * 2 * math.pi) for number in range(COUNT)]),
        series([float(number) for number in range(6)]),
        None,
    ],
    ids=["flat", "falling", "a daily rhythm", "less than a day", "nothing known"],
)
def test_what_does_not_rise_for_certain_has_no_forecast(silent: Series | None) -> None:
    assert forecast(silent, 100) is None


def test_noise_alone_is_taken_for_a_rise_about_as_often_as_the_test_says() -> None:
    source = random.Random(7)
    found = sum(
        forecast(shaped([source.random() for _ in range(COUNT)]), 100) is not None for _ in range(200)
    )
    assert found <= 20


@pytest.mark.parametrize("limit", [None, 0, -1])
def test_without_a_limit_nothing_is_reached(limit: float | None) -> None:
    assert forecast(rising(0, 50), limit) is None
