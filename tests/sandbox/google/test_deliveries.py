"""Cloud Deploy's resources are refused where Google would refuse them, and a phase more is an update."""

from typing import Any

import pytest

from sandbox.google.deliveries import AUTOMATION, PIPELINE, POLICY, TARGET
from sandbox.google.errors import ApiError
from sandbox.google.store import WorldObject
from tests.sandbox.google.conftest import Engine, World

PLACE = {"project": "acme-dev", "location": "us-central1"}
ALERT = "projects/acme-dev/alertPolicies/1"
STABLE: dict[str, Any] = {"phaseId": "stable", "percentage": 100}


def phase(percent: int, **changes: Any) -> dict[str, Any]:
    check = {"id": "errors", "alertPolicies": [ALERT]}
    analysis = {"duration": "1800s", "googleCloud": {"alertPolicyChecks": [check]}}
    return {"phaseId": f"canary-{percent}", "percentage": percent, "analysis": analysis} | changes


def pipeline_inputs(*phases: dict[str, Any], **mesh: Any) -> dict[str, Any]:
    service = {"httpRoute": "m", "service": "m", "deployment": "m"} | mesh
    canary = {
        "runtimeConfig": {"kubernetes": {"gatewayServiceMesh": service}},
        "customCanaryDeployment": {"phaseConfigs": list(phases or (phase(5), STABLE))},
    }
    stages = [{"targetId": "staging"}, {"targetId": "prod", "strategy": {"canary": canary}}]
    return PLACE | {"name": "m", "serialPipeline": {"stages": stages}}


def make_target(world: World, **inputs: Any) -> WorldObject:
    gke = {"cluster": "projects/acme-dev/locations/us-central1/clusters/dev", "dnsEndpoint": True}
    return world.make(TARGET, **PLACE | {"name": "prod", "gke": gke} | inputs)


def make_automation(world: World, *rules: dict[str, Any], **inputs: Any) -> WorldObject:
    account = "deploy@acme-dev.iam.gserviceaccount.com"
    selector = {"targets": [{"id": "prod"}]}
    given = {"name": "a", "deliveryPipeline": "m", "serviceAccount": account, "selector": selector}
    return world.make(AUTOMATION, **PLACE | given | inputs, rules=list(rules))


def make_policy(world: World, *windows: dict[str, Any], **inputs: Any) -> WorldObject:
    rules = [
        {"rolloutRestriction": {"id": f"r{number}", "timeWindows": {"timeZone": "UTC"} | window}}
        for number, window in enumerate(windows)
    ]
    selectors = [{"deliveryPipeline": {"id": "*"}}]
    return world.make(POLICY, **PLACE | {"name": "f", "selectors": selectors, "rules": rules} | inputs)


@pytest.mark.parametrize(
    ("phases", "mesh", "message"),
    [
        ([phase(25), phase(5), STABLE], {}, "ascending order"),
        ([phase(5), phase(25)], {}, 'must have the phase_id "stable"'),
        ([phase(5), phase(6, phaseId="canary-5"), STABLE], {}, '"canary-5" is given more than once'),
        ([phase(5, phaseId="Five"), STABLE], {}, 'Invalid phase_id "Five"'),
        ([phase(5, analysis={"duration": "172801s"}), STABLE], {}, "at most 48 hours"),
        ([phase(5, analysis={"duration": "60s", "googleCloud": {"alertPolicyChecks": [{"id": "e", "alertPolicies": ["e"]}]}}), STABLE], {}, "Invalid alert policy"),
        ([], {"routeUpdateWaitTime": "10801s"}, "at most 3 hours"),
        ([], {"stableCutbackDuration": "10s"}, "between 15s and 3600s"),
    ],
)  # fmt: skip
def test_a_canary_that_cloud_deploy_cannot_run_is_refused(
    world: World, phases: list[dict[str, Any]], mesh: dict[str, Any], message: str
) -> None:
    world.make(PIPELINE, **pipeline_inputs() | {"name": "sound"})
    with pytest.raises(ApiError, match=message):
        world.make(PIPELINE, **pipeline_inputs(*phases, **mesh))


