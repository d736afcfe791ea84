"""GKE's API, the clusters' own endpoints and Cloud Monitoring, asked by the libraries that an audit asks with."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from headroom.audit.snapshot import LocalQueueNow, NodePoolNow
from headroom.live import kueue
from headroom.live.cluster_pools import get_cluster, require_endpoint
from headroom.live.connection import ENDPOINT_VARIABLE, Connection, UnansweredError, connect
from headroom.live.metrics import open_window, read_queue_use
from headroom.live.prometheus import open_prometheus
from sandbox.google.apis import admin
from sandbox.google.apis.container import CLUSTER, NODE_POOL
from sandbox.google.apis.server import answer, serve
from sandbox.google.store import LIVE, Store, WorldObject
from sandbox.kubernetes.store import FILE, RecordedObject
from sandbox.kubernetes.store import Store as Record

PROJECT, REGION = "acme-ml-test", "us-central1"
PARENT = f"projects/{PROJECT}/locations/{REGION}/clusters"
ENDPOINT = "gke-0123abc-113399584566.us-central1.gke.goog"


def put(store: Store, kind: str, identity: str, **properties: Any) -> None:
    number = store.next_number("objects")
    usual = {"name": identity.rpartition("/")[2], "location": REGION, "project": PROJECT}
    store.put(WorldObject(kind, identity, PROJECT, LIVE, number, 0.0, 0.0, usual | properties))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "cloud.sqlite")
    admin.enable_apis(made, PROJECT, ["container.googleapis.com", "monitoring.googleapis.com"])
    endpoints = {"dnsEndpointConfig": {"endpoint": ENDPOINT, "allowExternalTraffic": True}}
    put(made, CLUSTER, f"{PARENT}/test-cluster", controlPlaneEndpointsConfig=endpoints, masterVersion="1.36")
    put(made, CLUSTER, f"{PARENT}/other-cluster")
    config = {"machineType": "g2-standard-48", "labels": {"headroom/pool": "l4"}, "spot": True, "taints": []}
    config["guestAccelerators"] = [{"type": "nvidia-l4", "count": 4}]
    put(
        made,
        NODE_POOL,
        f"{PARENT}/test-cluster/nodePools/l4-1",
        nodeConfig=config,
        nodeLocations=["us-central1-a", "us-central1-b"],
        autoscaling={"totalMinNodeCount": 0, "totalMaxNodeCount": 5, "locationPolicy": "ANY"},
        maxPodsPerNode=64,
        initialNodeCount=0,
    )
    put(made, NODE_POOL, f"{PARENT}/other-cluster/nodePools/l4-1", nodeConfig=config)
    return made


@pytest.fixture
def google(store: Store, monkeypatch: pytest.MonkeyPatch) -> Generator[Connection]:
    with serve(store.path) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield connect(PROJECT)


def get(store: Store, path: str) -> tuple[int, Any]:
    return answer(store, "GET", path, {}, b"")


def record(store: Store, kind: str, name: str, namespace: str = "", **parts: Any) -> None:
    cluster = store.find(CLUSTER, f"{PARENT}/test-cluster")
    assert cluster is not None
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    manifest = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": kind, "metadata": metadata, **parts}
    made = Record(store.path.with_name(FILE))
    with made.transaction():
        made.put(
            RecordedObject(
                f"{cluster.id}#{cluster.sequence}", "kueue.x-k8s.io/v1beta2", kind, namespace, name, manifest
            )
        )
    made.close()


def test_a_cluster_is_read_as_an_audit_reads_it(google: Connection) -> None:
    """Q8."""
    found = get_cluster(google, REGION, "test-cluster")
    assert require_endpoint(found, "test-cluster") == ENDPOINT
    assert found.node_pools == (NodePoolNow("l4-1", "l4", "g2-standard-48", 5),)
    assert found.gaps == ()


def test_a_node_pool_is_described_as_gke_describes_it(store: Store) -> None:
    status, body = get(store, f"/v1/{PARENT}/test-cluster/nodePools/l4-1")
    assert (status, body) == (
        200,
        {
            "name": "l4-1",
            "config": {
                "machineType": "g2-standard-48",
                "labels": {"headroom/pool": "l4"},
                "spot": True,
                "accelerators": [{"acceleratorType": "nvidia-l4", "acceleratorCount": "4"}],
            },
            "autoscaling": {"enabled": True, "totalMaxNodeCount": 5, "locationPolicy": "ANY"},
            "locations": ["us-central1-a", "us-central1-b"],
            "maxPodsConstraint": {"maxPodsPerNode": "64"},
            "status": "RUNNING",
        },
    )
    assert get(store, f"/v1/{PARENT}/test-cluster/nodePools")[1] == {"nodePools": [body]}


def test_clusters_are_listed_by_place_and_in_all(store: Store) -> None:
    def names(location: str) -> list[str]:
        _, body = get(store, f"/v1/projects/{PROJECT}/locations/{location}/clusters")
        return [each["name"] for each in body["clusters"]]

    assert names(REGION) == names("-") == ["test-cluster", "other-cluster"]
    assert names("europe-west4") == []


def test_what_is_not_there_or_may_not_be_seen_is_said_so(store: Store, google: Connection) -> None:
    with pytest.raises(UnansweredError, match="does not exist"):
        get_cluster(google, REGION, "gone")
    assert get(store, f"/v1/{PARENT}/test-cluster/nodePools/gone")[0] == 404
    admin.change_settings(store, PROJECT, denied_permissions=("container.clusters.get",))
    with pytest.raises(UnansweredError, match="you may not see"):
        get_cluster(google, REGION, "test-cluster")


def test_the_endpoint_of_a_cluster_lists_what_is_recorded_of_it(store: Store, google: Connection) -> None:
    """By the Kubernetes client, page by page."""
    record(store, "ClusterQueue", "a", spec={"cohortName": "pipelines"})
    record(store, "Cohort", "pipelines", spec={})
    for number in range(3):
        record(store, "LocalQueue", f"q{number}", "n", spec={"clusterQueue": "a"})
    client = kueue.open_endpoint(google, ENDPOINT)
    queues, gaps = kueue.read_queues(client)
    assert gaps == ()
    assert [each.name for each in queues.queues] == ["a"]
    assert [each.name for each in queues.cohorts] == ["pipelines"]
    assert queues.local_queues == tuple(LocalQueueNow("n", f"q{number}", "a", "None") for number in range(3))
    assert kueue.read_nodes(client) == {}
    assert kueue.read_unmanaged(client, {}) == ()
    plural = f"/{ENDPOINT}/apis/kueue.x-k8s.io/v1beta2/localqueues"
    _, first = get(store, f"{plural}?limit=2")
    _, rest = get(store, f"{plural}?limit=2&continue={first['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in first["items"] + rest["items"]] == ["q0", "q1", "q2"]
    assert rest["metadata"]["continue"] == ""


def test_an_endpoint_or_a_kind_that_is_not_there_is_not_found(store: Store) -> None:
    assert get(store, "/gke-1-2.us-central1.gke.goog/api/v1/nodes")[0] == 404
    assert get(store, f"/{ENDPOINT}/api/v1/oddities")[0] == 404


def test_there_are_no_series_of_anything(google: Connection) -> None:
    """Asked as an audit asks, which needs the time first."""
    source = open_prometheus("google", PROJECT)
    assert read_queue_use(source, open_window(source, 14), 'environment="test"') == ()


def test_series_that_may_not_be_seen_are_refused(store: Store, google: Connection) -> None:
    admin.change_settings(store, PROJECT, denied_permissions=("monitoring.timeSeries.list",))
    with pytest.raises(UnansweredError, match="403"):
        open_window(open_prometheus("google", PROJECT), 14)
