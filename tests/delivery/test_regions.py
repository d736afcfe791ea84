"""D2, D3, D6, D8: releases, steps and pages of a model that is in two regions."""

import copy
import dataclasses
from datetime import UTC, datetime

import pytest
import yaml

from headroom.delivery.approvals import (
    RefusedError,
    plan_advance,
    plan_approval,
    plan_returns,
    plan_rollbacks,
)
from headroom.delivery.page import render_pages
from headroom.delivery.progress import Phase, Release, Rollout, Standing, list_standings
from headroom.delivery.regions import UnknownRegionError, narrow_to_region
from headroom.delivery.release_files import render_release
from headroom.delivery.releases import require_rollout
from headroom.planning.plan import Plan
from headroom.planning.rollouts import RolloutPlan
from headroom.spec.errors import StackFileError
from tests.delivery.conftest import release_of
from tests.regions import FAR, LEAD, configs_of, plan_of

NEAR_TARGET, FAR_TARGET = "test-ranker", "far-ranker"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
RELEASES = [Release(f"v{number}", f"2026-11-0{number}T09:00:00Z", "SUCCEEDED", False) for number in (5, 6, 7)]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(configs_of(), LEAD)


@pytest.fixture
def ranker(plan: Plan) -> RolloutPlan:
    return require_rollout(plan, "ranker", "f")[1]


def rollout(
    release: str, target: str, state: str, hour: int, *phases: tuple[str, str], back: str = ""
) -> Rollout:
    return Rollout(
        name=f"p/releases/{release}/rollouts/{target}-{hour}",
        release=release,
        target=target,
        state=state,
        created=f"2026-11-0{release[-1]}T{hour:02}:00:00Z",
        phases=tuple(Phase(*phase) for phase in phases),
        rollback_of=back,
        rolled_back_by=(),
        failure="",
    )


EARLIER = [
    rollout(release, target, "SUCCEEDED", hour)
    for release in ("v5", "v6")
    for hour, target in ((10, NEAR_TARGET), (12, FAR_TARGET))
]
NEAR_7 = rollout("v7", NEAR_TARGET, "SUCCEEDED", 10)
FAR_7 = rollout("v7", FAR_TARGET, "IN_PROGRESS", 12, ("canary-10", "IN_PROGRESS"), ("stable", "PENDING"))


