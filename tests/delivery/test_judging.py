"""The very policies are asked, and only what promtool says of firing alerts is read as such."""

from dataclasses import replace

import pytest
import yaml

from headroom.delivery.judging import (
    EVALUATION_SECONDS,
    Firing,
    JudgementError,
    build_test,
    read_firings,
    render_gates,
)
from headroom.delivery.simulation import Trial, plan_traffic, plan_watches
from headroom.delivery.traffic import LEAD_SECONDS
from headroom.planning.alerting import INGEST_DELAY_SECONDS, PromqlCondition
from headroom.planning.rollouts import RolloutPlan
from tests.delivery.conftest import plan_of


@pytest.fixture
def rollout() -> RolloutPlan:
    delivery = plan_of("prod").delivery
    assert delivery is not None
    return delivery.rollouts[1]


def got(*samples: str) -> str:
    return f'FAILED:\n    expr: "x", time: 1h,\n        exp: nil\n        got: {", ".join(samples)}'


def sample(alert: str, phase: str, seconds: int) -> str:
    return f'{{alertname="{alert}", alertstate="firing", phase="{phase}"}} {float(seconds):E}'


def test_the_rules_are_the_queries_of_the_policies_that_judge(rollout: RolloutPlan) -> None:
    """D8: with their durations; a policy that judges nothing is left out."""
    policies = [routed.policy for routed in plan_of("prod").alerting.policies]
    rules = yaml.safe_load(render_gates(policies, rollout))["groups"][0]["rules"]
    conditions = [
        condition
        for policy in policies
        if policy.gates_canary
        for condition in policy.conditions
        if isinstance(condition, PromqlCondition)
    ]
    assert len(rules) == len(conditions) == len(rollout.gates) == 5
    assert {rule["expr"] for rule in rules} == {condition.query for condition in conditions}


def test_each_phase_is_asked_for_what_its_watch_can_have_seen_by_its_end(rollout: RolloutPlan) -> None:
    """D8: of this environment, pipeline and track alone, as Cloud Deploy filters."""
    watches = plan_watches(rollout)
    (test,) = build_test(rollout, watches, plan_traffic(rollout, Trial()))["tests"]
    assert len(test["promql_expr_test"]) == len(watches) == len(rollout.phases)
    first = test["promql_expr_test"][0]
    assert 'environment="prod", pipeline="feed-serving", track="canary"' in first["expr"]
    assert "[30m30s:30s]" in first["expr"]
    assert EVALUATION_SECONDS == 30
    # An hour before, a minute until the route is changed, half an hour of watching; what fires in the last
    # three minutes is not seen any more.
    assert (LEAD_SECONDS, INGEST_DELAY_SECONDS) == (3_600, 180)
    assert first["eval_time"] == "1h28m"


def test_an_alert_is_seen_once_its_samples_have_arrived(rollout: RolloutPlan) -> None:
    watches = plan_watches(rollout)
    report = got(sample("CanaryDrift", "canary-5", 3_900), sample("CanaryErrors", "canary-5", 3_720))
    assert read_firings(report, watches) == {
        "canary-5": (Firing("CanaryErrors", 300), Firing("CanaryDrift", 480))
    }


def test_an_alert_that_fires_already_is_seen_as_the_watch_begins(rollout: RolloutPlan) -> None:
    watches = plan_watches(rollout)
    report = got(sample("CanaryDrift", "canary-25", LEAD_SECONDS + 60))
    assert read_firings(report, watches) == {"canary-25": (Firing("CanaryDrift", watches[1].start),)}


def test_silence_is_no_firing(rollout: RolloutPlan) -> None:
    assert read_firings("", plan_watches(rollout)) == {}


@pytest.mark.parametrize("report", ["no report", "FAILED:\n  parse error: unexpected end of input"])
def test_what_is_no_judgement_is_not_taken_for_silence(rollout: RolloutPlan, report: str) -> None:
    with pytest.raises(JudgementError, match="promtool did not judge"):
        read_firings(report, plan_watches(rollout))


def test_a_gate_without_its_policy_is_an_error(rollout: RolloutPlan) -> None:
    odd = replace(rollout, gates=(replace(rollout.gates[0], policy="gone"),))
    with pytest.raises(KeyError, match="gone"):
        render_gates([routed.policy for routed in plan_of("prod").alerting.policies], odd)
