"""D1 to D8: Cloud Deploy's resources, and who may do what with them."""

from typing import Any

import pytest

from headroom.alerts.rules import load_rules
from headroom.planning.plan import plan_config
from tests.components.deliveries import (
    COMMON,
    DIGEST,
    PHASES,
    Graph,
    Runner,
    build,
    config_of,
    index,
    record_deliveries,
)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return record_deliveries()


def stages(graph: Graph) -> list[dict[str, Any]]:
    return graph["DeliveryPipeline", "test-ranker"].inputs["serialPipeline"]["stages"]


def phases(graph: Graph) -> list[dict[str, Any]]:
    return stages(graph)[1]["strategy"]["canary"]["customCanaryDeployment"]["phaseConfigs"]


def test_a_release_goes_to_staging_is_verified_and_then_to_production(graph: Graph) -> None:
    """D4, D7."""
    staging, production = stages(graph)
    assert (staging["targetId"], staging["profiles"]) == ("test-ranker-staging", ["staging"])
    assert staging["strategy"] == {"standard": {"verify": True}}
    assert (production["targetId"], production["profiles"]) == ("test-ranker", ["production"])


def test_production_asks_before_it_begins_and_staging_does_not(graph: Graph) -> None:
    """D1."""
    assert graph["Target", "test-ranker"].inputs["requireApproval"] is True
    assert graph["Target", "test-ranker-staging"].inputs["requireApproval"] is False


def email(account_id: str) -> str:
    return f"{account_id}@acme-ml-test.iam.gserviceaccount.com"


RENDERER = email("test-render")
CLUSTER = "projects/acme-ml-test/locations/us-central1/clusters/test-cluster"


def runner_of(graph: Graph, namespace: str) -> str:
    """As whom a namespace is deployed to: the account of all jobs of its target but those that render."""
    configs = graph["Target", f"test-{namespace}"].inputs["executionConfigs"]
    (runner,) = (each["serviceAccount"] for each in configs if "DEPLOY" in each["usages"])
    return runner


def test_both_targets_are_reached_by_name_and_every_job_has_one_account(graph: Graph) -> None:
    for name in ("test-ranker", "test-ranker-staging"):
        inputs = graph["Target", name].inputs
        assert inputs["gke"] == {"cluster": CLUSTER, "dnsEndpoint": True}
        jobs = [(usage, each) for each in inputs["executionConfigs"] for usage in each["usages"]]
        assert sorted(usage for usage, _ in jobs) == sorted(
            ("RENDER", "PREDEPLOY", "DEPLOY", "VERIFY", "ANALYSIS", "POSTDEPLOY")
        )
        assert all(each["executionTimeout"] == "3600s" for _, each in jobs)
        assert {each["serviceAccount"] for usage, each in jobs if usage == "RENDER"} == {RENDERER}
    assert len({RENDERER, runner_of(graph, "ranker"), runner_of(graph, "ranker-staging")}) == 3


def bound(graph: Graph) -> dict[str, set[str]]:
    """In which namespaces each account of the deliveries has any right; a star: in all."""
    places: dict[str, set[str]] = {}
    for (kind, _), each in graph.items():
        if kind in ("RoleBinding", "ClusterRoleBinding"):
            place = each.inputs["metadata"].get("namespace", "*")
            for subject in each.inputs["subjects"]:
                places.setdefault(subject["name"], set()).add(place)
    accounts = {each.inputs["accountId"] for (kind, _), each in graph.items() if kind == "Account"}
    return {who: where for who, where in places.items() if who in map(email, accounts)}


def test_no_account_of_a_delivery_has_a_right_in_anothers_namespace(run_program: Runner) -> None:
    """D1, D8: not in another model's, and from staging not in production."""
    config = config_of()
    serving = config["headroom:pipelines"]["ranker"]
    config["headroom:pipelines"]["ads"] = serving | {"model": "n"}
    graph = index(run_program(plan_config(config, "test", "f")))
    places = ("ads", "ads-staging", "ranker", "ranker-staging")
    assert bound(graph) == {runner_of(graph, place): {place} for place in places}