def test_each_region_gets_manifests_and_a_judge_of_its_own(plan: Plan) -> None:
    """D3, D4: series, metrics and profiles are the region's; the image is one."""
    release = release_of(plan, "ranker")
    files = render_release(release)
    assert {"staging.yaml", "canary.yaml", "stable.yaml", "canary-far.yaml", "stable-far.yaml"} < files.keys()
    (deployment,) = (
        each for each in yaml.safe_load_all(files["canary-far.yaml"]) if each["kind"] == "Deployment"
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {"name": "HEADROOM_ENVIRONMENT", "value": "far"} in container["env"]
    assert container["image"] == release.validated.reference
    profiles = {each["name"]: each for each in yaml.safe_load(files["skaffold.yaml"])["profiles"]}
    assert {"production-far", "canary-far", "stable-far"} < profiles.keys()
    (judge,) = profiles["canary-far"]["verify"]
    assert "--environment=far" in judge["container"]["args"]
    assert any("/projects/acme-ml-far/" in each for each in judge["container"]["args"])


def test_a_release_stands_where_it_has_come_to(plan: Plan, ranker: RolloutPlan) -> None:
    """D5: who waits for what, region by region."""
    first = list_standings(plan, ranker, RELEASES, [*EARLIER, NEAR_7])[0]
    assert first == Standing(
        "v7", "production", "", "answers all users there", "promotion to far 1h later, by itself", ""
    )
    near, then, *_ = list_standings(plan, ranker, RELEASES, [*EARLIER, NEAR_7, FAR_7])
    assert (near.release, near.stage, near.state, near.waits_for) == (
        "v7",
        "production",
        "answers all users there",
        "nobody",
    )
    assert (then.release, then.stage, then.phase, then.state) == ("v7", "far", "canary-10", "is watched")
    done = dataclasses.replace(FAR_7, state="SUCCEEDED")
    _, last, *_ = list_standings(plan, ranker, RELEASES, [*EARLIER, NEAR_7, done])
    assert (last.stage, last.state, last.waits_for) == ("far", "answers all users there", "nobody")
    failed = dataclasses.replace(FAR_7, state="FAILED")
    _, stopped, *_ = list_standings(plan, ranker, RELEASES, [*EARLIER, NEAR_7, failed])
    assert stopped.command == "headroom release rollback -s test -p ranker --region far"


def test_a_bad_model_is_rolled_back_wherever_it_is_and_nowhere_else(plan: Plan, ranker: RolloutPlan) -> None:
    """D6: a region that it has not come to keeps what it has."""
    near = plan_rollbacks(plan, ranker, RELEASES, [*EARLIER, NEAR_7], None, NOON)
    assert [(step.request.body["targetId"], step.request.body["releaseId"]) for step in near] == [
        (NEAR_TARGET, "v6")
    ]
    assert any(
        "v7 may still come to far; so that it never does" in warning and "releases abandon v7" in warning
        for warning in near[0].warnings
    )
    both = plan_rollbacks(plan, ranker, RELEASES, [*EARLIER, NEAR_7, FAR_7], None, NOON)
    assert [(step.request.body["targetId"], step.request.body["releaseId"]) for step in both] == [
        (NEAR_TARGET, "v6"),
        (FAR_TARGET, "v6"),
    ]
    assert len({step.rollout for step in both}) == 2, "rollouts of one release have names of their own"
    assert both[1].does.startswith("gives all users of far v6 in the place of v7")
    gone = rollout("v6", NEAR_TARGET, "SUCCEEDED", 20)
    back = dataclasses.replace(gone, created="2026-11-07T20:00:00Z", rollback_of=NEAR_7.name)
    left = plan_rollbacks(plan, ranker, RELEASES, [*EARLIER, NEAR_7, FAR_7, back], None, NOON)
    assert [step.request.body["targetId"] for step in left] == [FAR_TARGET]


def test_a_region_may_be_named(plan: Plan, ranker: RolloutPlan) -> None:
    """D6."""
    far = narrow_to_region(ranker, FAR)
    (step,) = plan_rollbacks(plan, far, RELEASES, [*EARLIER, NEAR_7, FAR_7], None, NOON)
    assert step.request.body["targetId"] == FAR_TARGET
    assert not any("may still come" in warning for warning in step.warnings)
    assert narrow_to_region(ranker, None) == ranker
    assert narrow_to_region(ranker, LEAD).further == ()
    with pytest.raises(UnknownRegionError, match="ranker is not released to fa; did you mean far"):
        narrow_to_region(ranker, "fa")


def test_where_one_region_cannot_go_back_the_other_does_and_it_is_said(
    plan: Plan, ranker: RolloutPlan
) -> None:
    """D6."""
    rollouts = [rollout("v6", NEAR_TARGET, "SUCCEEDED", 10), NEAR_7, FAR_7]
    (step,) = plan_rollbacks(plan, ranker, RELEASES, rollouts, None, NOON)
    assert step.request.body["targetId"] == NEAR_TARGET
    assert any("far had no other release before" in warning for warning in step.warnings)
    with pytest.raises(RefusedError, match="production had no other release before"):
        plan_rollbacks(plan, ranker, RELEASES, [NEAR_7, FAR_7], None, NOON)


def test_who_is_asked_in_a_region_is_whom_its_stack_names(plan: Plan) -> None:
    """D1: approving finds the rollout that waits, in whichever region."""
    asking = plan_of(configs_of(far={"approvals": {"begin": ["group:far@acme.dev"]}}), LEAD)
    ranker = require_rollout(asking, "ranker", "f")[1]
    pending = rollout("v7", FAR_TARGET, "PENDING_APPROVAL", 12)
    step, found = plan_approval(asking, ranker, [*EARLIER, NEAR_7, pending], None, NOON)
    assert (found, step.does) == (pending, "approves that v7 begins in far")
    _, standing, *_ = list_standings(asking, ranker, RELEASES, [*EARLIER, NEAR_7, pending])
    assert standing.waits_for == "far@acme.dev"
    assert standing.command.endswith("--release v7 --region far")


def test_the_way_back_is_approved_in_every_region(plan: Plan, ranker: RolloutPlan) -> None:
    """D8."""
    failed = dataclasses.replace(FAR_7, state="FAILED")
    waits = rollout("v6", FAR_TARGET, "PENDING_APPROVAL", 20, back=failed.name)
    waits = dataclasses.replace(waits, created="2026-11-07T20:00:00Z")
    returns = plan_returns(plan, ranker, [*EARLIER, NEAR_7, failed, waits], NOON)
    assert [step.rollout for step in returns.approved] == [waits.name]
    assert returns.approved[0].does == "approves that v6 comes back to far"


def test_what_is_held_in_a_region_goes_on_there() -> None:
    """D2."""
    configs = configs_of(
        phases=[{"percent": 10, "minutes": 40, "hold": True}, {"percent": 50, "minutes": 40}]
    )
    ranker = require_rollout(plan_of(configs, LEAD), "ranker", "f")[1]
    held = rollout(
        "v7",
        FAR_TARGET,
        "IN_PROGRESS",
        12,
        ("canary-10", "SUCCEEDED"),
        ("canary-50", "PENDING"),
        ("stable", "PENDING"),
    )
    step = plan_advance(ranker, [*EARLIER, NEAR_7, held], None)
    assert step.does == "lets v7 go on from the phase canary-10 to the phase canary-50 in far"


def test_the_page_tells_of_all_regions_and_the_other_stack_has_none(plan: Plan) -> None:
    """D3, D4."""
    (page,) = render_pages(plan).values()
    assert "1. `test`: us-central1, project `acme-ml-test`" in page
    assert "2. `far`: us-east1, project `acme-ml-far`; 1h after all users of the one before have it" in page
    assert "| canary in far | 10 % | `far-ranker` | `ranker` | `far` |" in page
    assert "gcloud deploy targets rollback far-ranker" in page
    assert render_pages(plan_of(configs_of(), FAR)) == {}
    with pytest.raises(StackFileError, match="follows: is test, which releases of all regions come from"):
        require_rollout(plan_of(configs_of(), FAR), "ranker", "f")


def test_a_rollback_that_waits_is_not_begun_again(plan: Plan, ranker: RolloutPlan) -> None:
    """D6: the other region's is."""
    waits = dataclasses.replace(
        rollout("v6", NEAR_TARGET, "PENDING_APPROVAL", 20), created="2026-11-07T20:00:00Z"
    )
    (step,) = plan_rollbacks(plan, ranker, RELEASES, [*EARLIER, NEAR_7, FAR_7, waits], None, NOON)
    assert step.request.body["targetId"] == FAR_TARGET
    assert any("a rollback of production to v6 waits for approval already" in each for each in step.warnings)


def test_what_may_still_come_is_the_newest_release_wherever_the_first_region_is() -> None:
    """D6: the first region went back already, and the third has not met the bad model yet."""
    configs = configs_of()
    third = copy.deepcopy(configs[FAR])
    third |= {"gcp:project": "acme-ml-third", "gcp:region": "us-west1"}
    third["headroom:cluster"] = {"zones": ["us-west1-a", "us-west1-b"]}
    configs["third"] = third
    configs[LEAD]["headroom:delivery"]["regions"] = [FAR, "third"]
    plan = plan_of(configs, LEAD)
    back = dataclasses.replace(rollout("v6", NEAR_TARGET, "SUCCEEDED", 20), created="2026-11-07T20:00:00Z")
    ranker = require_rollout(plan, "ranker", "f")[1]
    (step,) = plan_rollbacks(plan, ranker, RELEASES, [*EARLIER, NEAR_7, FAR_7, back], None, NOON)
    assert step.request.body["targetId"] == FAR_TARGET
    assert any("v7 may still come to third; so that it never does" in each for each in step.warnings)
