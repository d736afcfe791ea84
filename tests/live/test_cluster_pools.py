"""GKE's API: node pools as they are, and the way into the cluster."""

from typing import Any

import pytest

from headroom.audit.snapshot import NodePoolNow
from headroom.live import retries
from headroom.live.cluster_pools import get_cluster, read_node_pool, require_endpoint
from headroom.live.connection import ENDPOINT_VARIABLE, UnansweredError, connect
from tests.live.servers import Answer, Asked, answering

PATH = "/v1/projects/acme-ml/locations/us-central1/clusters/dev-cluster"


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_PAUSES_S", (0.0, 0.0))


def node_pool(name: str = "l4-1", **parts: Any) -> dict[str, Any]:
    config = {"machineType": "g2-standard-48", "labels": {"headroom/pool": "l4"}}
    return {"name": name, "config": config, "locations": ["a", "b"]} | parts


def ask(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(ENDPOINT_VARIABLE, url)
    return get_cluster(connect("acme-ml"), "us-central1", "dev-cluster")


def test_a_cluster_is_its_endpoint_and_its_node_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    content = {
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": "gke-1.us-central1.gke.goog"}},
        "nodePools": [node_pool(autoscaling={"enabled": True, "totalMaxNodeCount": 5}), {"name": "odd"}],
    }
    with answering(lambda _: (200, content)) as (url, asked):
        found = ask(url, monkeypatch)
    assert asked[0].path == PATH
    assert require_endpoint(found, "dev-cluster") == "gke-1.us-central1.gke.goog"
    assert found.node_pools == (NodePoolNow("l4-1", "l4", "g2-standard-48", 5),)
    assert found.gaps == ("a node pool has a form that is not GKE's v1",)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"autoscaling": {"enabled": True, "maxNodeCount": 3}}, 6),
        ({"autoscaling": {"enabled": True, "totalMaxNodeCount": 3}}, 3),
        ({"autoscaling": {"totalMaxNodeCount": 3}}, 3),
        ({"autoscaling": {"enabled": True}}, None),
        ({"autoscaling": {"minNodeCount": 1}}, None),
        ({"autoscaling": {"enabled": False}, "initialNodeCount": 2}, 4),
        ({"autoscaling": {}, "initialNodeCount": 2}, 4),
        ({"initialNodeCount": 0}, 0),
        ({"nodeCount": 8, "locations": ["a"]}, 8),
        ({}, None),
    ],
)
def test_the_most_nodes_of_a_pool_count_all_of_its_zones(parts: dict[str, Any], expected: int | None) -> None:
    assert read_node_pool(node_pool(**parts)).max_nodes == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, {}, "the cluster dev-cluster does not exist, or you may not see it"),
        (403, {}, "you may not see the cluster dev-cluster"),
        (400, {}, "answered 400"),
        (200, b"<html>", "is a proxy in between"),
        (200, [], "is a proxy in between"),
    ],
)
def test_an_answer_that_is_none_is_explained(
    monkeypatch: pytest.MonkeyPatch, status: int, body: Any, expected: str
) -> None:
    with answering(lambda _: (status, body)) as (url, asked):
        with pytest.raises(UnansweredError, match=expected):
            ask(url, monkeypatch)
        assert len(asked) == 1


def test_a_busy_api_is_asked_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [2]

    def recovers(_: Asked) -> Answer:
        left[0] -= 1
        return (429, {}) if left[0] >= 0 else (200, {})

    with answering(recovers) as (url, asked):
        assert ask(url, monkeypatch).node_pools == ()
        assert len(asked) == 3
    with answering(lambda _: (503, {})) as (url, asked):
        with pytest.raises(UnansweredError, match="answered 503"):
            ask(url, monkeypatch)
        assert len(asked) == 3


def test_a_cluster_without_a_dns_endpoint_has_no_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: (200, {})) as (url, _), pytest.raises(UnansweredError, match="no DNS endpoint"):
        require_endpoint(ask(url, monkeypatch), "dev-cluster")
