"""D1, D2, D5: where releases stand, who waits for whom, and the next command."""

import pytest

from headroom.delivery.progress import Phase, Release, Rollout, Standing, find_held, list_standings
from headroom.planning.plan import Plan
from headroom.planning.rollouts import RolloutPlan
from tests.delivery.conftest import plan_of

STAGING, PRODUCTION = "prod-fraud-serving-staging", "prod-fraud-serving"
APPROVERS, INCREASERS = "ml-approvers@acme.example", "risk-approvers@acme.example"


@pytest.fixture
def plan() -> Plan:
    return plan_of("prod")


@pytest.fixture
def fraud_plan(plan: Plan) -> RolloutPlan:
    assert plan.delivery is not None
    found = plan.delivery.find_rollout("fraud-serving")
    assert found is not None
    return found


def release(name: str = "v7", rendering: str = "SUCCEEDED", *, abandoned: bool = False) -> Release:
    return Release(name, f"2026-11-0{name[-1]}T09:00:00Z", rendering, abandoned)


def rollout(
    state: str,
    *phases: tuple[str, str],
    name: str = "v7",
    target: str = PRODUCTION,
    hour: int = 10,
    rollback_of: str = "",
    rolled_back_by: tuple[str, ...] = (),
) -> Rollout:
    return Rollout(
        f"p/releases/{name}/rollouts/r{hour}",
        name,
        target,
        state,
        f"2026-11-0{name[-1]}T{hour}:00:00Z",
        tuple(Phase(*phase) for phase in phases),
        rollback_of,
        rolled_back_by,
        "",
    )


HELD = rollout("IN_PROGRESS", ("canary-1", "SUCCEEDED"), ("canary-5", "PENDING"), ("stable", "PENDING"))


@pytest.mark.parametrize(
    ("latest", "standing"),
    [
        (rollout("IN_PROGRESS", ("stable", "IN_PROGRESS"), target=STAGING), ("staging", "stable", "is being deployed", "nobody: it goes on by itself", "")),
        (rollout("SUCCEEDED", ("stable", "SUCCEEDED"), target=STAGING), ("staging", "stable", "was validated", "promotion, by itself", "")),
        (rollout("PENDING_APPROVAL"), ("production", "", "waits for approval", APPROVERS, "headroom release approve -s prod -p fraud-serving --release v7")),
        (rollout("PENDING_APPROVAL", rollback_of="p/r"), ("production", "", "the rollback to it waits for approval", APPROVERS, "headroom release approve -s prod -p fraud-serving --release v7")),
        (rollout("IN_PROGRESS", ("canary-1", "IN_PROGRESS"), ("canary-5", "PENDING")), ("production", "canary-1", "is watched", "nobody: it goes on by itself", "")),
        (HELD, ("production", "canary-1", "waits to be let on", INCREASERS, "headroom release advance -s prod -p fraud-serving --release v7")),
        (rollout("SUCCEEDED", ("stable", "SUCCEEDED")), ("production", "stable", "answers all users", "nobody", "")),
        (rollout("FAILED", ("canary-1", "FAILED")), ("production", "canary-1", "failed", "the rollback, by itself; else risk-ml@acme.example or ml-approvers@acme.example", "headroom release rollback -s prod -p fraud-serving")),
        (rollout("FAILED", ("canary-1", "FAILED"), rolled_back_by=("r",)), ("production", "canary-1", "failed, and a rollback was begun", "nobody", "")),
        (rollout("APPROVAL_REJECTED"), ("production", "", "was rejected", "nobody", "")),
        (rollout("PENDING"), ("production", "", "waits for the rollout before it", "Cloud Deploy", "")),
        (rollout("NEW_STATE"), ("production", "", "is in the state NEW_STATE", "nobody", "")),
    ],
)  # fmt: skip
def test_a_release_stands_where_its_latest_rollout_does(
    plan: Plan, fraud_plan: RolloutPlan, latest: Rollout, standing: tuple[str, ...]
) -> None:
    """D1, D2, D5."""
    assert list_standings(plan, fraud_plan, [release()], [latest]) == (Standing("v7", *standing),)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (release(rendering="IN_PROGRESS"), "is being rendered"),
        (release(rendering="FAILED"), "cannot be rendered"),
        (release(abandoned=True), "was abandoned"),
    ],
)
def test_a_release_without_rollouts_is_none_that_is_under_way(
    plan: Plan, fraud_plan: RolloutPlan, given: Release, state: str
) -> None:
    (standing,) = list_standings(plan, fraud_plan, [given], [])
    assert (standing.stage, standing.state) == ("", state)


def test_the_release_that_answers_users_is_the_last_that_succeeded(
    plan: Plan, fraud_plan: RolloutPlan
) -> None:
    """D6: a rollback to an older release makes that the present one, and the first in the list."""
    back = Rollout(
        "p/releases/v6/rollouts/back", "v6", PRODUCTION, "SUCCEEDED", "2026-11-08T00:00:00Z", (), "r", (), ""
    )
    rollouts = [rollout("SUCCEEDED", name="v6"), rollout("SUCCEEDED", name="v7"), back]
    standings = list_standings(plan, fraud_plan, [release("v6"), release("v7")], rollouts)
    assert [(each.release, each.state) for each in standings] == [
        ("v6", "answers all users"),
        ("v7", "was replaced"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        rollout("IN_PROGRESS", ("canary-50", "SUCCEEDED"), ("stable", "PENDING")),
        rollout("IN_PROGRESS", ("canary-1", "SUCCEEDED"), ("canary-5", "IN_PROGRESS")),
        rollout("FAILED", ("canary-1", "SUCCEEDED"), ("canary-5", "PENDING")),
        rollout("IN_PROGRESS", ("canary-1", "PENDING")),
        rollout("IN_PROGRESS", ("canary-1", "SUCCEEDED"), ("canary-5", "PENDING"), target=STAGING),
    ],
)
def test_only_a_phase_that_holds_and_is_over_holds(fraud_plan: RolloutPlan, other: Rollout) -> None:
    """D2."""
    held = find_held(fraud_plan, HELD)
    assert held is not None
    assert held.id == "canary-1"
    assert find_held(fraud_plan, other) is None
