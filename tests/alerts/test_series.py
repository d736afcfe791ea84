"""How scenarios write series, and how promtool is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.alerts.series import Samples, cut, expand, render_samples, reset

NOTATION = re.compile(r"(?P<start>-?[\d.e+-]+?)(?P<slope>[+-][\d.e-]+)?x(?P<count>\d+)$")


def read_notation(text: str) -> Samples:
    """What promtool makes of its notation (prometheus.io/docs/prometheus/2.44/configuration/unit_testing_rules)."""
    samples: Samples = []
    for token in text.split():
        if token.startswith("_x"):
            samples += [None] * int(token[2:])
        elif found := NOTATION.match(token):
            start, slope = float(found["start"]), float(found["slope"] or 0)
            samples += [start + slope * number for number in range(int(found["count"]) + 1)]
        else:
            samples.append(float(token))
    return samples


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("7", [7, 7, 7, 7, 7, 7]),
        ("1 for 2m, 2", [1, 1, 2, 2, 2, 2]),
        ("+10", [0, 10, 20, 30, 40, 50]),
        ("5 for 1m, +2 for 3m, 0", [5, 7, 9, 11, 0, 0]),
        ("+10 for 3m, gap for 1m, +10", [0, 10, 20, None, 30, 40]),
        ("now for 4m, 60", [0, 60, 120, 180, 60, 60]),
        ("gap", [None] * 6),
    ],
)
def test_a_series_is_written_as_it_is_said(text: str, samples: Samples) -> None:
    assert expand(text, 60, 6) == samples


def test_a_series_that_ends_too_early_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before the scenario does"):
        expand("1 for 2m", 60, 6)


def test_a_restart_begins_at_zero_and_a_failed_scrape_leaves_a_gap() -> None:
    assert reset([0, 10, 20, 30], 2) == [0, 10, 0, 10]
    assert cut([0, 10, 20, 30], 1, 2) == [0, None, None, 30]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(1, 9)),
            st.tuples(st.none(), st.none(), st.integers(1, 4)),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_promtool_reads_what_was_meant(runs: list[tuple[int | None, int | None, int]]) -> None:
    samples: Samples = []
    for start, slope, length in runs:
        samples += [None if start is None else float(start + (slope or 0) * n) for n in range(length)]
    assert read_notation(render_samples(samples)) == samples


def test_no_limit_is_told_one_by_one() -> None:
    assert render_samples([float("inf")] * 3) == "Inf Inf Inf"
