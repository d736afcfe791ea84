"""Owners are told apart by policies: what fires is told once."""

from pathlib import Path
from typing import Any

import pytest

from headroom.alerts.contract import load_contract
from headroom.alerts.labels import result_labels
from headroom.alerts.linting import MOST_SUM_SECONDS, longest_window
from headroom.alerts.promql import parse_promql
from headroom.alerts.rules import Rule, load_rules, render_rules
from headroom.planning.alerting import AlertPolicyPlan, PromqlCondition, plan_alert_policies
from headroom.planning.owner_alerts import is_divisible, name_owner, narrow_to_others, narrow_to_owner
from tests.alerts.conftest import promtool

__all__ = ["promtool"]

RISK, FEED = "group:risk.ml+x@acme.dev", "user:ada@acme.dev"
RULES = {rule.name: rule for rule in load_rules()}
DIVISIBLE = [name for name, rule in RULES.items() if is_divisible(rule)]


def policy(name: str) -> AlertPolicyPlan:
    (planned,) = plan_alert_policies([RULES[name]], "prod")
    return planned


def query(planned: AlertPolicyPlan) -> str:
    (condition,) = planned.conditions
    assert isinstance(condition, PromqlCondition)
    return condition.query


def versions(name: str) -> dict[str, AlertPolicyPlan]:
    whole = policy(name)
    return {
        "others": narrow_to_others(whole, [RISK, FEED]),
        "risk": narrow_to_owner(whole, RISK),
        "feed": narrow_to_owner(whole, FEED),
    }


def test_a_canarys_gate_and_what_is_no_pipelines_are_not_divided() -> None:
    """D8: Cloud Deploy asks one policy about all pipelines."""
    for name, rule in RULES.items():
        assert is_divisible(rule) == (rule.scope == "pipeline" and not rule.gates_canary), name
    assert "CanaryErrors" not in DIVISIBLE
    assert "CloudQuotaExceeded" not in DIVISIBLE
    assert "ServingOutage" in DIVISIBLE


@pytest.mark.parametrize("name", DIVISIBLE)
def test_a_divided_query_is_one_that_cloud_monitoring_takes(name: str) -> None:
    contract = load_contract()
    whole = parse_promql(RULES[name].expr)
    for planned in versions(name).values():
        tree = parse_promql(query(planned))
        assert longest_window(tree) + RULES[name].for_seconds <= MOST_SUM_SECONDS
        labels = [
            result_labels(each, lambda series: contract.labels_of(series) or frozenset())
            for each in (tree, whole)
        ]
        assert labels[0] == labels[1], "people are told the same labels"


def test_policies_of_owners_have_names_of_their_own_and_say_whose_they_are() -> None:
    planned = versions("ServingOutage")
    assert len({each.name for each in planned.values()}) == 3
    assert len({each.display_name for each in planned.values()}) == 3
    assert dict(planned["risk"].user_labels)["owner"] == name_owner(RISK)
    assert planned["others"].name == "serving-outage", "a mute or a gate keeps its hold"


def test_owners_of_one_name_are_told_apart() -> None:
    assert name_owner("group:ada@acme.dev") != name_owner("user:ada@acme.dev") != name_owner("user:ada@b.dev")


@pytest.mark.monitoring
def test_what_fires_is_told_once_whoever_owns_the_pipeline(promtool: Path, tmp_path: Path) -> None:
    """Each of four sick pipelines, one of which says no owner any more, fires in exactly one version."""
    from headroom.cli.promtool import run_tests

    rules = [versioned(name, each) for name, each in versions("TrainingSlow").items()]
    sick = {"risk": RISK, "feed": FEED, "other": "group:risk-ml+x@acme.dev", "silent": None}
    series = [row for name, owner in sick.items() for row in slow_training(name, owner)]
    expected = {"risk": ["risk"], "feed": ["feed"], "others": ["other", "silent"]}
    tests = [
        {
            "eval_time": "30m",
            "alertname": f"TrainingSlow{name.capitalize()}",
            "exp_alerts": [alert(rules, name, pipeline) for pipeline in pipelines],
        }
        for name, pipelines in expected.items()
    ]
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "5m",
        "tests": [{"interval": "5m", "input_series": series, "alert_rule_test": tests}],
    }
    assert run_tests(promtool, {"rules.yaml": render_rules(rules)}, {"t.yaml": document}) == {"t.yaml": ""}


def versioned(name: str, planned: AlertPolicyPlan) -> Rule:
    from dataclasses import replace

    return replace(RULES["TrainingSlow"], name=f"TrainingSlow{name.capitalize()}", expr=query(planned))


def slow_training(pipeline: str, owner: str | None) -> list[dict[str, Any]]:
    labels = f'environment="prod", pipeline="{pipeline}"'
    rows = [
        {"series": f"ml_training_run_duration_seconds{{{labels}}}", "values": "300x12"},
        {"series": f"ml_training_duration_baseline_seconds{{{labels}}}", "values": "100x12"},
    ]
    if owner:
        rows.append({"series": f'ml_pipeline_info{{{labels}, owner="{owner}"}}', "values": "1x12"})
    return rows


def alert(rules: list[Rule], name: str, pipeline: str) -> dict[str, Any]:
    from headroom.alerts.scenarios import render_template

    labels = {"environment": "prod", "pipeline": pipeline}
    rule = rules[0]
    return {
        "exp_labels": labels | dict(rule.labels),
        "exp_annotations": {key: render_template(text, labels, "5m 0s") for key, text in rule.annotations},
    }