def test_the_same_target_twice_is_refused(world: World) -> None:
    stages = {"stages": [{"targetId": "prod"}, {"targetId": "prod"}]}
    with pytest.raises(ApiError, match='target_id "prod" is given more than once'):
        world.make(PIPELINE, **PLACE, name="m", serialPipeline=stages)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"gke": {"cluster": "c", "dnsEndpoint": True, "internalIp": True}}, "cannot both be set"),
        ({"gke": None}, "must name where it deploys to"),
        ({"executionConfigs": [{"usages": ["DEPLOY"], "executionTimeout": "60s"}]}, "10 minutes and 24 hours"),
        ({"executionConfigs": [{"usages": ["DEPLOY"]}, {"usages": ["DEPLOY"]}]}, '"DEPLOY" is given more than once'),
        ({"executionConfigs": [{"usages": ["DEPLOY"], "serviceAccount": "no@acme-dev.iam.gserviceaccount.com"}]}, "does not exist"),
        ({"name": "Prod"}, "lower-case letters"),
    ],
)  # fmt: skip
def test_a_target_that_cloud_deploy_does_not_take_is_refused(
    world: World, inputs: dict[str, Any], message: str
) -> None:
    make_target(world, name="sound")
    with pytest.raises(ApiError, match=message):
        make_target(world, **inputs)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], "must have a rule"),
        ([{"promoteReleaseRule": {"id": "p", "wait": "1209601s"}}], "at most 14 days"),
        ([{"repairRolloutRule": {"id": "r", "repairPhases": []}}], "must have a repair phase"),
        ([{"repairRolloutRule": {"id": "r", "repairPhases": [{"retry": {"attempts": "11"}}]}}], "between 1 and 10"),
        ([{"repairRolloutRule": {"id": "r", "repairPhases": [{"rollback": {"destinationPhase": "stable"}}, {"retry": {"attempts": "1"}}]}}], "Nothing can follow"),
        ([{"promoteReleaseRule": {"id": "p"}}, {"advanceRolloutRule": {"id": "p"}}], '"p" is given more than once'),
    ],
)  # fmt: skip
def test_an_automation_that_cannot_run_is_refused(
    world: World, rules: list[dict[str, Any]], message: str
) -> None:
    world.make("gcp:serviceaccount/account:Account", project="acme-dev", accountId="deploy")
    world.make(PIPELINE, **pipeline_inputs())
    make_automation(world, {"promoteReleaseRule": {"id": "p"}}, name="sound")
    with pytest.raises(ApiError, match=message):
        make_automation(world, *rules)


def test_an_automation_needs_its_pipeline_and_its_account(world: World) -> None:
    rule = {"promoteReleaseRule": {"id": "p"}}
    with pytest.raises(ApiError, match="deliveryPipelines/m' was not found"):
        make_automation(world, rule)
    world.make(PIPELINE, **pipeline_inputs())
    with pytest.raises(ApiError, match="does not exist"):
        make_automation(world, rule)


ONCE = {
    "startDate": {"year": 2026, "month": 12, "day": 18},
    "startTime": {"hours": 17},
    "endDate": {"year": 2026, "month": 12, "day": 18},
    "endTime": {"hours": 18},
}
WEEKLY = {"daysOfWeeks": ["FRIDAY"], "startTime": {"hours": 14}, "endTime": {"hours": 24}}


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({}, "must have a time window"),
        ({"weeklyWindows": [WEEKLY | {"endTime": None}]}, "both start_time and end_time"),
        ({"weeklyWindows": [WEEKLY | {"endTime": {"hours": 14}}]}, "must be after its start_time"),
        ({"oneTimeWindows": [ONCE | {"endTime": {"hours": 17}}]}, "must be after its start"),
    ],
)
def test_a_freeze_that_never_is_is_refused(world: World, window: dict[str, Any], message: str) -> None:
    make_policy(world, {"weeklyWindows": [WEEKLY]}, {"oneTimeWindows": [ONCE]}, name="sound")
    with pytest.raises(ApiError, match=message):
        make_policy(world, window)


def test_a_policy_without_rules_is_refused(world: World) -> None:
    with pytest.raises(ApiError, match="must have a rule and a selector"):
        make_policy(world)


def test_a_phase_more_updates_the_pipeline_and_replaces_nothing(engine: Engine) -> None:
    old, _ = engine.check(PIPELINE, pipeline_inputs())
    _, state = engine.create(PIPELINE, old)
    new, _ = engine.check(PIPELINE, pipeline_inputs(phase(5), phase(25), STABLE), old)
    answer = engine.diff(PIPELINE, state, old, new)
    assert answer.diffs
    assert not answer.replaces