def test_who_renders_does_not_reach_the_cluster(graph: Graph) -> None:
    """D1: what a release has rendered for production runs before anybody approves it."""
    assert RENDERER not in bound(graph)
    assert roles_of(graph, RENDERER) == {"roles/clouddeploy.jobRunner", "roles/logging.logWriter"}


def test_phases_rise_to_stable_and_each_of_the_canary_is_verified_and_watched(graph: Graph) -> None:
    """D8."""
    shown = [
        (phase["phaseId"], phase["percentage"], phase["profiles"], phase["verify"]) for phase in phases(graph)
    ]
    assert shown == [
        ("canary-5", 5, ["canary"], True),
        ("canary-50", 50, ["canary"], True),
        ("stable", 100, ["stable"], False),
    ]
    assert [phase.get("analysis", {}).get("duration") for phase in phases(graph)] == ["1800s", "2700s", None]


def test_a_phase_is_judged_by_every_gate_and_by_what_fires_on_this_canary_alone(graph: Graph) -> None:
    """D8: another model's alert, or one on the stable track, does not stop it."""
    gates = {rule.name for rule in load_rules() if rule.gates_canary}
    for phase in phases(graph)[:-1]:
        checks = phase["analysis"]["googleCloud"]["alertPolicyChecks"]
        assert len(checks) == len(gates)
        for check in checks:
            assert check["labels"] == {"environment": "test", "pipeline": "ranker", "track": "canary"}
            (policy,) = check["alertPolicies"]
            assert policy == f"test-{check['id']}-0a1b2c3"
    assert ("AlertPolicy", "test-canary-starved") in graph


def test_weights_move_on_the_models_own_route(graph: Graph) -> None:
    runtime = stages(graph)[1]["strategy"]["canary"]["runtimeConfig"]["kubernetes"]["gatewayServiceMesh"]
    assert {runtime[key] for key in ("httpRoute", "service", "deployment")} == {"ranker"}
    assert (runtime["routeUpdateWaitTime"], runtime["stableCutbackDuration"]) == ("60s", "60s")


def rules(graph: Graph, stage: str) -> dict[str, Any]:
    inputs = graph["Automation", f"test-ranker-after-{stage}"].inputs
    assert inputs["serviceAccount"] == "test-advance@acme-ml-test.iam.gserviceaccount.com"
    return {kind: rule[kind] for rule in inputs["rules"] for kind in rule}


def test_what_was_validated_is_promoted_and_what_was_watched_goes_on(graph: Graph) -> None:
    """D7: nobody has to be there, but where a phase holds."""
    assert rules(graph, "staging") == {
        "promoteReleaseRule": {"id": "promote", "destinationTargetId": "@next"}
    }
    assert rules(graph, "production")["advanceRolloutRule"]["sourcePhases"] == ["canary-50"]
    selected = graph["Automation", "test-ranker-after-production"].inputs["selector"]
    assert selected == {"targets": [{"id": "test-ranker"}]}


def test_where_every_phase_holds_nothing_advances(run_program: Runner) -> None:
    """D2."""
    held = [phase | {"hold": True} for phase in PHASES]
    assert "advanceRolloutRule" not in rules(build(run_program, phases=held), "production")


def test_what_fails_is_tried_again_and_then_rolled_back_in_every_phase(
    graph: Graph, run_program: Runner
) -> None:
    """D5, D8."""
    repair = rules(graph, "production")["repairRolloutRule"]
    assert repair["repairPhases"] == [
        {"retry": {"attempts": "2"}},
        {"rollback": {"destinationPhase": "stable"}},
    ]
    assert not {"phases", "jobs"} & set(repair), "whatever fails, and whenever"
    none = rules(build(run_program, retries=0), "production")["repairRolloutRule"]
    assert none["repairPhases"] == [{"rollback": {"destinationPhase": "stable"}}]


