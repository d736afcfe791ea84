"""What deliveries find in the cluster, on the real API server: the gateway, and its routes."""

from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.deliveries import delivery_manifests
from tests.cluster.manifests import Manifest

PLACE = "ranker-on-trial"
OWN = f"/{PLACE}"
ROUTES = "gateway.networking.k8s.io/v1"
PARENT = {"name": "models", "namespace": "headroom-gateway"}
ELSEWHERE = {"name": "ranker", "namespace": "ranker", "port": 80}
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": ELSEWHERE}}


@pytest.fixture(scope="module")
def prepared(cluster: Cluster) -> Cluster:
    cluster.apply(*delivery_manifests())
    labels = {"headroom/delivery": "staging"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE, "labels": labels}})
    wait_until(lambda: _is_refused(cluster, route("probe", path("/"))), "the policy is in force")
    return cluster


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
