"""D1, D2, D6: what may be asked of a release now, and approvals of one's own found afterwards."""

from datetime import UTC, datetime

import pytest

from headroom.delivery.approvals import (
    Act,
    RefusedError,
    UnknownReleaseError,
    find_self_approvals,
    plan_advance,
    plan_approval,
    plan_rollback,
    require_other,
)
from headroom.delivery.progress import Release, Rollout
from headroom.planning.plan import Plan
from headroom.planning.rollouts import RolloutPlan
from tests.delivery.test_progress import HELD, fraud_plan, plan, release, rollout

__all__ = ["fraud_plan", "plan"]

WEDNESDAY, SATURDAY = datetime(2026, 11, 18, 9, tzinfo=UTC), datetime(2026, 11, 21, 9, tzinfo=UTC)
PENDING = rollout("PENDING_APPROVAL")
GOOD_6, GOOD_7 = rollout("SUCCEEDED", name="v6"), rollout("SUCCEEDED", name="v7")
BACK = rollout("PENDING_APPROVAL", name="v6", hour=23, rollback_of="p/releases/v7/rollouts/r10")
PIPELINE = "projects/acme-ml-prod/locations/europe-west4/deliveryPipelines/prod-fraud-serving"


def test_an_approval_is_of_the_rollout_that_waits_in_production(plan: Plan, fraud_plan: RolloutPlan) -> None:
    """D1."""
    step, found = plan_approval(plan, fraud_plan, [GOOD_6, PENDING], None, SATURDAY)
    assert found == PENDING
    assert (step.request.path, step.request.body) == (f"{PENDING.name}:approve", {"approved": True})
    assert step.does == "approves that v7 begins in production"


@pytest.mark.parametrize(
    ("rollouts", "release", "phrase"),
    [
        ([GOOD_7], None, "no release waits for approval in production; see how far it is: headroom release"),
        ([GOOD_7, rollout("PENDING_APPROVAL", name="v8")], "v7", "v7 does not wait for approval"),
        (
            [PENDING, rollout("PENDING_APPROVAL", name="v8")],
            None,
            "several releases wait for approval: v8, v7",
        ),
        ([rollout("PENDING_APPROVAL", target="elsewhere")], None, "no release waits"),
    ],
)
def test_nothing_is_approved_that_does_not_wait(
    plan: Plan, fraud_plan: RolloutPlan, rollouts: list[Rollout], release: str | None, phrase: str
) -> None:
    with pytest.raises(RefusedError, match=phrase):
        plan_approval(plan, fraud_plan, rollouts, release, WEDNESDAY)


def test_the_approval_of_a_rollback_overrides_a_freeze_and_no_other_does(
    plan: Plan, fraud_plan: RolloutPlan
) -> None:
    """D6: no freeze holds up a rollback."""
    frozen, _ = plan_approval(plan, fraud_plan, [GOOD_6, GOOD_7, BACK], None, SATURDAY)
    policy = "projects/acme-ml-prod/locations/europe-west4/deployPolicies/prod-freezes"
    assert frozen.request.body == {"approved": True, "overrideDeployPolicy": [policy]}
    assert frozen.does == "approves that v6 comes back to production"
    free, _ = plan_approval(plan, fraud_plan, [GOOD_6, GOOD_7, BACK], None, WEDNESDAY)
    assert free.request.body == {"approved": True}
    new = rollout("PENDING_APPROVAL", name="v8", rollback_of="p/releases/v7/rollouts/r10")
    step, _ = plan_approval(plan, fraud_plan, [GOOD_7, new], None, SATURDAY)
    assert step.request.body == {"approved": True}, "production never had it: it is new, whatever it says"


def test_nobody_approves_what_they_released(fraud_plan: RolloutPlan) -> None:
    """D1."""
    require_other(fraud_plan, PENDING, "ada@acme.example", {"eve@acme.example"})
    with pytest.raises(
        RefusedError, match=r"eve@acme.example released v7.*who may: ml-approvers@acme.example"
    ):
        require_other(fraud_plan, PENDING, "eve@acme.example", {"ada@acme.example", "eve@acme.example"})


@pytest.mark.parametrize(
    ("caller", "releasers", "phrase"),
    [
        (None, {"eve@acme.example"}, "Google does not say who you are"),
        ("ada@acme.example", set(), "audit logs do not say who released v7"),
        ("ada@acme.example", {""}, "audit logs do not say who released v7"),
    ],
)
def test_who_is_unknown_is_not_taken_for_another(
    fraud_plan: RolloutPlan, caller: str | None, releasers: set[str], phrase: str
) -> None:
    """D1."""
    with pytest.raises(RefusedError, match=phrase):
        require_other(fraud_plan, PENDING, caller, releasers)


def test_a_rollout_goes_on_to_the_phase_after_the_one_that_holds(fraud_plan: RolloutPlan) -> None:
    """D2."""
    step = plan_advance(fraud_plan, [GOOD_6, HELD], None)
    assert (step.request.path, step.request.body) == (f"{HELD.name}:advance", {"phaseId": "canary-5"})
    assert step.does == "lets v7 go on from the phase canary-1 to the phase canary-5"


