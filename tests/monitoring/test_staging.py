"""D4: what keeps alerts out of staging, on the real promtool: each scenario with the very query of the policy."""

from dataclasses import replace
from pathlib import Path

import pytest

from headroom.alerts.rules import ANY_ENVIRONMENT, Rule, load_rules
from headroom.cli.promtool import run_scenarios
from headroom.planning.alerting import PromqlCondition, plan_alert_policies
from headroom.planning.staging import narrow_to_environment

SICK = "prod"
"""The environment of the pipeline that is sick in every scenario; what is beside it is healthy."""

pytestmark = pytest.mark.monitoring


def narrowed(environment: str) -> list[Rule]:
    rules = [rule for rule in load_rules() if not rule.gates_canary and ANY_ENVIRONMENT not in rule.expr]
    found = []
    for rule, policy in zip(rules, plan_alert_policies(rules, environment), strict=True):
        (condition, *_) = narrow_to_environment(policy, rule, environment).conditions
        if isinstance(condition, PromqlCondition) and condition.query != rule.expr:
            found.append(replace(rule, expr=condition.query))
    return found


def test_narrowed_to_its_environment_every_alert_fires_as_before(promtool: Path) -> None:
    """D4: with the same labels and the same values, and is silent when it was."""
    rules = narrowed(SICK)
    assert len(rules) > 25
    failures = {name: text for name, text in run_scenarios(promtool, rules).items() if text}
    assert failures == {}


def test_narrowed_to_another_environment_no_alert_fires(promtool: Path) -> None:
    """D4: so nobody is paged for staging; every firing that a scenario expects is missed."""
    rules = narrowed(f"{SICK}-other")
    for name, text in run_scenarios(promtool, rules).items():
        assert "got:[]" in text, name
        assert text.count("got:[]") == text.count("got:"), name
