"""D7: who may put images where production takes them from, from the rule's other side."""

from typing import Any

import pytest

from policies.resources import UNKNOWN, make_urn
from tests.policies.scenes import Scene, open_scene

RULE = "production-runs-what-was-validated"
MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
STAGING = "Target dev-feed-serving-staging"


def give(scene: Scene, **grant: Any) -> Scene:
    return scene.add(MEMBER, "zz", {"member": "group:ads@acme.example", **grant})


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_stacks_let_only_accounts_write_that_validate(stack: str) -> None:
    assert open_scene(stack).found(RULE) == []


@pytest.mark.parametrize(
    ("repository", "role"), [("dev-models", "writer"), ("dev-validated", "reader"), ("validated", "writer")]
)
def test_who_pushes_elsewhere_or_only_pulls_is_nobodys_affair(repository: str, role: str) -> None:
    assert (
        give(open_scene("dev"), repository=repository, role=f"roles/artifactregistry.{role}").found(RULE)
        == []
    )


@pytest.mark.parametrize(("account", "is_fine"), [("staging", True), ("render", False)])
def test_before_the_first_update_accounts_are_told_by_what_creates_them(account: str, is_fine: bool) -> None:
    scene = open_scene("dev").put(STAGING, "executionConfigs", 1, "serviceAccount", to=UNKNOWN)
    name = "dev-deliver-feed-serving-staging" if account == "staging" else "dev-render"
    (urn,) = (each.urn for each in scene.resources() if each.name == name and each.type.endswith(":Account"))
    scene.find(STAGING).setdefault("options", {})["sources"] = {"executionConfigs": frozenset([urn])}
    assert (scene.found(RULE) == []) == is_fine


def test_who_deploys_to_production_does_not_validate() -> None:
    scene = open_scene("prod")
    account = scene.value("Target prod-feed-serving", "executionConfigs", 1, "serviceAccount")
    scene.add(
        MEMBER,
        "zz",
        {
            "repository": "prod-validated",
            "role": "roles/artifactregistry.writer",
            "member": f"serviceAccount:{account}",
        },
    )
    (found,) = scene.found(RULE)
    assert found.startswith(f"zz: lets serviceAccount:{account} put images")


def test_where_nothing_says_what_production_runs_another_rule_does() -> None:
    scene = give(open_scene("dev"), repository="dev-validated", role="roles/artifactregistry.writer")
    assert scene.found(RULE)
    scene.put("dev-policy-model-images", "spec", "variables", 0, "expression", to=UNKNOWN)
    assert scene.found(RULE) == []
    assert "admission-is-enforced" in scene.broken()


OWN = "gcp:projects/iAMCustomRole:IAMCustomRole"
PROJECT = "gcp:projects/iAMMember:IAMMember"


def give_own(permissions: Any, kind: str = PROJECT) -> Scene:
    """The stack with one more role of its own, and somebody who has it."""
    scene = open_scene("dev").add(OWN, "dev-pushes", {"roleId": "dev_pushes", "permissions": permissions})
    role = "projects/acme-ml-dev/roles/dev_pushes"
    return scene.add(kind, "zz", {"project": "acme-ml-dev", "role": role, "member": "group:ads@acme.example"})


@pytest.mark.parametrize(
    "permission",
    [
        "artifactregistry.repositories.uploadArtifacts",
        "artifactregistry.packages.uploadArtifacts",
        "artifactregistry.repositories.update",
        "artifactregistry.repositories.delete",
        "artifactregistry.repositories.createOnPush",
        "artifactregistry.tags.update",
        "artifactregistry.versions.delete",
        UNKNOWN,
    ],
)
def test_a_role_of_ones_own_that_writes_is_for_who_validates_alone(permission: Any) -> None:
    """D7."""
    (found,) = give_own(["artifactregistry.repositories.get", permission]).found(RULE)
    assert found.startswith("zz: lets group:ads@acme.example put images")
    assert give_own([permission], "gcp:folder/iAMMember:IAMMember").found(RULE)


@pytest.mark.parametrize(
    "permission",
    [
        "artifactregistry.repositories.get",
        "artifactregistry.repositories.downloadArtifacts",
        "artifactregistry.repositories.readViaVirtualRepository",
        "artifactregistry.dockerimages.list",
        "container.clusters.update",
    ],
)
def test_a_role_of_ones_own_that_looks_is_for_anybody(permission: str) -> None:
    assert give_own([permission]).found(RULE) == []


def test_a_role_that_the_same_update_makes_is_told_by_where_it_comes_from() -> None:
    for permission, is_found in (("uploadArtifacts", True), ("get", False)):
        scene = give_own([f"artifactregistry.repositories.{permission}"]).put("zz", "role", to=UNKNOWN)
        made = make_urn("dev", f"headroom:infra:DeliveryAccess${OWN}", "dev-pushes")
        scene.find("zz")["options"] = {"sources": {"role": frozenset([made])}}
        assert bool(scene.found(RULE)) == is_found


@pytest.mark.parametrize(
    "inputs",
    [{"mode": "STANDARD_REPOSITORY"}, {"cleanupPolicies": []}, {"cleanupPolicies": [{"action": "KEEP"}]}],
)
def test_what_google_fills_in_or_only_keeps_is_no_difference(inputs: dict[str, Any]) -> None:
    scene = open_scene("prod")
    scene.find("Repository prod-validated")["inputs"].update(inputs)
    assert scene.found(RULE) == []
