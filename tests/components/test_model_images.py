"""D7: which images run where models are delivered, and where models are kept."""

import pytest

from tests.components.deliveries import Graph, record_deliveries


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
    repository = graph["Repository", "test-models"].inputs
    assert repository["dockerConfig"] == {"immutableTags": True}
    (writer,) = (each.inputs for (kind, _), each in graph.items() if kind == "RepositoryIamMember")
    assert writer["role"] == "roles/artifactregistry.writer"
    assert writer["member"] == "serviceAccount:ci@acme-ml-test.iam.gserviceaccount.com"


def test_where_models_are_delivered_only_their_images_run_and_by_digest(graph: Graph) -> None:
    policy = graph["ValidatingAdmissionPolicy", "test-policy-model-images"].inputs["spec"]
    admitted = policy["variables"][0]
    assert admitted["name"] == "admitted"
    assert "'us-central1-docker.pkg.dev/acme-ml-test/test-models/'" in admitted["expression"]
    assert "'us-docker.pkg.dev/acme-tools/ml/validate@'" in admitted["expression"]
    binding = graph["ValidatingAdmissionPolicyBinding", "test-policybinding-model-images"].inputs["spec"]
    selector = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert selector == [{"key": "headroom/delivery", "operator": "Exists"}]