@pytest.mark.parametrize(
    ("rollouts", "phrase"),
    [
        ([GOOD_7], "no rollout to production is under way"),
        (
            [rollout("IN_PROGRESS", ("canary-50", "SUCCEEDED"), ("stable", "PENDING"))],
            "v7 is in the phase stable, and no phase holds it",
        ),
        (
            [rollout("IN_PROGRESS", ("canary-1", "IN_PROGRESS"), ("stable", "PENDING"))],
            "v7 is in the phase canary-1, and no phase holds it",
        ),
    ],
)
def test_nothing_goes_on_that_is_not_held(
    fraud_plan: RolloutPlan, rollouts: list[Rollout], phrase: str
) -> None:
    """D2."""
    with pytest.raises(RefusedError, match=phrase):
        plan_advance(fraud_plan, rollouts, None)


def rolled_back(
    plan: Plan, fraud_plan: RolloutPlan, rollouts: list[Rollout], release: str | None = None, *gone: Release
) -> str:
    step = plan_rollback(plan, fraud_plan, gone, rollouts, release, SATURDAY)
    assert step.request.path == f"{PIPELINE}:rollbackTarget"
    assert (
        step.rollout
        == f"{PIPELINE}/releases/{step.request.body['releaseId']}/rollouts/rollback-20261121-090000"
    )
    return step.request.body["releaseId"]


def test_a_rollback_goes_to_what_production_had_before(plan: Plan, fraud_plan: RolloutPlan) -> None:
    """D6."""
    bad = rollout("FAILED", name="v8")
    asks = rollout("PENDING_APPROVAL", name="v9")
    assert rolled_back(plan, fraud_plan, [GOOD_6, GOOD_7]) == "v6"
    assert rolled_back(plan, fraud_plan, [GOOD_6, GOOD_7, bad]) == "v7"
    assert rolled_back(plan, fraud_plan, [GOOD_6, GOOD_7, asks]) == "v6", "v9 has not begun"
    assert rolled_back(plan, fraud_plan, [GOOD_6, GOOD_7, bad], "v6") == "v6"
    assert rolled_back(plan, fraud_plan, [GOOD_6, GOOD_7, bad], None, release("v7", abandoned=True)) == "v6"


@pytest.mark.parametrize(
    ("rollouts", "to", "phrase"),
    [
        ([], None, "production had no other release before"),
        ([GOOD_7], None, "production had no other release before"),
        ([GOOD_6, GOOD_7, rollout("FAILED", name="v8")], "v8", "v8 is not one that production had before.*it had v7, v6"),
    ],
)  # fmt: skip
def test_there_is_nothing_to_go_back_to_but_what_succeeded(
    plan: Plan, fraud_plan: RolloutPlan, rollouts: list[Rollout], to: str | None, phrase: str
) -> None:
    with pytest.raises(RefusedError, match=phrase):
        rolled_back(plan, fraud_plan, rollouts, to)


def test_a_rollback_says_what_it_waits_for(plan: Plan, fraud_plan: RolloutPlan) -> None:
    """D6: an approval, and a rollout that is under way."""
    step = plan_rollback(plan, fraud_plan, [], [GOOD_6, HELD], None, SATURDAY)
    assert step.request.body["rollbackConfig"] == {"startingPhaseId": "stable"}
    under_way, approval = step.warnings
    assert "v7 is under way, and the rollback waits for it" in under_way
    assert "gcloud deploy rollouts cancel r10" in under_way
    assert "may wait for one of ml-approvers@acme.example" in approval


def test_a_release_that_there_is_not_is_a_mistake_and_no_refusal(plan: Plan, fraud_plan: RolloutPlan) -> None:
    with pytest.raises(UnknownReleaseError, match="no release v77 has been rolled out; did you mean v7"):
        plan_advance(fraud_plan, [HELD], "v77")
    with pytest.raises(UnknownReleaseError, match="no release v1"):
        plan_approval(plan, fraud_plan, [], "v1", WEDNESDAY)


def act(kind: str, who: str, name: str = "v7", rollout: str = "") -> Act:
    return Act(kind, name, rollout, who, "2026-11-20T00:00:00Z")


def test_an_approval_of_ones_own_release_is_found() -> None:
    """D1."""
    acts = [
        act("release", "eve"),
        act("approve", "eve"),
        act("release", "ada", "v8"),
        act("approve", "eve", "v8"),
    ]
    assert [(each.act.release, each.certain) for each in find_self_approvals(acts, [])] == [("v7", True)]


def test_an_approval_of_which_something_is_unknown_is_found_too() -> None:
    """D1."""
    for acts in ([act("approve", "eve")], [act("release", ""), act("approve", "eve")],
                 [act("release", "ada"), act("approve", "")]):  # fmt: skip
        assert [each.certain for each in find_self_approvals(acts, [])] == [False]


def test_whoever_rolls_back_to_their_own_release_may_approve_that() -> None:
    """D6."""
    acts = [act("release", "eve"), act("approve", "eve", rollout="back")]
    assert find_self_approvals(acts, ["v7/back"]) == ()
    assert find_self_approvals(acts, ["v8/back"]) != ()
