"""D8: alerts that are of one environment alone, on the real promtool: no other stack hides what one of them finds."""

from dataclasses import replace
from pathlib import Path

import pytest

from headroom.alerts.rules import ANY_ENVIRONMENT, Rule, load_rules
from headroom.alerts.scenarios import Scenario, build_tests, load_scenarios
from headroom.cli.promtool import render_rules, run_tests

SICK, HEALTHY = "prod", "staging"
"""The environments of the scenarios: what is wrong is in the first, and the second one's job works."""

DAY_SECONDS = 86_400
OWN = [rule for rule in load_rules() if ANY_ENVIRONMENT in rule.expr]

pytestmark = pytest.mark.monitoring


def together(rule: Rule) -> Scenario:
    """The scenario with a healthy stack beside the sick one in every case.

    A job that has been silent for a day is forgotten where the series of another stack go on, and here it is not.
    """
    (scenario,) = (each for each in load_scenarios() if each.alert == rule.name)
    cases = tuple(
        replace(case, alone=False, silent=tuple(time for time in case.silent if time < DAY_SECONDS))
        for case in scenario.cases
    )
    assert any(case.without and case.fires for case in cases)
    return replace(scenario, cases=cases)


def run(promtool: Path, rule: Rule, environment: str) -> str:
    own, file = replace(rule, expr=rule.expr_of(environment)), "own.rules.yaml"
    tests = build_tests(together(rule), own, file, derived=False)
    (report,) = run_tests(promtool, {file: render_rules([own])}, {"own.yaml": tests}).values()
    return report


@pytest.mark.parametrize("rule", OWN, ids=lambda rule: rule.name)
def test_a_healthy_stack_in_the_same_project_hides_nothing(promtool: Path, rule: Rule) -> None:
    """D8: not even where the job of the sick one never succeeded, so that it has no series at all."""
    assert run(promtool, rule, SICK) == ""


@pytest.mark.parametrize("rule", OWN, ids=lambda rule: rule.name)
def test_nobody_is_paged_for_the_fault_of_another_stack(promtool: Path, rule: Rule) -> None:
    """D8: every firing that a case expects is missed, as the other stack's job works."""
    report = run(promtool, rule, HEALTHY)
    assert "got:[]" in report
    assert report.count("got:[]") == report.count("got:")


def test_there_is_such_an_alert() -> None:
    assert [rule.name for rule in OWN] == ["RollbackJobSilent"]
