"""Data issues: what is found in values, and counted by reason."""

from typing import Any

import numpy as np
import pytest
from headroom_metrics import (
    CategoryField,
    DataCheck,
    Exporter,
    MetricsError,
    NumberField,
    TextField,
    find_issue,
)
from hypothesis import given
from hypothesis import strategies as st

AGE = NumberField("age", 0, 120)
COUNTRY = CategoryField("country", frozenset({"DE", "FR"}))
NOTE = TextField("note", longest=5, required=False)


class NAType:
    """As a data frame marks an absent value: comparisons with it are neither true nor false."""

    def __ne__(self, other: object) -> Any:
        return self

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        raise TypeError


@pytest.mark.parametrize(
    ("field", "value", "issue"),
    [
        (AGE, 0, None),
        (AGE, 120.0, None),
        (AGE, np.float32(3), None),
        (AGE, np.int64(3), None),
        (AGE, -0.001, "range"),
        (AGE, 121, "range"),
        (AGE, None, "missing"),
        (AGE, float("nan"), "missing"),
        (AGE, NAType(), "missing"),
        (AGE, float("inf"), "corrupt"),
        (AGE, "12", "type"),
        (AGE, True, "type"),
        (AGE, [1, 2], "type"),
        (AGE, np.array([1, 2]), "type"),
        (COUNTRY, "DE", None),
        (COUNTRY, b"DE", None),
        (COUNTRY, "US", "range"),
        (COUNTRY, 7, "type"),
        (COUNTRY, None, "missing"),
        (COUNTRY, b"\xff\xfe", "corrupt"),
        (COUNTRY, "D\N{REPLACEMENT CHARACTER}", "corrupt"),
        (COUNTRY, "DE\0", "corrupt"),
        (NOTE, "a\tb\n", None),
        (NOTE, "", None),
        (NOTE, None, None),
        (NOTE, "123456", "range"),
    ],
)
def test_issue_of_a_value(field: Any, value: Any, issue: str | None) -> None:
    """M3, M8: missing and corrupted values, and those of another type."""
    assert find_issue(field, value) == issue


def test_values_and_issues_are_counted_by_field_and_reason(data: Exporter, read: Any) -> None:
    check = DataCheck(data, [AGE, COUNTRY], invalid_ratio_bound=0.05)
    issues = check.check_rows(
        [{"age": 3, "country": "DE"}, {"age": "x"}, {"age": 500, "country": "FR", "z": 0}]
    )
    assert issues.values == 6
    assert issues.invalid == {("age", "type"): 1, ("age", "range"): 1, ("country", "missing"): 1}
    assert issues.share == 0.5
    assert read(data, "ml_data_values_total", stage="data", feature="age") == 3
    assert read(data, "ml_data_invalid_values_total", feature="age", reason="range") == 1
    assert read(data, "ml_data_invalid_values_total", feature="country", reason="missing") == 1
    assert read(data, "ml_data_invalid_ratio_bound", stage="data") == 0.05


def test_every_series_is_there_at_zero_before_anything_is_checked(data: Exporter, read: Any) -> None:
    DataCheck(data, [AGE])
    assert read(data, "ml_data_values_total", feature="age") == 0
    for reason in ("missing", "type", "range", "corrupt"):
        assert read(data, "ml_data_invalid_values_total", feature="age", reason=reason) == 0


def test_row_without_issues_is_sound(data: Exporter) -> None:
    check = DataCheck(data, [AGE])
    assert not check.check_row({"age": 3}).invalid
    assert check.check_row({}).invalid == {("age", "missing"): 1}


def test_share_of_no_values_is_not_known(data: Exporter) -> None:
    assert DataCheck(data, [AGE]).check_rows([]).share is None


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)))
def test_array_is_judged_as_its_values_are(values: list[float]) -> None:
    from headroom_metrics.data_issues import _count_issues

    assert _count_issues(AGE, np.array(values, dtype=float)) == _count_issues(AGE, values)


def test_column_that_is_absent_is_refused(data: Exporter) -> None:
    with pytest.raises(MetricsError, match="country: the column is absent"):
        DataCheck(data, [COUNTRY]).check_columns({"age": [1]})


def test_fields_that_mean_nothing_are_refused(data: Exporter) -> None:
    with pytest.raises(MetricsError, match="age: minimum 2 is above maximum 1"):
        NumberField("age", 2, 1)
    with pytest.raises(MetricsError, match="choices are empty"):
        CategoryField("country", frozenset())
    with pytest.raises(MetricsError, match="declared twice"):
        DataCheck(data, [AGE, AGE])


@pytest.mark.parametrize("bound", [0, 1, float("nan")])
def test_bound_that_is_no_ratio_is_refused(data: Exporter, bound: float) -> None:
    with pytest.raises(MetricsError, match="is no ratio"):
        DataCheck(data, [AGE], invalid_ratio_bound=bound)
