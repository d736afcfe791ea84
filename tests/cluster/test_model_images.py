"""Which images run where models are delivered, on the real API server."""

from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.deliveries import delivery_manifests
from tests.cluster.manifests import Manifest

MODELS = "us-central1-docker.pkg.dev/acme-ml-test/test-models"
VALIDATED = "us-central1-docker.pkg.dev/acme-ml-test/test-validated"
JUDGE = "us-docker.pkg.dev/acme-tools/ml/validate"
DIGEST = "@sha256:" + "b2" * 32
PLACES = {"staging": "ranker-on-trial", "production": "ranker-for-all", "elsewhere": "ranker-misplaced"}


@pytest.fixture(scope="module")
def prepared(cluster: Cluster) -> Cluster:
    cluster.apply(*delivery_manifests())
    for stage, name in PLACES.items():
        metadata = {"name": name, "labels": {"headroom/delivery": stage}}
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    wait_until(lambda: _is_refused(cluster, "busybox:1"), "the policy is in force")
    return cluster


def deployment(name: str, *images: str, stage: str = "staging") -> Manifest:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    spec: dict[str, Any] = {
        "replicas": 0,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
    }
    metadata = {"name": name, "namespace": PLACES[stage]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _is_refused(cluster: Cluster, image: str) -> bool:
    try:
        cluster.refusal(deployment("probe", image))
    except AssertionError:
        cluster.delete("apps/v1", "Deployment", "probe", PLACES["staging"])
        return False
    return True


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (["busybox:1"], "only images of the models' own registry"),
        ([f"{MODELS}-of-others/ranker{DIGEST}"], "only images of the models' own registry"),
        ([f"{MODELS}/ranker:v1"], "images run here by digest"),
        ([f"{MODELS}/ranker{DIGEST}", "busybox:1"], "only images of the models' own registry"),
    ],
)
def test_other_images_and_tags_are_refused_where_models_are_delivered(
    prepared: Cluster, images: list[str], message: str
) -> None:
    """D7."""
    assert message in prepared.refusal(deployment("refused", *images))


def test_a_models_image_runs_by_digest_beside_what_gke_adds(prepared: Cluster) -> None:
    """D7."""
    prepared.create(deployment("taken", f"{MODELS}/ranker{DIGEST}", "gke.gcr.io/gcs-fuse:v1"))
    prepared.create(deployment("judge", f"{JUDGE}{DIGEST}"))


@pytest.mark.parametrize("image", [f"{MODELS}/ranker", JUDGE, f"{VALIDATED}-not/ranker", "busybox"])
def test_in_production_nothing_runs_that_was_not_validated(prepared: Cluster, image: str) -> None:
    """D7: neither what was only pushed, nor what validates."""
    message = prepared.refusal(deployment("refused", image + DIGEST, stage="production"))
    assert "in production those that staging validated" in message


def test_what_was_validated_runs_in_production_and_in_staging_by_digest(prepared: Cluster) -> None:
    """D7."""
    for stage in ("production", "staging"):
        prepared.create(deployment("copied", f"{VALIDATED}/ranker{DIGEST}", stage=stage))
    tagged = deployment("refused", f"{VALIDATED}/ranker:v1", stage="production")
    assert "images run here by digest" in prepared.refusal(tagged)


def test_what_runs_in_production_is_changed_to_nothing_that_was_not_validated(prepared: Cluster) -> None:
    """D7: an update is judged as what is new."""
    prepared.create(deployment("changed", f"{VALIDATED}/ranker{DIGEST}", stage="production"))
    changed = deployment("changed", f"{MODELS}/ranker{DIGEST}", stage="production")
    with pytest.raises(ApiException, match="in production those that staging validated"):
        prepared.apply(changed)


@pytest.mark.parametrize("image", [f"{MODELS}/ranker", f"{VALIDATED}/ranker"])
def test_where_the_stage_is_none_that_there_is_nothing_runs(prepared: Cluster, image: str) -> None:
    message = prepared.refusal(deployment("refused", image + DIGEST, stage="elsewhere"))
    assert "only images of the models' own registry" in message
