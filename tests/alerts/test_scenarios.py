"""What is proven of each alert by promtool, with the scenarios that the package has."""

from pathlib import Path
from typing import Any

import pytest

from headroom.alerts.contract import load_contract
from headroom.alerts.rules import Rule, load_rules, render_rules
from headroom.alerts.scenarios import Scenario, build_tests, load_scenarios
from headroom.cli.promtool import check_syntax, run_scenarios

SCENARIOS = {scenario.alert: scenario for scenario in load_scenarios()}
names = pytest.mark.parametrize("name", [rule.name for rule in load_rules()])


def cases_of(rule: Rule) -> list[dict[str, Any]]:
    return build_tests(SCENARIOS[rule.name], rule, "rules.yaml")["tests"]


def environments(test: dict[str, Any]) -> set[str]:
    text = " ".join(row["series"] for row in test["input_series"])
    return {name for name in ("prod", "staging") if f'"{name}"' in text or f'"acme-{name}"' in text}


def test_every_alert_has_one_scenario_and_every_scenario_an_alert() -> None:
    assert sorted(scenario.alert for scenario in load_scenarios()) == sorted(
        rule.name for rule in load_rules()
    )


@names
def test_a_scenario_shows_the_fault_the_silence_before_and_the_end(name: str) -> None:
    cases = SCENARIOS[name].cases
    assert any(case.fires and min(case.silent, default=99**9) < case.fires[0][0] for case in cases)
    assert any(case.fires and max(case.silent, default=0) > case.fires[-1][0] for case in cases)


@names
def test_only_one_of_several_is_sick(name: str, rules: dict[str, Rule]) -> None:
    for case, test in zip(SCENARIOS[name].cases, cases_of(rules[name]), strict=False):
        assert ("staging" in environments(test)) is not case.alone, test["name"]


@names
def test_every_metric_of_the_rule_goes_missing_once(name: str, rules: dict[str, Rule]) -> None:
    scenario = SCENARIOS[name]
    silence = cases_of(rules[name])[-1]
    text = " ".join(row["series"] for row in silence["input_series"])
    metrics = {series.partition("{")[0] for series in scenario.healthy}
    for metric in metrics - set(scenario.absence) if len(metrics) > 1 else ():
        assert f'"without {metric}"' in text or f'"acme-without {metric}"' in text
    assert "failed scrapes" in text
    assert "restart" in text


def test_absence_is_the_fault_only_where_the_rule_asks_for_it(rules: dict[str, Rule]) -> None:
    for scenario in SCENARIOS.values():
        for metric in scenario.absence:
            expr = rules[scenario.alert].expr
            assert "unless" in expr or "absent" in expr, scenario.alert
            assert metric.removesuffix("_count") in expr


def test_a_restart_resets_what_rises_and_nothing_else(rules: dict[str, Rule]) -> None:
    silence = cases_of(rules["CanaryErrors"])[-1]
    rows = [row["values"] for row in silence["input_series"] if '"restart"' in row["series"]]
    assert rows
    assert all("_x3 0+" in values for values in rows)
    silence = cases_of(rules["MonitorDead"])[-1]
    rows = [row["values"] for row in silence["input_series"] if '"restart"' in row["series"]]
    assert not any("_x3 0+" in values for values in rows)


@pytest.mark.parametrize(
    ("series", "phrase"),
    [("ml_unknown", "is no series of the contract"), ('ml_model_quality{color="red"}', "has no label color")],
)
def test_a_scenario_with_series_that_nobody_exports_is_refused(
    series: str, phrase: str, rules: dict[str, Rule]
) -> None:
    rule = rules["ServingQuality"]
    scenario = SCENARIOS[rule.name]
    odd = Scenario(
        **{**{key: getattr(scenario, key) for key in scenario.__dataclass_fields__}, "healthy": {series: "1"}}
    )
    with pytest.raises(ValueError, match=phrase):
        build_tests(odd, rule, "rules.yaml")


def test_identity_labels_follow_the_exporter(rules: dict[str, Rule]) -> None:
    row = cases_of(rules["PipelineQuotaNearCap"])[0]["input_series"][0]["series"]
    assert 'pipeline="clicks"' in row
    assert 'cluster_queue="clicks"' in row
    row = cases_of(rules["LogSinkErrors"])[0]["input_series"][0]["series"]
    metric = load_contract().find("logging.googleapis.com/exports/error_count")
    assert metric
    assert row.startswith(
        f'{{__name__="{metric.name}", monitored_resource="logging_sink", project_id="acme-prod"'
    )


@pytest.mark.monitoring
def test_promtool_takes_all_rules_as_one_file(promtool: Path) -> None:
    assert check_syntax(promtool, render_rules(load_rules())) == ""


@pytest.mark.monitoring
def test_promtool_refuses_what_is_no_rule(promtool: Path, rules: dict[str, Rule]) -> None:
    text = render_rules([rules["ServingOutage"]])
    assert "unless" in text
    assert "parse error" in check_syntax(promtool, text.replace("unless", "unles"))


@pytest.mark.monitoring
@names
def test_an_alert_fires_on_the_fault_and_only_then(name: str, rules: dict[str, Rule], promtool: Path) -> None:
    """M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15, M16, Q3, Q5, D8.

    It fires with the values that people are told, and ends; it is silent on health, on missing metrics, on
    failed scrapes and restarts, and on the healthy neighbours of the sick.
    """
    assert run_scenarios(promtool, [rules[name]]) == {name: ""}
