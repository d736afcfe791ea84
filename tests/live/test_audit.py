"""Q8: sources killed one by one, slow, or partly silent: the rest is read, in time, and what is missing named."""

import copy
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from headroom.audit.report import run_audit
from headroom.audit.snapshot import Known, Snapshot, Unread
from headroom.catalog.facts import load_facts
from headroom.live import kueue, prometheus, retries
from headroom.live.audit import Request, take_snapshot
from headroom.live.connection import ENDPOINT_VARIABLE, EndpointError
from headroom.planning.plan import Plan
from headroom.spec.stack_file import parse_config
from sandbox.google.apis import admin
from sandbox.google.apis.server import serve
from sandbox.google.store import Store
from tests.audit.every_quota import (
    Amounts,
    amounts_of,
    every_quota,
    keys_of,
    place_of,
    plan_of,
    platforms,
    series_of,
)
from tests.audit.worlds import World, make_world
from tests.live.servers import Answer, Asked, answering, kubeconfig

PROJECT = "acme-ml-test"


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (retries, prometheus, kueue):
        monkeypatch.setattr(module, "_PAUSES_S", (0.0, 0.0))


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def plan(world: World) -> Plan:
    return world.plan


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Store]:
    path = tmp_path / "cloud.sqlite"
    with serve(path) as url:
        store = Store(path)
        admin.enable_apis(
            store, PROJECT, [row["api"] for group in load_facts("apis") for row in group["apis"]]
        )
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield store
        store.close()


def cluster(asked: Asked) -> Answer:
    if asked.path == "/api/v1/nodes":
        return 200, {"items": [{"metadata": {"name": "n", "labels": {"headroom/pool": "l4"}}}]}
    queue = {"kind": "ClusterQueue", "metadata": {"name": "rank"}, "spec": {"cohortName": "pipelines"}}
    return 200, {"items": [queue] if asked.path.endswith("/clusterqueues") else []}


def uses(asked: Asked) -> Answer:
    query, now = asked.values["query"], time.time()
    if query == "vector(time())":
        return 200, {"status": "success", "data": {"result": [{"metric": {}, "value": [now, str(now)]}]}}
    labels = {"cluster_queue": "rank", "flavor": "l4", "resource": "nvidia.com/gpu"}
    series = [{"metric": labels, "values": [[float(asked.values["end"]), "5"]]}] if "kueue" in query else []
    return 200, {"status": "success", "data": {"result": series}}


def test_without_options_only_the_file_is_read(plan: Plan, world: World, tmp_path: Path) -> None:
    grants = world.snapshot.committed
    snapshot = take_snapshot(plan, Request(tmp_path, 14), grants)
    states = {name: type(read) for name, read in snapshot.sources}
    assert [name for name, kind in states.items() if kind is Known] == ["cloud quotas"]
    assert all(not read.asked for _, read in snapshot.sources if isinstance(read, Unread))
    bare = take_snapshot(plan, Request(tmp_path, 14), None)
    assert isinstance(bare.grants, Unread)
    assert bare.grants.reason == "there is no quotas/test.json, and the cloud was not asked"


def test_a_world_of_every_quota_leaves_none_of_the_catalog_out() -> None:
    assert {
        key for region in platforms() for line in amounts_of(region) for key in keys_of(line)
    } >= every_quota()


def answer_of(region: str) -> Callable[[Asked], Answer]:
    """Answers as Cloud Monitoring would that has the series of a region, and no others."""

    def answer(asked: Asked) -> Answer:
        query, now = asked.values["query"], time.time()
        if query == "vector(time())":
            return 200, {"status": "success", "data": {"result": [{"metric": {}, "value": [now, str(now)]}]}}
        is_range = asked.path.endswith("query_range")
        end = float(asked.values["end"]) if is_range else now
        found = [
            (labels, [end, str(value)]) for name, labels, value in series_of(region) if f'"{name}"' in query
        ]
        result = [
            {"metric": labels, "values": [pair]} if is_range else {"metric": labels, "value": pair}
            for labels, pair in found
        ]
        return 200, {"status": "success", "data": {"result": result}}

    return answer


