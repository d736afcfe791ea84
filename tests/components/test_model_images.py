"""D7: which images run where models are delivered, and where models are kept."""

import ast

import pytest

from headroom.planning.delivery_accounts import name_account
from tests.components.deliveries import Graph, record_deliveries

STAGER = name_account("test-ranker-staging")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return record_deliveries()


def test_the_cluster_admits_named_images_alone(graph: Graph) -> None:
    """D7."""
    policy = graph["Policy", "test-images"].inputs
    assert policy["defaultAdmissionRule"] == {
        "evaluationMode": "ALWAYS_DENY",
        "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
    }
    assert policy["globalPolicyEvaluationMode"] == "ENABLE"
    patterns = {row["namePattern"] for row in policy["admissionWhitelistPatterns"]}
    assert {"registry.k8s.io/kueue/*", "us-docker.pkg.dev/acme-tools/batch/**"} <= patterns


def test_images_of_models_are_kept_under_tags_that_cannot_be_moved(graph: Graph) -> None:
    for name in ("test-models", "test-validated"):
        assert graph["Repository", name].inputs["dockerConfig"] == {"immutableTags": True}


def test_builders_push_models_and_only_what_validates_them_copies_them_on(graph: Graph) -> None:
    """D7."""
    grants = [each.inputs for (kind, _), each in graph.items() if kind == "RepositoryIamMember"]
    assert {(each["repository"], each["member"]) for each in grants} == {
        ("test-models", "serviceAccount:ci@acme-ml-test.iam.gserviceaccount.com"),
        ("test-validated", f"serviceAccount:{STAGER}@acme-ml-test.iam.gserviceaccount.com"),
    }
    assert {each["role"] for each in grants} == {"roles/artifactregistry.writer"}


def test_where_models_are_delivered_only_their_images_run_and_by_digest(graph: Graph) -> None:
    policy = graph["ValidatingAdmissionPolicy", "test-policy-model-images"].inputs["spec"]
    admitted = policy["variables"][0]
    assert admitted["name"] == "admitted"
    registry = "us-central1-docker.pkg.dev/acme-ml-test"
    assert ast.literal_eval(admitted["expression"]) == {
        "production": [f"{registry}/test-validated/"],
        "staging": [
            f"{registry}/test-models/",
            f"{registry}/test-validated/",
            "us-docker.pkg.dev/acme-tools/ml/validate@",
        ],
    }
    binding = graph["ValidatingAdmissionPolicyBinding", "test-policybinding-model-images"].inputs["spec"]
    selector = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert selector == [{"key": "headroom/delivery", "operator": "Exists"}]