def granted(graph: Graph) -> dict[str, set[str]]:
    """Who has which role on the pipeline."""
    held: dict[str, set[str]] = {}
    for (kind, _), each in graph.items():
        if kind == "DeliveryPipelineIamMember":
            held.setdefault(each.inputs["role"], set()).add(each.inputs["member"])
    return held


def test_each_may_do_what_is_theirs_on_this_pipeline_alone(graph: Graph) -> None:
    """D1, D2, D6."""
    assert granted(graph) == {
        "test-model-releaser-0a1b2c3": {"group:releasers@acme.dev"},
        "test-model-increaser-0a1b2c3": {"user:ada@acme.dev"},
        "test-model-roller-back-0a1b2c3": {"group:on-call@acme.dev"},
        "roles/clouddeploy.approver": {"group:approvers@acme.dev", "group:on-call@acme.dev"},
    }


def test_who_rolls_back_may_approve_that_unless_they_release(run_program: Runner) -> None:
    """D1, D6: a rollback may wait for an approval, and nobody who releases may give one."""
    people = COMMON["approvals"] | {"roll_back": ["group:releasers@acme.dev", "user:oncall@acme.dev"]}
    graph = build(run_program, COMMON | {"approvals": people})
    approvers = {"group:approvers@acme.dev", "user:oncall@acme.dev"}
    assert granted(graph)["roles/clouddeploy.approver"] == approvers
    on_target = {each.inputs["member"] for (kind, _), each in graph.items() if kind == "TargetIamMember"}
    assert on_target == approvers


def test_approvers_see_who_released_and_pass_a_freeze_where_they_must(graph: Graph) -> None:
    """D1."""
    role = graph["IAMCustomRole", "test-model-approver"].inputs["permissions"]
    assert {"logging.logEntries.list", "clouddeploy.deployPolicies.override"} <= set(role)
    members = {
        name for kind, name in graph if kind == "IAMMember" and name.startswith("test-model-approver-")
    }
    assert members == {
        "test-model-approver-group:approvers@acme.dev",
        "test-model-approver-group:on-call@acme.dev",
    }


def test_addresses_that_nobody_can_own_are_given_nothing(run_program: Runner) -> None:
    people = {what: ["group:x@acme.example"] for what in ("release", "roll_back")}
    graph = build(run_program, COMMON | {"approvals": people | {"begin": ["group:y@acme.example"]}})
    assert granted(graph) == {}


def roles_of(graph: Graph, account: str) -> set[str]:
    return {
        each.inputs["role"]
        for (kind, _), each in graph.items()
        if kind == "IAMMember" and each.inputs["member"] == f"serviceAccount:{account}"
    }


def test_no_runner_has_a_role_by_which_it_could_advance_or_reach_other_namespaces(graph: Graph) -> None:
    common = {
        "roles/artifactregistry.reader",
        "roles/clouddeploy.jobRunner",
        "roles/logging.logWriter",
        "roles/monitoring.viewer",
        "roles/serviceusage.serviceUsageConsumer",
        "test-model-runner-0a1b2c3",
    }
    assert roles_of(graph, runner_of(graph, "ranker-staging")) == common
    assert roles_of(graph, runner_of(graph, "ranker")) == common | {"roles/monitoring.alertPolicyViewer"}
    custom = graph["IAMCustomRole", "test-model-runner"].inputs["permissions"]
    assert custom == ["container.clusters.connect", "container.clusters.get"]


def test_accounts_are_used_by_who_creates_rollouts_with_them_and_by_nobody_else(graph: Graph) -> None:
    """D1: who approves or increases uses none."""
    users: dict[str, set[str]] = {}
    for (kind, name), each in graph.items():
        if kind == "IAMMember" and "-used-by-" in name:
            assert each.inputs["role"] == "roles/iam.serviceAccountUser"
            users.setdefault(name.partition("-used-by-")[0], set()).add(each.inputs["member"])
    automation = f"serviceAccount:{email('test-advance')}"
    assert users == {
        "test-render": {"group:releasers@acme.dev"},
        "test-deliver-ranker-staging": {"group:releasers@acme.dev"},
        "test-deliver-ranker": {"group:releasers@acme.dev", "group:on-call@acme.dev", automation},
    }


