"""D1, D8: a delivery to several regions is held to what one region is, and goes to no other cluster."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.offline import Registered, record
from policies.offline import judge_offline
from policies.registry import RULES
from policies.resources import UNKNOWN
from policies.settings import Settings
from tests.regions import FAR, LEAD, configs_of, plan_of

Edit = Callable[[dict[str, Registered]], object]
PRODUCTION: dict[str, Any] = {
    "headroom:environment": {"tier": "production"},
    "headroom:alerting": {
        "channels": {"mail": {"kind": "email", "address": "ml@acme.dev"}},
        "routes": {"page": ["mail"], "ticket": ["mail"]},
        "runbooks": "https://git.acme.dev/ml",
    },
}


def complete(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for config in found.values():
        window = {"days": ["sat", "sun"], "start": "03:00", "hours": 8}
        config["headroom:cluster"]["maintenance"] = window
        config.update(PRODUCTION)
    return found


def write_files(configs: dict[str, dict[str, Any]], folder: Path) -> Path:
    """A project with the files of both stacks."""
    for stack, config in configs.items():
        (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}))
    return folder


def run(configs: dict[str, dict[str, Any]], stack: str) -> list[Registered]:
    async def main() -> None:
        from infra.stack import build

        await build(plan_of(configs, stack)).registered()

    return record(stack, main)


@pytest.fixture(scope="module")
def configs() -> dict[str, dict[str, Any]]:
    return complete(configs_of())


@pytest.fixture(scope="module")
def folder(configs: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(configs, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def graphs(configs: dict[str, dict[str, Any]]) -> dict[str, list[Registered]]:
    return {stack: run(configs, stack) for stack in configs}


@pytest.fixture(scope="module")
def register(graphs: dict[str, list[Registered]]) -> Callable[[str], list[Registered]]:
    return lambda stack: deepcopy(graphs[stack])


OF_THE_WORLD = ("capacity-is-granted", "groups-are-known-to-the-cluster", "promises-are-kept")
"""What these stacks leave out, as any may that is not brought up yet."""


def judge(stack: str, registered: list[Registered], folder: Path) -> list[str]:
    verdicts = judge_offline(stack, registered, folder, Settings(production=(LEAD, FAR)), RULES)
    return [str(each) for each in verdicts if each.refuses and each.rule.name not in OF_THE_WORLD]


@pytest.mark.parametrize("stack", [LEAD, FAR])
def test_two_regions_break_no_rule(
    register: Callable[[str], list[Registered]], folder: Path, stack: str
) -> None:
    assert judge(stack, register(stack), folder) == []


def by_name(registered: list[Registered]) -> dict[str, Registered]:
    return {f"{each.type.rpartition(':')[2]} {each.name}": each for each in registered}


def change(name: str, edit: Callable[[dict[str, Any]], object]) -> Edit:
    return lambda found: edit(found[name].inputs)


def far_phases(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    return inputs["serialPipeline"]["stages"][2]["strategy"]["canary"]["customCanaryDeployment"][
        "phaseConfigs"
    ]


def check_of(inputs: dict[str, Any]) -> dict[str, Any]:
    return far_phases(inputs)[0]["analysis"]["googleCloud"]["alertPolicyChecks"][0]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            change("Target test-ranker@far", lambda i: i["gke"].update(cluster=i["gke"]["cluster"] + "x")),
            "[targets-are-the-stacks-own] test-ranker@far: its gke.cluster is",
        ),
        (
            change(
                "DeliveryPipeline test-ranker", lambda i: i["serialPipeline"]["stages"][2].pop("strategy")
            ),
            "[canaries-come-first] test-ranker: its canary is not there",
        ),
        (
            change(
                "DeliveryPipeline test-ranker", lambda i: i["serialPipeline"]["stages"][1].pop("strategy")
            ),
            "[canaries-come-first] test-ranker: its canary is not there",
        ),
        (
            change("DeliveryPipeline test-ranker", lambda i: check_of(i)["labels"].update(environment=LEAD)),
            "[canaries-come-first] test-ranker: canary-errors does not judge canary-10",
        ),
        (
            change(
                "DeliveryPipeline test-ranker",
                lambda i: check_of(i).update(alertPolicies=["projects/acme-ml-test/alertPolicies/1"]),
            ),
            "[canaries-come-first] test-ranker: projects/acme-ml-test/alertPolicies/1 judges canary-10",
        ),
        (
            change("Automation test-ranker-after-production-far", lambda i: i.update(rules=i["rules"][:1])),
            "[rollbacks-are-automated] test-ranker-after-staging: nothing rolls test-ranker back",
        ),
        (
            change("Automation test-ranker-after-production-far", lambda i: i.update(rules=i["rules"][1:])),
            "[held-phases-wait-for-a-person] test-ranker: nothing lets a rollout go on from canary-10",
        ),
        (
            change("DeliveryPipeline test-ranker", lambda i: i["serialPipeline"]["stages"].pop(0)),
            "[canaries-come-first] test-ranker: stage 0 delivers to production, before the canary",
        ),
        (
            change(
                "Automation test-ranker-after-staging",
                lambda i: i["rules"][0]["promoteReleaseRule"].update(destinationTargetId="far-ranker"),
            ),
            "[releases-go-in-order] test-ranker-after-staging: promotes to a stage that is far-ranker",
        ),
        (
            change(
                "Automation test-ranker-after-production",
                lambda i: i["rules"][2]["promoteReleaseRule"].update(destinationPhase="stable"),
            ),
            "[releases-go-in-order] test-ranker-after-production: promotes to a phase that is stable",
        ),
    ],
)
def test_a_region_that_is_not_delivered_to_as_it_should_be_is_found(
    register: Callable[[str], list[Registered]], folder: Path, edit: Edit, expected: str
) -> None:
    registered = register(LEAD)
    edit(by_name(registered))
    found = judge(LEAD, registered, folder)
    assert any(expected in each for each in found), found


def test_a_cluster_of_a_stack_that_does_not_follow_is_none_of_the_stacks(
    register: Callable[[str], list[Registered]], configs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """What a stack file does not name, no target delivers to."""
    config = configs[LEAD] | {
        "headroom:delivery": {k: v for k, v in configs[LEAD]["headroom:delivery"].items() if k != "regions"}
    }
    (tmp_path / f"Pulumi.{LEAD}.yaml").write_text(yaml.safe_dump({"config": config}))
    found = judge(LEAD, register(LEAD), tmp_path)
    assert any("[targets-are-the-stacks-own] test-ranker@far" in each for each in found)


def test_what_serves_in_a_region_without_a_lead_is_found(
    register: Callable[[str], list[Registered]], tmp_path: Path
) -> None:
    """D7: releases have to come from somewhere."""
    found = judge(FAR, register(FAR), tmp_path)
    assert any("[models-are-delivered] far-namespace-ranker" in each for each in found)


MIXED = [
    [{"id": "far-ranker"}, {"labels": {"environment": "test"}}],
    [{"id": "far-ranker"}, {"id": "*", "labels": {"environment": "test"}}],
    [{"id": "far-ranker"}, UNKNOWN],
    [UNKNOWN],
]


@pytest.mark.parametrize("targets", MIXED, ids=str)
def test_what_an_automation_may_be_of_it_advances(tmp_path: Path, targets: list[Any]) -> None:
    """D8: that of the far region would let the first one go on from a phase that holds."""
    configs = complete(configs_of(phases=[{"percent": 5, "minutes": 40}, {"percent": 50, "minutes": 45}]))
    first = {"percent": 5, "minutes": 40, "hold": True}
    configs[LEAD]["headroom:pipelines"]["ranker"]["delivery"]["phases"] = [
        first,
        {"percent": 50, "minutes": 45},
    ]
    registered = run(configs, LEAD)
    folder = write_files(configs, tmp_path)
    assert judge(LEAD, registered, folder) == []
    by_name(registered)["Automation test-ranker-after-production-far"].inputs["selector"]["targets"] = targets
    expected = "test-ranker-after-production-far: lets a rollout go on from canary-5 by itself"
    assert any(expected in each for each in judge(LEAD, registered, folder))


@pytest.mark.parametrize("value", [False, None, UNKNOWN])
def test_a_region_that_asks_for_an_approval_is_asked(tmp_path: Path, value: Any) -> None:
    """D1: its own stack file says so."""
    configs = complete(configs_of(far={"approvals": {"begin": ["group:far@acme.dev"]}}))
    registered = run(configs, LEAD)
    folder = write_files(configs, tmp_path)
    assert judge(LEAD, registered, folder) == []
    by_name(registered)["Target test-ranker@far"].inputs["requireApproval"] = value
    expected = "[deliveries-are-approved] test-ranker@far: requireApproval is"
    assert any(expected in each for each in judge(LEAD, registered, folder))


def test_a_target_of_another_name_is_still_the_regions(tmp_path: Path) -> None:
    """D1."""
    configs = complete(configs_of(approvals={"begin": ["group:far@acme.dev"]}))
    registered = run(configs, LEAD)
    found = by_name(registered)
    found["Target test-ranker@far"].inputs.update(name="elsewhere", requireApproval=False)
    found["DeliveryPipeline test-ranker"].inputs["serialPipeline"]["stages"][2]["targetId"] = "elsewhere"
    expected = "[deliveries-are-approved] test-ranker@far: requireApproval is false"
    assert any(expected in each for each in judge(LEAD, registered, write_files(configs, tmp_path)))


def test_the_own_cluster_is_approved_wherever_it_comes(
    register: Callable[[str], list[Registered]], folder: Path
) -> None:
    """D1: not only where it is the first."""
    registered = register(LEAD)
    found = by_name(registered)
    stages = found["DeliveryPipeline test-ranker"].inputs["serialPipeline"]["stages"]
    stages[1], stages[2] = stages[2], stages[1]
    found["Target test-ranker@far"].inputs["requireApproval"] = True
    found["Target test-ranker"].inputs["requireApproval"] = False
    expected = "[deliveries-are-approved] test-ranker: requireApproval is false"
    assert any(expected in each for each in judge(LEAD, registered, folder))


def admit(registered: list[Registered], stack: str, of: str) -> None:
    """Have production run images of another repository."""
    name = f"{stack}-policy-model-images"
    (policy,) = (each for each in registered if each.name == name)
    (admitted, *_) = policy.inputs["spec"]["variables"]
    own = "{'production': ['us-central1-docker.pkg.dev/acme-ml-test/test-validated/']"
    assert admitted["expression"].startswith(own)
    admitted["expression"] = admitted["expression"].replace(own, f"{{'production': ['{of}/']", 1)


@pytest.mark.parametrize(
    "of",
    [
        "us-east1-docker.pkg.dev/acme-ml-far/far-validated",
        "us-east1-docker.pkg.dev/acme-ml-test/test-validated",
        "docker.io/library/any",
    ],
)
def test_a_region_runs_what_the_lead_validated(
    register: Callable[[str], list[Registered]], folder: Path, of: str
) -> None:
    """D7: and nothing of its own, which nobody validates there."""
    registered = register(FAR)
    admit(registered, FAR, of)
    found = judge(FAR, registered, folder)
    assert any(
        f"[admission-is-enforced] far-policy-model-images: in production images of {of}/" in each
        for each in found
    )


@pytest.mark.parametrize("name", ["far-validated", "test-validated", UNKNOWN])
def test_a_region_keeps_no_copies(
    register: Callable[[str], list[Registered]], folder: Path, name: Any
) -> None:
    """D7."""
    registered = register(FAR)
    (other,) = (
        deepcopy(each)
        for each in register(LEAD)
        if each.name == "test-validated" and "epository" in each.type
    )
    other.inputs["repositoryId"] = name
    found = judge(FAR, [*registered, other], folder)
    expected = "[production-runs-what-was-validated] test-validated: keeps copies that nobody validated here"
    assert any(expected in each for each in found), found


def subjects(name: str, edit: Callable[[list[dict[str, Any]]], object]) -> Edit:
    return change(f"RoleBinding {name}", lambda inputs: edit(inputs["subjects"]))


def rename(user: str) -> Callable[[list[dict[str, Any]]], object]:
    return lambda found: found[0].update(name=f"{user}.iam.gserviceaccount.com")


STAGING = "test-ranker-staging-11c19e@acme-ml-test"


@pytest.mark.parametrize(
    ("stack", "edit"),
    [
        (LEAD, subjects("test-runner-ranker", rename(STAGING))),
        (LEAD, subjects("test-runner-ranker", rename("test-ranker-6b6147@acme-ml-far"))),
        (LEAD, subjects("test-runner-ranker", lambda found: found.append(dict(found[0])))),
        (LEAD, subjects("test-runner-ranker-staging", rename("test-ranker-6b6147@acme-ml-test"))),
        (FAR, subjects("far-runner-ranker", rename("test-ranker-6b6147@acme-ml-test"))),
        (FAR, subjects("far-runner-ranker", rename("far-ranker-6682b6@acme-ml-far"))),
        (FAR, subjects("far-runner-ranker", rename("evil@other"))),
    ],
)
def test_in_each_namespace_only_the_account_of_its_target_deploys(
    register: Callable[[str], list[Registered]], folder: Path, stack: str, edit: Edit
) -> None:
    """D1: an account of staging would bring to production what nobody approved."""
    registered = register(stack)
    edit(by_name(registered))
    found = judge(stack, registered, folder)
    assert any("[runners-keep-to-their-namespace] " in each for each in found), found


RUNS = "IAMMember test-deliver-ranker@far-runner"


@pytest.mark.parametrize(
    ("name", "member"),
    [
        (RUNS, "user:x@acme.dev"),
        (RUNS, f"serviceAccount:{STAGING}.iam.gserviceaccount.com"),
        (RUNS, "serviceAccount:far-ranker-6682b6@acme-ml-far.iam.gserviceaccount.com"),
        ("IAMMember test-deliver-ranker-runner", "user:x@acme.dev"),
        (
            "IAMMember test-deliver-ranker-runner",
            "serviceAccount:far-ranker-6682b6@acme-ml-test.iam.gserviceaccount.com",
        ),
    ],
)
def test_a_cluster_is_reached_by_accounts_that_deliver_there_alone(
    register: Callable[[str], list[Registered]], folder: Path, name: str, member: str
) -> None:
    """D1."""
    registered = register(LEAD)
    by_name(registered)[name].inputs["member"] = member
    found = judge(LEAD, registered, folder)
    expected = f"[runners-keep-to-their-namespace] {name.split()[1]}: lets {member} reach the cluster of"
    assert any(expected in each for each in found), found


@pytest.mark.parametrize(("account", "is_fine"), [("ranker@far", True), ("ranker-staging", False)])
def test_before_they_are_created_accounts_are_told_by_what_creates_them(
    register: Callable[[str], list[Registered]], folder: Path, account: str, is_fine: bool
) -> None:
    registered = register(LEAD)
    found = by_name(registered)
    (made,) = found[f"IAMMember test-deliver-{account}-runner"].sources["member"]
    found[RUNS].inputs["member"] = UNKNOWN
    found[RUNS].sources["member"] = frozenset([made])
    is_found = any("runners-keep-to-their-namespace" in each for each in judge(LEAD, registered, folder))
    assert is_found != is_fine
