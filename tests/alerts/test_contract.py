"""The metrics contract, its page, and its hold on the rules."""

from pathlib import Path

import pytest

from headroom.alerts.contract import KINDS, load_contract
from headroom.alerts.contract_page import render_contract
from headroom.alerts.promql import Binary, Call, Number, Selector, branches, parse_promql, selectors
from headroom.alerts.rules import Rule, load_rules

CONTRACT = load_contract()


def test_the_page_is_printed_from_the_contract(root: Path) -> None:
    page = (root / "docs" / "metrics.md").read_text()
    assert page == render_contract(CONTRACT, load_rules()), "run headroom alerts metrics > docs/metrics.md"


def test_every_label_is_explained_and_used() -> None:
    used = {label for metric in CONTRACT.metrics for label in metric.labels} | {"le"}
    assert used == {label for label, _ in CONTRACT.labels}


def test_every_series_of_pipelines_and_queues_names_environment_and_pipeline() -> None:
    for metric in CONTRACT.metrics:
        if metric.exporter in ("pipeline", "kueue"):
            assert {"environment", "pipeline"} <= set(metric.labels), metric.name


def test_every_metric_is_dated_and_read_by_a_rule() -> None:
    read = {selector.metric for rule in load_rules() for selector in selectors(parse_promql(rule.expr))}
    found = {metric.name for name in read if (metric := CONTRACT.find(name))}
    assert found == {metric.name for metric in CONTRACT.metrics}
    assert all(metric.source and metric.date and metric.meaning for metric in CONTRACT.metrics)


def test_histograms_have_buckets_and_counts() -> None:
    assert CONTRACT.find("ml_prediction_duration_seconds_bucket") is CONTRACT.find(
        "ml_prediction_duration_seconds"
    )
    assert "le" in (CONTRACT.labels_of("ml_prediction_duration_seconds_bucket") or ())
    assert "le" not in (CONTRACT.labels_of("ml_prediction_duration_seconds_count") or ())
    assert CONTRACT.find("ml_model_quality_bucket") is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_must_export_is_missed_by_an_alert(kind: str, rules: dict[str, Rule]) -> None:
    """M1 to M16: a metric that is absent is unknown, and not fine."""
    wanted = {
        metric.name
        for metric in CONTRACT.metrics
        if kind in metric.required_of and metric.name != "ml_pipeline_info"
    }
    assert wanted
    assert missed(rules["MetricMissing"], kind) == wanted


def missed(rule: Rule, kind: str) -> set[str]:
    """The metrics that the rule misses of pipelines of that kind."""
    found = set()
    for branch in branches(parse_promql(rule.expr)):
        assert isinstance(branch, Call)
        unless, target, name = branch.arguments[:3]
        assert target == Number('"missing"')
        assert isinstance(unless, Binary)
        info, series = selectors(unless.left)[0], selectors(unless.right)[0]
        assert isinstance(name, Number)
        metric = CONTRACT.find(series.metric)
        assert metric
        assert metric.name == name.text.strip('"')
        if kind in kinds(info):
            found.add(metric.name)
    return found


def kinds(info: Selector) -> list[str]:
    assert info.metric == "ml_pipeline_info"
    return info.matchers[0].value.split("|")
