"""The digests of admission policies: of what the project has, and of nothing that only looks different."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.admission_rules import digest_spec
from policies.resources import UNKNOWN
from tests.policies.scenes import open_scene

RULE = "admission-is-enforced"


def test_every_policy_of_the_project_is_agreed_to_as_it_is(root: Path) -> None:
    """Q3: whoever changes a policy changes policies/admission.yaml too, which has its own owners."""
    manifests = root / "infra" / "manifests"
    agreed = yaml.safe_load((root / "policies" / "admission.yaml").read_text())
    found = {}
    delivered = (manifests / "delivery" / name for name in ("images.yaml", "routes.yaml"))
    for path in (*manifests.glob("admission/*.yaml"), *delivered):
        policy, binding = yaml.safe_load_all(path.read_text())
        found[policy["metadata"]["name"]] = (digest_spec(policy["spec"]), digest_spec(binding["spec"]))
    assert found == {name: (row["policy"], row["binding"]) for name, row in agreed.items()}


def test_what_the_api_server_fills_in_is_no_difference() -> None:
    """After an update the rules see the objects as the cluster has them."""
    scene = open_scene("dev")
    for each in scene.registrations:
        spec = each["inputs"].get("spec")
        if each["type"].endswith(":ValidatingAdmissionPolicy"):
            spec["matchConstraints"] |= {
                "matchPolicy": "Equivalent",
                "namespaceSelector": {},
                "objectSelector": {},
            }
            for rule in spec["matchConstraints"]["resourceRules"]:
                rule["scope"] = "*"
            each["inputs"]["status"] = {"observedGeneration": 1}
        elif each["type"].endswith(":ValidatingAdmissionPolicyBinding") and "matchResources" in spec:
            spec["matchResources"] |= {"matchPolicy": "Equivalent", "objectSelector": {}, "paramKind": None}
    assert scene.found(RULE) == []


@pytest.mark.parametrize("broken", ["text", [], 1, {"variables": ["text"]}, {"validations": "text"}])
def test_what_has_not_the_form_of_a_policy_is_found(broken: Any) -> None:
    scene = open_scene("dev").put("dev-policy-headroom-queue-name", "spec", to=broken)
    assert scene.found(RULE)


def test_each_value_counts_and_an_unknown_one_has_no_digest() -> None:
    spec = open_scene("dev").value("dev-policy-headroom-queue-name", "spec")
    other: dict[str, Any] = copy.deepcopy(spec)
    other["matchConstraints"]["resourceRules"][0]["scope"] = "Cluster"
    assert digest_spec(other) not in ("", digest_spec(spec))
    other["matchConstraints"]["resourceRules"][0]["scope"] = UNKNOWN
    assert digest_spec(other) == ""


@pytest.mark.parametrize("what", ["images", "routes"])
def test_where_no_model_is_delivered_nothing_is_asked_of_images_and_routes(what: str) -> None:
    scene = open_scene("dev").drop(f"dev-policy-model-{what}").drop(f"dev-policybinding-model-{what}")
    assert RULE in scene.broken()
    for each in scene.registrations:
        if each["type"].endswith("v1:Namespace"):
            each["inputs"]["metadata"].get("labels", {}).pop("headroom/delivery", None)
    assert scene.found(RULE) == []


@pytest.mark.parametrize(
    "other",
    [
        "docker.io/library/any",
        "us-central1-docker.pkg.dev/acme-ml-other/dev-validated",
        "europe-west4-docker.pkg.dev/acme-ml-dev/dev-validated",
        "us-central1-docker.pkg.dev/acme-ml-dev/dev-models",
        "us-central1-docker.pkg.dev/acme-ml-dev/dev-validated/sub",
    ],
)
def test_production_runs_images_of_the_stacks_own_copies_alone(other: str) -> None:
    """D7: neither those of another host or project, nor those that nobody validated."""
    own = "us-central1-docker.pkg.dev/acme-ml-dev/dev-validated"
    scene, path = open_scene("dev"), ("dev-policy-model-images", "spec", "variables", 0, "expression")
    said = f"{{'production': ['{own}/']"
    assert scene.value(*path).startswith(said)
    scene.put(*path, to=scene.value(*path).replace(said, said.replace(own, other)))
    (found,) = scene.found(RULE)
    assert f"in production images of {other}/ run, rather than of {own}/" in found


@pytest.mark.parametrize("key", ["project", "location"])
def test_where_nobody_knows_the_place_of_the_cluster_no_repository_is_its_own(key: str) -> None:
    scene = open_scene("dev")
    for each in scene.registrations:
        if each["type"] in ("gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"):
            each["inputs"][key] = UNKNOWN
    assert scene.found(RULE)
