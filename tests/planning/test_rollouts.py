"""D2, D7, D8: phases, what judges them, how long a good release takes, and what is at risk."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.alerts.linting import judgement_seconds
from headroom.alerts.promql import parse_promql
from headroom.alerts.rules import load_rules
from headroom.catalog.rollouts import load_presets
from headroom.planning.alerting import INGEST_DELAY_SECONDS
from headroom.planning.plan import Plan
from headroom.planning.rollouts import RolloutPlan, find_gates, least_watch_seconds, read_starvation

Planner = Callable[[], Plan]


@pytest.fixture
def rollout(delivered: dict[str, Any], plan_whole: Planner) -> Callable[..., RolloutPlan]:
    def plan(**delivery: Any) -> RolloutPlan:
        delivered["delivery"] = delivery
        planned = plan_whole().delivery
        assert planned is not None
        (rollout,) = planned.rollouts
        return rollout

    return plan


def test_every_alert_that_gates_a_canary_judges_every_rollout(rollout: Callable[..., RolloutPlan]) -> None:
    """D8: one set of alerts tells people and stops the canary."""
    gating = {rule.name for rule in load_rules() if rule.gates_canary}
    assert {gate.alert for gate in rollout().gates} == gating
    assert {"CanaryErrors", "CanarySlow", "CanaryStarved", "CanaryQuality", "CanaryDrift"} <= gating


def test_a_gates_judgement_covers_window_duration_evaluation_and_late_samples() -> None:
    """D8: before that nobody knows whether a model is bad."""
    rules = {rule.name: rule for rule in load_rules()}
    for gate in find_gates("test"):
        rule = rules[gate.alert]
        assert (
            gate.judgement_seconds == judgement_seconds(rule, parse_promql(rule.expr)) + INGEST_DELAY_SECONDS
        )
        assert gate.judgement_seconds > rule.for_seconds + 180


@pytest.mark.parametrize("preset", sorted(load_presets()))
def test_every_phase_of_a_preset_outlasts_every_gate(preset: str) -> None:
    """D8: a preset with a blind phase would let bad models pass."""
    least = least_watch_seconds(find_gates("test"))
    assert all(phase.minutes * 60 >= least for phase in load_presets()[preset].phases)


def test_presets_differ_in_the_harm_that_they_allow(rollout: Callable[..., RolloutPlan]) -> None:
    """D8: the first phase is what a bad model gets."""
    risks = [rollout(preset=preset).phases[0].requests_at_risk for preset in ("standard", "fast")]
    assert risks == sorted(risks)
    shares = [load_presets()[preset].phases[0].percent for preset in ("cautious", "standard", "fast")]
    assert shares == sorted(shares)


def test_what_is_at_risk_is_what_comes_until_the_slowest_gate_has_fired(
    rollout: Callable[..., RolloutPlan],
) -> None:
    """D8."""
    plan = rollout(phases=[{"percent": 10, "minutes": 60}])
    (phase,) = plan.phases
    assert phase.requests == pytest.approx(100 * 0.10 * 3600)
    assert phase.requests_at_risk == pytest.approx(100 * 0.10 * least_watch_seconds(plan.gates))


def test_the_canary_is_as_large_as_its_share_and_one_at_least(rollout: Callable[..., RolloutPlan]) -> None:
    plan = rollout(phases=[{"percent": 5, "minutes": 30}, {"percent": 60, "minutes": 30}])
    assert [phase.replicas for phase in plan.phases] == [1, -(-plan.replicas * 60 // 100)]
    assert plan.peak_replicas == plan.replicas + plan.phases[1].replicas + 1


def test_a_good_release_takes_as_long_as_its_phases(rollout: Callable[..., RolloutPlan]) -> None:
    """D7."""
    plan = rollout(phases=[{"percent": 5, "minutes": 30}, {"percent": 50, "minutes": 45}])
    assert plan.watch_seconds == 75 * 60
    assert plan.preset == ""


def test_the_least_traffic_that_a_canary_can_be_judged_by_follows_the_alert(
    rollout: Callable[..., RolloutPlan],
) -> None:
    """D8: below it the canary is starved, at night too."""
    least, window = read_starvation()
    assert (least, window) == (100, 600)
    assert rollout(phases=[{"percent": 5, "minutes": 30}]).least_qps == pytest.approx(100 / 600 * 20)


def test_staging_comes_before_production_and_asks_nobody(rollout: Callable[..., RolloutPlan]) -> None:
    """D1, D4."""
    staging, production = rollout().targets
    assert (staging.stage, staging.namespace, staging.environment) == ("staging", "s-staging", "test-staging")
    assert (production.stage, production.namespace, production.environment) == ("production", "s", "test")
    assert (staging.approval, production.approval) == (False, True)


def test_who_may_do_what_is_filled_in(rollout: Callable[..., RolloutPlan]) -> None:
    """D1, D2, D6: on-call and approvers roll back, and nobody waits for the one who released."""
    approvals = rollout().approvals
    assert approvals.release == ("group:owners@acme.dev",)
    assert approvals.begin == approvals.increase == ("group:approvers@acme.dev",)
    assert set(approvals.roll_back) == {"group:owners@acme.dev", "group:approvers@acme.dev"}
    own = rollout(approvals={"increase": ["user:ada@acme.dev"]}).approvals
    assert (own.begin, own.increase) == (("group:approvers@acme.dev",), ("user:ada@acme.dev",))


def test_validation_takes_its_thresholds_from_the_stack_file(rollout: Callable[..., RolloutPlan]) -> None:
    """D7."""
    plan = rollout(validation={"minutes": 45, "quality": {"auc": {"min": 0.8}}, "skew": 0.2, "worse": 0.01})
    assert plan.validation.image.endswith("a1")
    assert plan.validation.timeout_seconds == 2700
    assert [(bound.metric, bound.least, bound.most) for bound in plan.validation.quality] == [
        ("auc", 0.8, None)
    ]
    assert (plan.validation.skew, plan.validation.worse) == (0.2, 0.01)