@pytest.mark.parametrize("region", list(platforms()))
def test_every_quota_of_the_catalog_is_granted_and_used_to_the_unit(
    region: str, google: Store, tmp_path: Path
) -> None:
    """Q8: what an audit says of each is what the cloud has of it, and of no other."""
    expected = amounts_of(region)
    for line, amounts in expected.items():
        google.set_limit(PROJECT, f"{line.quota_id}/{place_of(line)}", amounts.granted)
    with answering(answer_of(region)) as (url, _):
        asked = Request(tmp_path, 14, cloud=True, prometheus=url)
        snapshot = take_snapshot(plan_of(region), asked, None)
    assert isinstance(snapshot.grants, Known)
    assert snapshot.grants.origin == "cloudquotas.googleapis.com"
    audit = run_audit(parse_config(platforms()[region], "f"), plan_of(region), snapshot)
    assert {row.quota: Amounts(row.granted or 0, int(row.used or 0)) for row in audit.quotas} == expected
    assert not [each for each in audit.findings if each.code == "grant-unknown"]


def test_requests_that_may_not_be_seen_are_a_gap(
    plan: Plan, google: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headroom.live import quotas
    from headroom.live.connection import UnansweredError

    def refuse(_: object) -> Any:
        raise UnansweredError("forbidden")

    monkeypatch.setattr(quotas, "list_preferences", refuse)
    snapshot = take_snapshot(plan, Request(tmp_path, 14, cloud=True), None)
    assert isinstance(snapshot.grants, Known)
    assert snapshot.grants.gaps == ("requests for quota: forbidden",)
    assert snapshot.grants.value.preferences is None


Sources = dict[str, str]


@pytest.fixture
def sources(tmp_path: Path, google: Store) -> Generator[Sources]:
    """All sources that are well, by name; `google` is the imitation, which has no cluster."""
    with answering(cluster) as (api, _), answering(uses) as (metrics, _):
        yield {"cluster": api, "prometheus": metrics}


def request(folder: Path, sources: Sources, **parts: Any) -> Request:
    path = kubeconfig(folder, sources["cluster"])
    return Request(folder, 14, prometheus=sources["prometheus"], kubeconfig=path, **parts)


def unread(snapshot: Snapshot) -> set[str]:
    return {name for name, read in snapshot.sources if isinstance(read, Unread) and read.asked}


def test_all_that_is_asked_is_read(plan: Plan, world: World, sources: Sources, tmp_path: Path) -> None:
    fixture = Path(__file__).parents[1] / "e2e" / "fixtures" / "state-0.1.0-dev.json"
    snapshot = take_snapshot(plan, request(tmp_path, sources, state=str(fixture)), world.snapshot.committed)
    assert unread(snapshot) == set()
    assert isinstance(snapshot.nodes, Known)
    assert snapshot.nodes.value == (("l4", 1),)
    assert isinstance(snapshot.queue_use, Known)
    assert [(each.queue, each.peaks.peak) for each in snapshot.queue_use.value] == [("rank", 5.0)]
    assert isinstance(snapshot.deployed, Known)
    assert len(snapshot.deployed.value.node_pools) == 8
    assert isinstance(snapshot.quota_use, Unread)
    assert not snapshot.quota_use.asked


CUT: dict[str, tuple[Callable[[Sources], Any], set[str]]] = {
    "the API server killed": (lambda each: each.update(cluster="http://127.0.0.1:9"), {"queues", "nodes", "unmanaged pods"}),
    "the Prometheus killed": (lambda each: each.update(prometheus="http://127.0.0.1:9"), {"pipeline use", "cloud quota use"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_a_source_that_is_killed_leaves_the_others(
    plan: Plan, world: World, sources: Sources, tmp_path: Path, name: str
) -> None:
    cut, missing = CUT[name]
    cut(sources)
    snapshot = take_snapshot(plan, request(tmp_path, sources), world.snapshot.committed)
    assert unread(snapshot) == missing
    audit = run_audit(world.platform, plan, snapshot)
    assert audit.exit_code() == 3
    assert {each.name for each in audit.unreachable} == missing
    assert all(each.detail for each in audit.unreachable)


def test_a_state_that_is_not_there_leaves_the_others(plan: Plan, sources: Sources, tmp_path: Path) -> None:
    snapshot = take_snapshot(plan, request(tmp_path, sources, state="gone.json"), None)
    assert unread(snapshot) == {"stack state"}


def test_a_cloud_without_the_cluster_leaves_the_quotas(plan: Plan, google: Store, tmp_path: Path) -> None:
    """All that is asked of it is unread, with the reason."""
    snapshot = take_snapshot(plan, Request(tmp_path, 14, cloud=True), None)
    assert unread(snapshot) == {"queues", "nodes", "unmanaged pods", "node pools"}


def test_a_cluster_that_may_be_seen_in_part_is_read_in_part(
    plan: Plan, sources: Sources, tmp_path: Path
) -> None:
    def no_pods(asked: Asked) -> Answer:
        return (403, {}) if asked.path == "/api/v1/pods" else cluster(asked)

    with answering(no_pods) as (url, _):
        snapshot = take_snapshot(plan, request(tmp_path, sources | {"cluster": url}), None)
    assert unread(snapshot) == {"unmanaged pods"}


def test_a_source_that_never_answers_ends_with_the_time_limit(
    plan: Plan, sources: Sources, tmp_path: Path
) -> None:
    def asleep(_: Asked) -> Answer:
        time.sleep(3)
        return 200, {}

    with answering(asleep) as (url, _):
        began = time.monotonic()
        snapshot = take_snapshot(plan, request(tmp_path, sources | {"prometheus": url}, limit_s=1.0), None)
        assert time.monotonic() - began < 2.5
    assert unread(snapshot) == {"pipeline use", "cloud quota use"}
    assert isinstance(snapshot.queue_use, Unread)
    assert snapshot.queue_use.reason == "there was no answer within 1 s"


def test_a_prometheus_without_the_environments_series_is_unknown(
    plan: Plan, sources: Sources, tmp_path: Path
) -> None:
    def nothing(asked: Asked) -> Answer:
        return uses(Asked(asked.path, asked.values | {"query": asked.values["query"].replace("kueue", "")}))

    with answering(nothing) as (url, _):
        snapshot = take_snapshot(plan, request(tmp_path, sources | {"prometheus": url}), None)
    assert isinstance(snapshot.queue_use, Unread)
    assert "has no series of Kueue's" in snapshot.queue_use.reason


def test_an_endpoint_that_is_none_is_refused(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "ftp://elsewhere")
    with pytest.raises(EndpointError):
        take_snapshot(plan, Request(tmp_path, 14, cloud=True), None)


def test_a_password_in_a_url_is_never_shown(plan: Plan, sources: Sources, tmp_path: Path) -> None:
    url = sources["prometheus"].replace("//", "//ada:secret@")
    snapshot = take_snapshot(plan, request(tmp_path, sources | {"prometheus": url}), None)
    assert "secret" not in repr(copy.copy(snapshot))


def test_google_alone_is_the_way_to_all(
    plan: Plan, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q8: quotas, node pools, the cluster by its DNS endpoint, Cloud Monitoring: one option."""

    def google(asked: Asked) -> Answer:
        if "/clusters/test-cluster" in asked.path:
            endpoint = {"dnsEndpointConfig": {"endpoint": "gke-1.gke.goog"}}
            pool = {"name": "l4-1", "config": {"machineType": "m"}, "initialNodeCount": 1}
            return 200, {"controlPlaneEndpointsConfig": endpoint, "nodePools": [pool]}
        if asked.path.endswith("/quotaInfos"):
            return 200, {"quotaInfos": []}
        return uses(asked) if "/prometheus/" in asked.path else (200, {})

    reached = []

    def by_endpoint(_: object, endpoint: str) -> Any:
        reached.append(endpoint)
        return kueue.open_kubeconfig(kubeconfig(tmp_path, sources["cluster"]), None)

    monkeypatch.setattr(kueue, "open_endpoint", by_endpoint)
    with answering(google) as (url, _):
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        snapshot = take_snapshot(plan, Request(tmp_path, 14, cloud=True, prometheus="google"), None)
    assert reached == ["gke-1.gke.goog"]
    # Cloud Monitoring has series of quotas, so that their absence is a fault of it.
    assert unread(snapshot) == {"cloud quota use"}
    origins = {name: read.origin for name, read in snapshot.sources if isinstance(read, Known)}
    assert origins["pipeline use"] == "Cloud Monitoring"
    assert origins["queues"] == "gke-1.gke.goog"
    assert isinstance(snapshot.node_pools, Known)
    assert [each.name for each in snapshot.node_pools.value] == ["l4-1"]
