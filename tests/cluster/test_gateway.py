"""What deliveries find in the cluster, on the real API server: the gateway, and which images run."""

from typing import Any

import pytest

from headroom.planning.plan import plan_config
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.manifests import Manifest
from tests.components.deliveries import config_of
from tests.mocks import record

MODELS = "us-central1-docker.pkg.dev/acme-ml-test/test-models"
DIGEST = "@sha256:" + "b2" * 32
PLACE = "ranker-on-trial"
KINDS = (
    "ClusterRole",
    "Gateway",
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)


def manifests() -> list[Manifest]:
    """The objects of the component, as the program gives them to the API server."""

    async def main() -> None:
        from infra.stack import build

        await build(plan_config(config_of(), "test", "f")).registered()

    graph = [each for each in record("test", main) if each.type.startswith("kubernetes:")]
    order = ("Namespace", *KINDS)
    mine = [
        each.inputs
        for each in graph
        if each.inputs.get("kind") in KINDS and each.name.partition("-")[2] in WANTED
    ]
    return sorted(mine, key=lambda manifest: order.index(manifest["kind"]))


WANTED = {
    "namespace-headroom-gateway",
    "gateway",
    "policy-model-images",
    "policybinding-model-images",
    "delivery-runner",
}


@pytest.fixture(scope="module")
def prepared(cluster: Cluster) -> Cluster:
    applied = manifests()
    assert len(applied) == len(WANTED)
    cluster.apply(*applied)
    labels = {"headroom/delivery": "staging"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE, "labels": labels}})
    wait_until(lambda: _is_refused(cluster, "busybox:1"), "the policy is in force")
    return cluster


def deployment(name: str, *images: str) -> Manifest:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    spec: dict[str, Any] = {
        "replicas": 0,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
    }
    metadata = {"name": name, "namespace": PLACE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _is_refused(cluster: Cluster, image: str) -> bool:
    try:
        cluster.refusal(deployment("probe", image))
    except AssertionError:
        cluster.delete("apps/v1", "Deployment", "probe", PLACE)
        return False
    return True


def test_the_gateway_is_what_the_api_takes(prepared: Cluster) -> None:
    """D4."""
    gateway = prepared.read("gateway.networking.k8s.io/v1", "Gateway", "models", "headroom-gateway")
    assert gateway["spec"]["gatewayClassName"] == "gke-l7-rilb"


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
    prepared.create(deployment("judge", f"us-docker.pkg.dev/acme-tools/ml/validate{DIGEST}"))
