"""D8: rollouts of the stack files, judged by their own alerts on the real promtool; docs/delivery.md shows them."""

import copy
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from headroom.cli.promtool import run_tests
from headroom.cli.simulate import play_trials
from headroom.delivery.judging import RULE_FILE, build_test, read_firings, render_gates
from headroom.delivery.simulation import Outcome, Trial, decide_outcome, plan_traffic, plan_watches
from headroom.delivery.traffic import FAULTS, OTHER
from headroom.planning.plan import Plan, plan_config
from headroom.planning.rollouts import RolloutPlan
from headroom.report.simulation_table import render_outcomes
from headroom.spec.stack_file import load_config
from tests.monitoring.servers import ROOT

pytestmark = pytest.mark.monitoring

PIPELINES = [("prod", f"{name}-serving") for name in ("assistant", "feed", "fraud", "shelf")]
PIPELINES.append(("dev", "feed-serving"))

ALERTS = {
    "errors": "CanaryErrors",
    "latency": "CanarySlow",
    "drift": "CanaryDrift",
    "quality": "CanaryQuality",
    "starved": "CanaryStarved",
}


@cache
def config_of(stack: str) -> dict[str, Any]:
    return load_config(ROOT / f"Pulumi.{stack}.yaml")


@cache
def plan_of(stack: str) -> Plan:
    return plan_config(config_of(stack), stack, f"Pulumi.{stack}.yaml")


def rollout_of(plan: Plan, pipeline: str = "feed-serving") -> RolloutPlan:
    assert plan.delivery is not None
    found = plan.delivery.find_rollout(pipeline)
    assert found is not None
    return found


def play(promtool: Path, rollout: RolloutPlan, trial: Trial, rules: str = "", *, as_if: str = "") -> Outcome:
    """Play one rollout of the production stack, with other rules, or judged as another pipeline's."""
    policies = [routed.policy for routed in plan_of("prod").alerting.policies]
    watches, judged = plan_watches(rollout), replace(rollout, pipeline=as_if or rollout.pipeline)
    test = build_test(judged, watches, plan_traffic(rollout, trial))
    reports = run_tests(promtool, {RULE_FILE: rules or render_gates(policies, rollout)}, {"t.yaml": test})
    return decide_outcome(judged, (), trial, read_firings(reports["t.yaml"], watches))


@pytest.mark.parametrize(("stack", "pipeline"), PIPELINES)
def test_a_good_model_reaches_everybody_and_a_bad_one_not_the_second_phase(
    stack: str, pipeline: str, promtool: Path
) -> None:
    """D4, D6, D8: the alert made for the fault stops it, whatever the preset and the requests."""
    plan = plan_of(stack)
    first = rollout_of(plan, pipeline).phases[0]
    good, *bad = play_trials(promtool, plan, pipeline, [Trial(), *(Trial(fault=fault) for fault in FAULTS)])
    assert (good.end, good.reason) == ("everywhere", "")
    for fault, outcome in zip(FAULTS, bad, strict=True):
        assert (outcome.end, outcome.phase, outcome.reason) == ("rolled back", first.id, ALERTS[fault]), fault
        assert outcome.share == pytest.approx(first.percent / 100)
        if fault != "starved":
            assert outcome.requests <= first.requests_at_risk + 1e-6, "no more than the plan says is at risk"


@pytest.mark.parametrize(("stack", "pipeline"), PIPELINES)
def test_what_is_at_fault_elsewhere_stops_no_rollout(stack: str, pipeline: str, promtool: Path) -> None:
    """D8: a sick present model, another model's sick canary, the sick staging; nor do they hide a fault."""
    trials = [
        Trial(sick_stable=True),
        Trial(sick_other=True),
        Trial(sick_stable=True, sick_other=True),
        Trial(fault="drift", sick_stable=True),
        Trial(fault="quality", sick_other=True),
    ]
    outcomes = play_trials(promtool, plan_of(stack), pipeline, trials)
    assert [outcome.end for outcome in outcomes] == [*["everywhere"] * 3, *["rolled back"] * 2]


def test_the_other_models_canary_is_judged_by_itself(promtool: Path) -> None:
    """It is at fault, and what keeps it from stopping others is that they ask for their own alerts."""
    outcome = play(promtool, rollout_of(plan_of("prod")), Trial(sick_other=True), as_if=OTHER)
    assert (outcome.end, outcome.phase) == ("rolled back", "canary-5")


def test_a_gate_that_loses_the_track_would_let_a_bad_model_pass(promtool: Path) -> None:
    """The outcome hangs on the expressions: without `track` in the result no filter ever matches."""
    rollout = rollout_of(plan_of("prod"))
    rules = render_gates([routed.policy for routed in plan_of("prod").alerting.policies], rollout)
    blind = rules.replace(
        "count by (environment, pipeline, track, reference)", "count by (environment, pipeline)"
    )
    assert blind != rules
    assert play(promtool, rollout, Trial(fault="drift"), rules).end == "rolled back"
    assert play(promtool, rollout, Trial(fault="drift"), blind).end == "everywhere"


@pytest.mark.parametrize(("factor", "end"), [(0.99, "rolled back"), (1.01, "everywhere")])
def test_the_plan_knows_how_many_requests_are_enough(factor: float, end: str, promtool: Path) -> None:
    """D8: `least_qps`, from both sides."""
    rollout = rollout_of(plan_of("prod"))
    assert play(promtool, replace(rollout, qps=rollout.least_qps * factor), Trial()).end == end


def test_a_freeze_that_begins_meanwhile_keeps_a_good_model_back_and_no_bad_one(promtool: Path) -> None:
    """D6: two minutes after the rollout began, the year's end does."""
    begins = datetime(2026, 12, 18, 16, 58, tzinfo=UTC)
    trials = [Trial(begins=begins), Trial(fault="errors", begins=begins)]
    good, bad = play_trials(promtool, plan_of("prod"), "feed-serving", trials)
    assert (good.end, good.phase, good.reason) == ("waits", "canary-5", "freeze year-end")
    assert (bad.end, bad.reason) == ("rolled back", "CanaryErrors")
    assert bad.seconds > 120, "in the freeze"


def test_the_document_shows_what_comes_of_each_preset(promtool: Path) -> None:
    """D4, D8: of the feed in production, in each preset."""
    outcomes: list[Outcome] = []
    for preset in ("cautious", "standard", "fast"):
        config = copy.deepcopy(config_of("prod"))
        config["headroom:pipelines"]["feed-serving"]["delivery"]["preset"] = preset
        plan = plan_config(config, "prod", "Pulumi.prod.yaml")
        trials = [Trial(), *(Trial(fault=fault) for fault in FAULTS)]
        outcomes += play_trials(promtool, plan, "feed-serving", trials)
    assert render_outcomes(outcomes) in (ROOT / "docs" / "delivery.md").read_text()