def test_a_freeze_stops_all_but_what_ends_a_fault(graph: Graph) -> None:
    """D6."""
    policy = graph["DeployPolicy", "test-freezes"].inputs
    assert policy["selectors"] == [{"deliveryPipeline": {"id": "*", "labels": {"environment": "test"}}}]
    fridays, year_end = (rule["rolloutRestriction"] for rule in policy["rules"])
    for rule in (fridays, year_end):
        assert set(rule["actions"]) == {"ADVANCE", "APPROVE", "CREATE", "IGNORE_JOB"}
        assert "invokers" not in rule, "neither people nor automations"
    (weekly,) = fridays["timeWindows"]["weeklyWindows"]
    assert fridays["timeWindows"]["timeZone"] == "Europe/Berlin"
    assert weekly == {
        "daysOfWeeks": ["FRIDAY"],
        "startTime": {"hours": 14, "minutes": 0},
        "endTime": {"hours": 24, "minutes": 0},
    }
    (once,) = year_end["timeWindows"]["oneTimeWindows"]
    assert once["startDate"] == {"year": 2026, "month": 12, "day": 18}
    assert once["startTime"] == {"hours": 17, "minutes": 30}
    assert once["endDate"] == {"year": 2027, "month": 1, "day": 4}


def test_everybody_who_listens_is_told(graph: Graph) -> None:
    """D7."""
    topics = {each.inputs["name"] for (kind, _), each in graph.items() if kind == "Topic"}
    assert topics == {"clouddeploy-operations", "clouddeploy-resources", "clouddeploy-approvals"}


def test_a_runner_may_deploy_what_a_release_brings_and_nothing_beside(graph: Graph) -> None:
    rules = graph["ClusterRole", "test-delivery-runner"].inputs["rules"]
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert {"deployments", "httproutes", "healthcheckpolicies"} <= resources
    assert not {"secrets", "roles", "rolebindings", "resourcequotas", "localqueues"} & resources


def test_owners_of_delivered_models_deploy_nothing_by_hand(graph: Graph) -> None:
    """D1: no way around the approval."""
    for namespace in ("ranker", "ranker-staging"):
        assert (
            graph["RoleBinding", f"test-owners-{namespace}"].inputs["roleRef"]["name"]
            == "headroom-model-owner"
        )
    rules = graph["ClusterRole", "test-model-owner"].inputs["rules"]
    changing = {verb for rule in rules for verb in rule["verbs"]} - {"get", "list", "watch"}
    assert changing == {"delete"}
    assert [rule["resources"] for rule in rules if "delete" in rule["verbs"]] == [["pods"]]


OTHERS: dict[str, Any] = {
    "approvals": COMMON["approvals"] | {"begin": ["user:eve@acme.dev"]},
    "validation_image": DIGEST.replace("validate", "judge"),
    "freezes": {"fridays": COMMON["freezes"]["fridays"] | {"start": "12:00"}},
    "builders": [],
    "images": [],
}


@pytest.mark.parametrize("key", sorted(OTHERS))
def test_every_setting_that_deliveries_have_in_common_changes_the_resources(
    key: str, graph: Graph, run_program: Runner
) -> None:
    changed = build(run_program, COMMON | {key: OTHERS[key]})
    assert {name: each.inputs for name, each in changed.items()} != {
        name: each.inputs for name, each in graph.items()
    }


def test_without_deliveries_there_is_none_of_it(run_program: Runner) -> None:
    config = config_of()
    del config["headroom:pipelines"]["ranker"]["delivery"]
    kinds = {each.type for each in run_program(plan_config(config, "test", "f"))}
    assert not any("clouddeploy" in kind or "gateway" in kind or "artifactregistry" in kind for kind in kinds)
