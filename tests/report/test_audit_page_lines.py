"""Lines: no peak is lost, nothing is drawn where nothing is known, axes are round."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.audit.series import Series
from headroom.report.audit_page_amounts import UNITS, show_number
from headroom.report.audit_page_lines import (
    HEIGHT,
    MOST_POINTS,
    SPARK_HEIGHT,
    WIDTH,
    ceiling,
    draw_chart,
    draw_spark,
    thin_out,
    trace,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
GPUS = UNITS["gpus"]

amounts = st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=800)


def of(*values: float | None, step_s: int = 3_600) -> Series:
    return Series(START, step_s, values)


@given(amounts, st.integers(1, 200))
def test_thinning_keeps_the_peak_and_the_window_and_invents_nothing(
    values: list[float | None], most: int
) -> None:
    series = of(*values)
    thin = thin_out(series, most)
    assert len(thin.values) <= most
    assert thin.peak == series.peak
    assert set(thin.known) <= set(series.known)
    assert len(thin.values) * thin.step_s >= len(values) * series.step_s


def test_a_stretch_of_which_nothing_is_known_stays_unknown() -> None:
    assert thin_out(of(1, 2, None, None, None, 3), 3).values == (2, None, 3)


@given(amounts)
def test_every_chart_keeps_to_its_box(values: list[float | None]) -> None:
    chart = draw_chart(of(*values), None, GPUS)
    if chart is None:
        assert all(value is None for value in values)
        return
    numbers = [float(each) for each in re.findall(r"-?[\d.]+(?:e-?\d+)?", chart.path.replace("h0", ""))]
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])
    assert len(numbers) <= 2 * MOST_POINTS
    assert chart.peak.y == min(numbers[1::2])


def test_a_line_breaks_where_nothing_is_known_and_the_gap_is_shaded() -> None:
    chart = draw_chart(of(4, 4, None, None, 8), 8, GPUS)
    assert chart is not None
    assert chart.path == "M0 42L78 42M312 0h0"
    assert chart.gaps == ((117.0, 156.0),)
    assert "Not known in 2 of 5 steps." in chart.description


def test_peak_limit_and_axes_are_where_they_belong() -> None:
    chart = draw_chart(of(2, 12, 6), 20, GPUS)
    assert chart is not None
    assert (chart.peak.x, chart.peak.y, chart.peak.label) == (156, HEIGHT * (1 - 12 / 20), "12")
    assert chart.limit is not None
    assert (chart.limit.y, chart.limit.label) == (0, "20")
    assert chart.levels == ("0", "10", "20")
    assert "Peak 12 GPUs around Nov 01 01:00 UTC." in chart.description


def test_times_are_dates_over_days_and_hours_within_one() -> None:
    day = draw_chart(of(*[1] * 25), None, GPUS)
    month = draw_chart(of(*[1] * 720), None, GPUS)
    assert day is not None
    assert month is not None
    assert day.times == ("Nov 01 00:00", "Nov 01 12:00", "Nov 02 00:00")
    assert month.times == ("Nov 01", "Nov 15", "Nov 30")


def test_axes_are_in_the_unit_that_people_read() -> None:
    chart = draw_chart(of(48 * 2**30), 96 * 2**30, UNITS["memory"])
    assert chart is not None
    assert chart.levels == ("0", "50", "100")
    assert chart.peak.label == "48"


def test_use_of_nothing_is_a_line_at_the_bottom() -> None:
    chart = draw_chart(of(0, 0), None, GPUS)
    assert chart is not None
    assert chart.path == f"M0 {HEIGHT}L312 {HEIGHT}"


@pytest.mark.parametrize("series", [None, of(None, None)])
def test_without_anything_known_there_is_no_line(series: Series | None) -> None:
    assert draw_chart(series, 5, GPUS) is None
    assert draw_spark(series, 5, 10) == ""


def test_a_small_line_has_the_cap_as_its_top_unless_more_was_used() -> None:
    assert draw_spark(of(0, 5, 10), 10, 10) == f"M0 {SPARK_HEIGHT}L36 7 72 0"
    assert draw_spark(of(0, 20), 10, 10) == f"M0 {SPARK_HEIGHT}L72 0"


@pytest.mark.parametrize(
    ("amount", "top"),
    [(0, 1), (1, 1), (1.01, 2), (12, 20), (61.6, 80), (100, 100), (0.3, 0.4), (8_001, 10_000)],
)
def test_the_top_of_an_axis_is_round_and_not_below_the_amount(amount: float, top: float) -> None:
    assert ceiling(amount) == pytest.approx(top)


def test_a_point_alone_is_a_dot() -> None:
    assert trace([(0, None), (5, 2), (6, None)]) == "M5 2h0"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "?"), (0, "0"), (0.01, "<0.1"), (0.26, "0.3"), (12, "12"), (61.62, "61.6"), (1234.04, "1,234")],
)
def test_a_number_is_short_and_never_zero_for_what_is_more(amount: float | None, text: str) -> None:
    assert show_number(amount) == text
