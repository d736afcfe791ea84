"""What deliveries find in the cluster, on the real API server: the gateway, its routes, and which images run."""

from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from headroom.planning.plan import plan_config
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.manifests import Manifest
from tests.components.deliveries import config_of
from tests.mocks import record

MODELS = "us-central1-docker.pkg.dev/acme-ml-test/test-models"
DIGEST = "@sha256:" + "b2" * 32
PLACE = "ranker-on-trial"
OWN = f"/{PLACE}"
ROUTES = "gateway.networking.k8s.io/v1"
PARENT = {"name": "models", "namespace": "headroom-gateway"}
ELSEWHERE = {"name": "ranker", "namespace": "ranker", "port": 80}
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": ELSEWHERE}}
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
    "policy-model-routes",
    "policybinding-model-routes",
    "delivery-runner",
}


@pytest.fixture(scope="module")
def prepared(cluster: Cluster) -> Cluster:
    applied = manifests()
    assert len(applied) == len(WANTED)
    cluster.apply(*applied)
    labels = {"headroom/delivery": "staging"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE, "labels": labels}})
    for what, probe in (("images", deployment("probe", "busybox:1")), ("routes", route("probe", path("/")))):
        wait_until(lambda each=probe: _is_refused(cluster, each), f"the policy of {what} is in force")
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


def path(value: str, kind: str = "PathPrefix") -> Manifest:
    return {"path": {"type": kind, "value": value}}


def route(name: str, *matches: Manifest, **parts: Any) -> Manifest:
    """A route of one rule, as a release brings it; `parts` replace parts of the rule, `spec` of the whole."""
    rule = {"matches": list(matches), "backendRefs": [{"name": "ranker", "port": 80}]}
    spec = {"parentRefs": [dict(PARENT)], **parts.pop("spec", {})}
    spec = {"rules": [_without_none(rule | parts)]} | spec
    return {
        "apiVersion": ROUTES,
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": PLACE},
        "spec": _without_none(spec),
    }


def _without_none(manifest: Manifest) -> Manifest:
    return {key: value for key, value in manifest.items() if value is not None}


def _is_refused(cluster: Cluster, manifest: Manifest) -> bool:
    try:
        cluster.refusal(manifest)
    except AssertionError:
        cluster.delete(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"], PLACE)
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


@pytest.mark.parametrize(
    "matches",
    [
        [path(OWN)],
        [path(OWN, "Exact")],
        [path(f"{OWN}/v2"), {**path(f"{OWN}/v3", "Exact"), "method": "POST"}],
    ],
    ids=["its path", "exactly its path", "below its path"],
)
def test_a_route_of_its_own_path_is_taken(prepared: Cluster, matches: list[Manifest]) -> None:
    """D4."""
    prepared.create(route("own", *matches))
    prepared.delete(ROUTES, "HTTPRoute", "own", PLACE)


@pytest.mark.parametrize(
    "taken",
    [
        route("refused", path("/ranker")),
        route("refused", path(f"{OWN}-of-others")),
        route("refused", path("/")),
        route("refused", path(OWN), path("/ranker", "Exact")),
        route("refused", path(f"/(ranker|{PLACE})", "RegularExpression")),
        route("refused", path(f"{OWN}.*", "RegularExpression")),
        route("refused", {"headers": [{"name": "x", "value": "y"}]}),
        route("refused", matches=[]),
        route("refused", matches=None),
        route("refused", spec={"rules": None}),
        route("refused", spec={"rules": [{"matches": [path(OWN)]}, {"matches": [path("/ranker")]}]}),
    ],
    ids=[
        "production's path",
        "a path that begins alike",
        "every path",
        "another beside its own",
        "an expression",
        "an expression that begins with its own",
        "no path",
        "no match",
        "matches left out",
        "rules left out",
        "a second rule",
    ],
)
def test_a_route_of_another_path_is_refused(prepared: Cluster, taken: Manifest) -> None:
    """D1, D4: production's requests are production's."""
    assert f"each match of a route here is of {OWN} or of a path below it" in prepared.refusal(taken)


@pytest.mark.parametrize(
    "taken",
    [
        route("refused", path(OWN), backendRefs=[{"name": "ranker", "port": 80}, ELSEWHERE]),
        route("refused", path(OWN), filters=[MIRROR]),
        route("refused", path(OWN), backendRefs=[{"name": "ranker", "port": 80, "filters": [MIRROR]}]),
    ],
    ids=["answered elsewhere", "mirrored elsewhere", "mirrored elsewhere by one backend"],
)
def test_a_route_to_another_namespace_is_refused(prepared: Cluster, taken: Manifest) -> None:
    """D1."""
    assert "backends are in its own namespace" in prepared.refusal(taken)


@pytest.mark.parametrize(
    "parent",
    [
        {"name": "models"},
        {"name": "others", "namespace": "headroom-gateway"},
        {"name": "models", "namespace": "headroom-gateway", "kind": "Service", "group": ""},
    ],
    ids=["a gateway of its own", "another gateway", "a service"],
)
def test_a_route_from_another_gateway_is_refused(prepared: Cluster, parent: Manifest) -> None:
    """D4."""
    other = route("refused", path(OWN), spec={"parentRefs": [PARENT, parent]})
    assert "the way to models is the gateway models" in prepared.refusal(other)


def test_other_kinds_of_routes_are_refused(prepared: Cluster) -> None:
    """D4: whoever may create them."""
    rules = [{"backendRefs": [{"name": "ranker", "port": 80}]}]
    other = {**route("refused", path(OWN), spec={"rules": rules}), "kind": "GRPCRoute"}
    assert "only HTTPRoutes lead to models" in prepared.refusal(other)


def test_a_route_from_before_can_be_let_go_and_only_so(prepared: Cluster) -> None:
    """D1, D4: what changes its spec is judged; what lets it go is not."""

    def old(**metadata: Any) -> Manifest:
        return {
            **route("", path("/ranker")),
            "metadata": {"name": "old", "namespace": "once-open", **metadata},
        }

    def label(**labels: str) -> None:
        metadata = {"name": "once-open", "labels": labels}
        prepared.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    label()
    prepared.apply(old(finalizers=["headroom.test/held"]))
    label(**{"headroom/delivery": "staging"})
    changed = old()
    changed["spec"]["hostnames"] = ["models.example"]
    with pytest.raises(ApiException, match="of /once-open or of a path below it"):
        prepared.apply(changed)
    prepared.apply(old(labels={"some": "label"}))
    prepared.delete(ROUTES, "HTTPRoute", "old", "once-open")


def test_elsewhere_routes_are_nobodys_business(prepared: Cluster) -> None:
    """The gateway takes none from there."""
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "not-delivered"}}
    free = route("free", path("/ranker"))
    free["metadata"]["namespace"] = "not-delivered"
    prepared.apply(place)
    prepared.create(free)
