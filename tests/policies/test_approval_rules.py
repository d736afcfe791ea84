"""Who may approve is named for each model, or is the job that brings models back; nobody else is let in."""

import json
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from headroom.planning.plan import plan_config
from headroom.spec.stack_file import load_config
from infra.offline import Registered, record
from policies.offline import judge_offline
from policies.registry import RULES
from policies.resources import UNKNOWN, make_urn
from policies.settings import Settings
from tests.policies.scenes import ROOT, Scene, open_scene

RULE = "approvers-are-planned"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
PIPELINE = "gcp:clouddeploy/deliveryPipelineIamMember:DeliveryPipelineIamMember"
TARGET = "gcp:clouddeploy/targetIamMember:TargetIamMember"
PROJECT = "gcp:projects/iAMMember:IAMMember"
APPROVER = "roles/clouddeploy.approver"
OWN = "projects/acme-ml-dev/roles/dev_model_returner"
GROUP = "group:all@acme.dev"
POOLS = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/"
JOB = f"{POOLS}acme-ml-dev.svc.id.goog/subject/ns/headroom-operations/sa/rollbacks"
EVERY_PLACE = [
    (PROJECT, {}),
    ("gcp:projects/iAMBinding:IAMBinding", {}),
    ("gcp:folder/iAMMember:IAMMember", {"folder": "folders/1"}),
    ("gcp:organizations/iAMMember:IAMMember", {"orgId": "1"}),
    (PIPELINE, {"name": "dev-feed-serving"}),
    (TARGET, {"name": "dev-feed-serving"}),
]


def approving(permissions: Any = ("clouddeploy.rollouts.get", "clouddeploy.rollouts.approve")) -> Scene:
    """The stack with one more role of its own."""
    listed = permissions if permissions is UNKNOWN else list(permissions)
    inputs = {"roleId": "dev_model_returner", "permissions": listed, "project": "acme-ml-dev"}
    return open_scene("dev").add(CUSTOM_ROLE, "dev-model-returner", inputs)


def bind(scene: Scene, kind: str, role: Any, member: Any, place: dict[str, str] | None = None) -> list[str]:
    said = {"members": [member]} if kind.endswith("Binding") else {"member": member}
    inputs = {"project": "acme-ml-dev", "role": role, **said, **(place or {})}
    return scene.add(kind, "zz", inputs).found(RULE)


@pytest.mark.parametrize(("kind", "place"), EVERY_PLACE)
def test_a_role_of_ones_own_that_approves_is_nobodys(kind: str, place: dict[str, str]) -> None:
    """D1: a group that has it approves what it released."""
    (found,) = bind(approving(), kind, OWN, GROUP, place)
    assert f"zz: gives the role dev-model-returner to {GROUP}" in found


def test_a_role_of_ones_own_is_told_by_where_it_comes_from() -> None:
    """Before the update that creates it, its name is not known."""
    for permission, is_found in (("clouddeploy.rollouts.approve", True), ("clouddeploy.rollouts.get", False)):
        scene = approving((permission,)).add(PROJECT, "zz", {"role": UNKNOWN, "member": GROUP})
        made = make_urn("dev", f"headroom:infra:DeliveryAccess${CUSTOM_ROLE}", "dev-model-returner")
        scene.find("zz")["options"] = {"sources": {"role": frozenset([made])}}
        assert bool(scene.found(RULE)) == is_found


def test_a_role_whose_permissions_are_not_known_may_approve() -> None:
    assert bind(approving(UNKNOWN), PROJECT, OWN, GROUP)
    assert bind(approving([UNKNOWN]), PROJECT, OWN, GROUP)


def test_a_role_that_the_stack_does_not_make_may_approve() -> None:
    (found,) = bind(open_scene("dev"), PROJECT, "organizations/1/roles/nobody_knows", GROUP)
    assert "gives organizations/1/roles/nobody_knows, which the stack does not make, to" in found


@pytest.mark.parametrize("role", ["approver", "admin", "operator", "nobodyKnows"])
@pytest.mark.parametrize(("kind", "place"), EVERY_PLACE)
def test_googles_roles_that_approve_are_nobodys(role: str, kind: str, place: dict[str, str]) -> None:
    """D1; of a pipeline without its production, too: nobody is planned so."""
    assert bind(open_scene("dev"), kind, f"roles/clouddeploy.{role}", GROUP, place)
    assert bind(open_scene("dev"), kind, f"roles/clouddeploy.{role}", JOB, place)


