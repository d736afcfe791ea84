"""The reader of PromQL, and the labels of a result."""

import pytest

from headroom.alerts.contract import load_contract
from headroom.alerts.labels import result_labels
from headroom.alerts.promql import (
    Aggregate,
    Binary,
    Call,
    Number,
    PromqlError,
    branches,
    parse_promql,
    read_flag,
    selectors,
)
from headroom.alerts.rules import load_rules


def labels(expression: str) -> set[str] | None:
    known = load_contract().labels_of
    found = result_labels(parse_promql(expression), lambda series: known(series) or frozenset())
    return None if found is None else set(found)


def test_operators_bind_as_in_prometheus() -> None:
    tree = parse_promql("ml_model_quality > 1 + 2 * 3 or ml_model_quality unless ml_model_quality")
    assert isinstance(tree, Binary)
    assert tree.operator == "or"
    left, right = branches(tree)
    assert isinstance(right, Binary)
    assert right.operator == "unless"
    assert isinstance(left, Binary)
    assert left.operator == ">"
    assert isinstance(left.right, Binary)
    assert left.right.operator == "+"
    assert left.right.right == Binary("*", Number("2"), Number("3"), None, False)


def test_selectors_are_read_with_windows_and_with_names_in_braces() -> None:
    tree = parse_promql(
        'sum by (location) (rate({__name__="a.googleapis.com/b/c", monitored_resource="r"}[1h30m]))'
    )
    assert isinstance(tree, Aggregate)
    assert tree.by == ("location",)
    assert isinstance(tree.arguments[0], Call)
    (selector,) = selectors(tree)
    assert (selector.metric, selector.range_seconds) == ("a.googleapis.com/b/c", 5400)
    assert [matcher.label for matcher in selector.matchers] == ["monitored_resource"]


@pytest.mark.parametrize(
    ("expression", "phrase"),
    [
        ("ml_model_quality >", "ends where"),
        ("ml_model_quality )", "does not go on"),
        ("ml_model_quality @ 5", "cannot be read"),
        ("sum(ml_model_quality)", "without by"),
        ("sum without (metric) (ml_model_quality)", "without by"),
        ("ml_model_quality > bool 1", "has bool"),
        ("ml_model_quality offset 1d", "has offset"),
        ("ml_model_quality / ignoring (metric) ml_model_quality", "has ignoring"),
        ("ml_model_quality / on (metric) group_right () ml_model_quality", "has group_right"),
        ("ml_model_quality / on (metric) group_left (metric) ml_model_quality", "group_left with labels"),
        ('{__name__=~"ml_.*"}', "regular expression"),
        ('{metric="auc"}', "without the name"),
        ("rate(ml_prediction_requests_total[five])", "duration is needed"),
    ],
)
def test_what_rules_do_without_is_refused(expression: str, phrase: str) -> None:
    with pytest.raises(PromqlError, match=phrase.replace("(", r"\(")):
        parse_promql(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("time()", None),
        ("ml_training_schedule_seconds * 2", {"environment", "pipeline"}),
        ("max by (pipeline) (ml_model_quality)", {"pipeline"}),
        (
            "histogram_quantile(0.9, sum by (track, le) (rate(ml_prediction_duration_seconds_bucket[5m])))",
            {"track"},
        ),
        ("absent(ml_model_quality)", set()),
        (
            "max by (pipeline, metric) (ml_model_quality) < on (pipeline) group_left () "
            "max by (pipeline) (ml_model_quality_bound)",
            {"pipeline", "metric"},
        ),
        (
            "max by (pipeline, track) (ml_model_quality) or max by (pipeline, metric) (ml_model_quality)",
            {"pipeline"},
        ),
        ('label_replace(max by (pipeline) (ml_model_quality), "kind", "x", "", "")', {"pipeline", "kind"}),
    ],
)
def test_the_labels_of_a_result_are_known(expression: str, expected: set[str] | None) -> None:
    assert labels(expression) == expected


@pytest.mark.parametrize(
    ("expression", "phrase"),
    [
        ("max by (feature) (ml_model_quality)", "which is no label"),
        (
            "max by (pipeline, metric) (ml_model_quality) > on (pipeline) "
            "max by (pipeline) (ml_model_quality_bound)",
            "write group_left",
        ),
        ("max by (pipeline) (ml_model_quality) > max by (metric) (ml_model_quality)", "say on"),
        (
            "max by (pipeline) (ml_model_quality) unless on (metric) max by (pipeline) (ml_model_quality)",
            "one side has not",
        ),
        ("stddev_over_time(ml_model_quality[5m])", "do without"),
    ],
)
def test_sides_that_cannot_be_matched_are_refused(expression: str, phrase: str) -> None:
    with pytest.raises(PromqlError, match=phrase):
        labels(expression)


def test_a_flag_is_told_from_other_thresholds() -> None:
    flag = read_flag(parse_promql("max by (location) (max_over_time(x[10m])) > 0"))
    assert flag is not None
    assert (flag.by, flag.selector.range_seconds) == (("location",), 600)
    assert read_flag(parse_promql("max by (location) (max_over_time(x[10m])) > 1")) is None
    assert read_flag(parse_promql("min by (location) (max_over_time(x[10m])) > 0")) is None


def test_every_rule_is_read() -> None:
    for rule in load_rules():
        assert selectors(parse_promql(rule.expr)), rule.name
