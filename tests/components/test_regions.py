"""D4, D8: what the programs of two regions ask for, and who may do what between their projects."""

import pytest

from tests.components.deliveries import Graph, index
from tests.mocks import record
from tests.regions import FAR, LEAD, configs_of, plan_of

RUNNER = "far-ranker-6682b6@acme-ml-test.iam.gserviceaccount.com"


def build_both(stack: str, **far: object) -> Graph:
    async def main() -> None:
        from infra.stack import build

        await build(plan_of(configs_of(far=far), stack)).registered()

    return index(record(stack, main))


@pytest.fixture(scope="module")
def near() -> Graph:
    return build_both(LEAD)


@pytest.fixture(scope="module")
def far() -> Graph:
    return build_both(FAR)


def test_the_target_of_a_region_is_the_cluster_that_its_program_makes(near: Graph, far: Graph) -> None:
    """D4: the names that one stack derives are those that the other gives."""
    cluster = near["Target", "test-ranker@far"].inputs["gke"]["cluster"]
    of = far["NodePool", "far-pool-system"].inputs
    assert cluster == f"projects/{of['project']}/locations/{of['location']}/clusters/{of['cluster']}"
    nodes = far["Account", "far-nodes"].inputs
    reader = next(each for (kind, name), each in near.items() if "validated-read-by" in name)
    assert reader.inputs["role"] == "roles/artifactregistry.reader"
    assert reader.inputs["member"] == (
        f"serviceAccount:{nodes['accountId']}@{nodes['project']}.iam.gserviceaccount.com"
    )


def test_who_deploys_to_a_region_may_there_only_what_that_takes(near: Graph, far: Graph) -> None:
    """D4: in its own project it has what a runner has, in the region's the cluster, metrics and alerts."""
    granted = {
        (each.inputs["project"], each.inputs["role"])
        for (kind, _), each in near.items()
        if kind == "IAMMember" and each.inputs.get("member") == f"serviceAccount:{RUNNER}"
    }
    assert {role for project, role in granted if project == "acme-ml-far"} == {
        f"projects/acme-ml-far/roles/{far['IAMCustomRole', 'far-model-runner'].inputs['roleId']}",
        "roles/monitoring.viewer",
        "roles/monitoring.alertPolicyViewer",
    }
    subjects = far["RoleBinding", "far-runner-ranker"].inputs["subjects"]
    assert [each["name"] for each in subjects] == [RUNNER]
    assert ("RoleBinding", "test-runner-ranker@far") not in near
    assert [name for kind, name in near if kind == "RoleBinding" and "runner" in name] == [
        "test-runner-ranker",
        "test-runner-ranker-staging",
    ]


def test_the_alerts_of_a_region_judge_its_canaries(near: Graph) -> None:
    """D8: those of the first region would never see them."""
    stages = near["DeliveryPipeline", "test-ranker"].inputs["serialPipeline"]["stages"]
    assert [each["profiles"] for each in stages] == [["staging"], ["production"], ["production-far"]]
    phase, stable = stages[2]["strategy"]["canary"]["customCanaryDeployment"]["phaseConfigs"]
    checks = phase["analysis"]["googleCloud"]["alertPolicyChecks"]
    assert {each["labels"]["environment"] for each in checks} == {"far"}
    assert all(policy.startswith("far-canary-") for each in checks for policy in each["alertPolicies"])
    assert (phase["profiles"], stable["profiles"]) == (["canary-far"], ["stable-far"])


def test_a_release_goes_on_by_itself_an_hour_after_all_users_of_the_region_before(near: Graph) -> None:
    """D7, D8: each region's automation rolls back there, and promotes but from the last."""

    def rules(name: str) -> dict[str, object]:
        found = near["Automation", name].inputs["rules"]
        return {kind: rule for each in found for kind, rule in each.items()}

    first, last = rules("test-ranker-after-production"), rules("test-ranker-after-production-far")
    assert first["promoteReleaseRule"] == {"id": "promote", "destinationTargetId": "@next", "wait": "3600s"}
    assert "promoteReleaseRule" not in last
    assert {"repairRolloutRule"} <= first.keys() & last.keys()


def test_a_region_has_no_delivery_of_its_own_and_says_which_alerts_judge(far: Graph) -> None:
    kinds = {kind for kind, _ in far}
    assert not kinds & {"Target", "DeliveryPipeline", "Automation", "DeployPolicy", "Repository", "Topic"}
    assert {"Policy", "Gateway", "ValidatingAdmissionPolicy"} <= kinds


def test_who_approves_in_one_region_has_no_right_in_another() -> None:
    """D1: neither on its target nor, by a condition, on the pipeline for it."""
    graph = build_both(LEAD, approvals={"begin": ["group:far@acme.dev"]})
    targets = {
        (each.inputs["name"], each.inputs["member"])
        for (kind, _), each in graph.items()
        if kind == "TargetIamMember"
    }
    assert ("far-ranker", "group:far@acme.dev") in targets
    assert ("test-ranker", "group:far@acme.dev") not in targets
    assert ("far-ranker", "group:approvers@acme.dev") not in targets
    conditions = {
        each.inputs["member"]: each.inputs.get("condition", {}).get("expression")
        for (kind, _), each in graph.items()
        if kind == "DeliveryPipelineIamMember" and each.inputs["role"] == "roles/clouddeploy.approver"
    }
    rollout_target = 'api.getAttribute("clouddeploy.googleapis.com/rolloutTarget", "")'
    assert conditions["group:far@acme.dev"] == f'{rollout_target} == "far-ranker"'
    assert conditions["group:approvers@acme.dev"] == f'{rollout_target} == "test-ranker"'
    assert conditions["group:on-call@acme.dev"] is None, "who rolls back does so everywhere"


def test_the_names_of_resources_are_told_apart() -> None:
    """A pipeline called as another's place in a region would be has resources of its own."""
    configs = configs_of()
    (pipeline,) = configs[LEAD]["headroom:pipelines"].values()
    configs[LEAD]["headroom:pipelines"]["ranker-in-far"] = pipeline
    configs[LEAD]["headroom:pools"]["cpu"]["nodes"]["max"] = 12

    async def main() -> None:
        from infra.stack import build

        await build(plan_of(configs, LEAD)).registered()

    registered = record(LEAD, main)
    assert len({(each.type, each.name) for each in registered}) == len(registered)