@pytest.mark.parametrize("role", ["roles/clouddeploy.viewer", "roles/clouddeploy.releaser"])
def test_roles_without_approvals_approve_nothing(role: str) -> None:
    assert bind(open_scene("dev"), PIPELINE, role, GROUP, {"name": "dev-feed-serving"}) == []


@pytest.mark.parametrize(
    ("kind", "place"), [(PROJECT, {}), (PIPELINE, {"name": "dev-feed"}), (TARGET, {"name": "dev-feed"})]
)
def test_the_job_that_brings_models_back_may_approve(kind: str, place: dict[str, str]) -> None:
    """D8: in the project, or only where it has to."""
    assert bind(approving(), kind, OWN, JOB, place) == []


@pytest.mark.parametrize(
    "member",
    [
        JOB.replace("rollbacks", "audit"),
        JOB.replace("headroom-operations", "feed-data"),
        JOB.replace("acme-ml-dev.svc", "elsewhere.svc"),
        f"{JOB}2",
        JOB.replace("principal://", "principalSet://"),
        "serviceAccount:rollbacks@acme-ml-dev.iam.gserviceaccount.com",
        UNKNOWN,
    ],
)
def test_no_other_job_may(member: Any) -> None:
    assert bind(approving(), PROJECT, OWN, member)


def test_the_job_is_told_by_where_it_comes_from_before_the_project_has_a_number() -> None:
    agent = "gcp:projects/serviceIdentity:ServiceIdentity"
    for name, kind, is_found in (
        ("dev-rollbacks-returner", agent, False),
        ("dev-rollbacks-returner", "gcp:serviceaccount/account:Account", True),
        ("zz", agent, True),
    ):
        scene = approving().add(PROJECT, name, {"role": OWN, "member": UNKNOWN})
        scene.find(name)["options"] = {"sources": {"member": frozenset([make_urn("dev", kind, "it")])}}
        assert bool(scene.found(RULE)) == is_found


@cache
def registered() -> tuple[Registered, ...]:
    """What the program makes where approvers are somebody: owners at .example are nobody's."""
    config = json.loads(
        json.dumps(load_config(ROOT / "Pulumi.prod.yaml")).replace("@acme.example", "@acme.dev")
    )
    operations = {"image": f"example.com/headroom@sha256:{'a1' * 32}", "rollbacks": {}}
    plan = plan_config(config | {"headroom:operations": operations}, "prod", "f")

    async def main() -> None:
        from infra.stack import build

        await build(plan).registered()

    return tuple(record("prod", main))


def found_in(graph: tuple[Registered, ...]) -> list[str]:
    verdicts = judge_offline("prod", graph, ROOT, Settings(), RULES)
    return [str(each.finding) for each in verdicts if each.rule.name == RULE]


@pytest.mark.slow
def test_approvers_as_the_program_makes_them_are_planned() -> None:
    """D1: each for a pipeline and for its production."""
    seats = {kind: [each for each in registered() if _is_seat(each, kind)] for kind in (PIPELINE, TARGET)}
    assert len(seats[PIPELINE]) == len(seats[TARGET]) >= 4
    assert found_in(registered()) == []


def _is_seat(each: Registered, kind: str) -> bool:
    return each.type == kind and each.inputs["role"] == APPROVER


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PIPELINE, TARGET])
@pytest.mark.parametrize(
    "change", [{"member": GROUP}, {"name": "prod-other"}, {"role": "roles/clouddeploy.admin"}]
)
def test_an_approver_of_one_of_the_two_alone_is_not(kind: str, change: dict[str, str]) -> None:
    graph = deepcopy(registered())
    next(each for each in graph if _is_seat(each, kind)).inputs.update(change)
    assert found_in(graph)


@pytest.mark.slow
def test_a_machine_approves_nothing() -> None:
    graph = deepcopy(registered())
    seat = next(each for each in graph if _is_seat(each, PIPELINE))
    account = "serviceAccount:ci@acme-ml-prod.iam.gserviceaccount.com"
    for each in graph:
        if each.type in (PIPELINE, TARGET) and each.inputs["member"] == seat.inputs["member"]:
            each.inputs["member"] = account
    assert any(account in text for text in found_in(graph))
