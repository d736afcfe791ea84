"""The Kubernetes API through the real client, against servers that page, refuse, are busy, or are nobody's."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.oauth2.credentials import Credentials

from headroom.audit.snapshot import Unmanaged
from headroom.live import kueue
from headroom.live.connection import Connection, UnansweredError
from headroom.live.kueue import (
    count_nodes,
    open_endpoint,
    open_kubeconfig,
    read_nodes,
    read_queues,
    read_unmanaged,
)
from tests.live.servers import Answer, Asked, answering, kubeconfig

QUEUES = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues"


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kueue, "_PAUSES_S", (0.0, 0.0))


def queue(name: str) -> dict[str, Any]:
    return {"kind": "ClusterQueue", "metadata": {"name": name}, "spec": {"cohortName": "pipelines"}}


def node(name: str, pool: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"headroom/pool": pool} if pool else {}}}


def paged(items: list[Any], size: int) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        start = int(asked.values.get("continue", "0"))
        end = start + size
        metadata = {"continue": str(end)} if end < len(items) else {}
        return 200, {"items": items[start:end], "metadata": metadata}

    return answer


def test_every_page_is_read(tmp_path: Path) -> None:
    with answering(paged([queue(f"q{number}") for number in range(7)], 3)) as (url, asked):
        queues, gaps = read_queues(open_kubeconfig(kubeconfig(tmp_path, url), None))
    assert [each.name for each in queues.queues] == [f"q{number}" for number in range(7)]
    first = [each for each in asked if each.path == QUEUES]
    assert [each.values.get("continue") for each in first] == [None, "3", "6"]
    assert {each.values["limit"] for each in asked} == {"500"}
    assert len(gaps) == 7  # none of them is a local queue


def test_nodes_are_counted_by_pool_and_pods_without_a_queue_found(tmp_path: Path) -> None:
    nodes = [node("n1", "l4"), node("n2", "l4"), node("n3", "cpu"), node("n4", "")]
    pods = [
        {"metadata": {"name": "p", "namespace": "seek"}, "spec": {"nodeName": "n1", "containers": [{}]}},
    ]

    def answer(asked: Asked) -> Answer:
        if asked.path == "/api/v1/pods":
            assert asked.values["fieldSelector"] == "status.phase!=Succeeded,status.phase!=Failed"
            return 200, {"items": pods}
        return 200, {"items": nodes}

    with answering(answer) as (url, _):
        client = open_kubeconfig(kubeconfig(tmp_path, url), "c")
        found = read_nodes(client)
        assert count_nodes(found) == (("cpu", 1), ("l4", 2))
        assert read_unmanaged(client, found) == (Unmanaged("seek", "l4", 1, ()),)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again_and_not_for_ever(tmp_path: Path, status: int) -> None:
    left = [2]

    def recovers(asked: Asked) -> Answer:
        left[0] -= 1
        return (status, b"") if left[0] >= 0 else (200, {"items": []})

    with answering(recovers) as (url, asked):
        assert read_nodes(open_kubeconfig(kubeconfig(tmp_path, url), None)) == {}
        assert len(asked) == 3
    with answering(lambda _: (status, b"")) as (url, asked):
        with pytest.raises(UnansweredError, match=f"answered {status} for nodes"):
            read_nodes(open_kubeconfig(kubeconfig(tmp_path, url), None))
        assert len(asked) == 3


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"", "you may not list clusterqueues"),
        (403, b"", "you may not list clusterqueues"),
        (404, b"", "the cluster knows no clusterqueues: is Kueue installed"),
        (410, b"", "answered 410 for clusterqueues"),
        (200, b"<html>", "is not what Kubernetes answers"),
        (200, {"items": None}, "is not what Kubernetes answers"),
        (200, [], "is not what Kubernetes answers"),
    ],
)
def test_an_answer_that_is_none_is_explained(tmp_path: Path, status: int, body: Any, expected: str) -> None:
    with answering(lambda _: (status, body)) as (url, asked):
        with pytest.raises(UnansweredError, match=expected):
            read_queues(open_kubeconfig(kubeconfig(tmp_path, url), None))
        assert len(asked) == 1


def test_the_dns_endpoint_is_asked_with_the_credentials_token(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Google's frontend wants it; its certificate is vouched for by those that are everywhere."""
    connection = Connection("acme", Credentials("a-token"), "user:ada@acme.example", None)
    with answering(lambda _: (200, {"items": []}), certificate) as (url, asked):
        client = open_endpoint(connection, url.removeprefix("https://"))
        assert client.configuration.verify_ssl
        client.rest_client.pool_manager.connection_pool_kw["cert_reqs"] = "CERT_NONE"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert read_nodes(client) == {}
    assert [each.authorization for each in asked] == ["Bearer a-token"]


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnansweredError, match="could not be reached"):
        read_nodes(open_kubeconfig(kubeconfig(tmp_path, "http://127.0.0.1:9"), None))


def test_a_server_that_does_not_answer_in_time_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(kueue, "TIMEOUT_S", 0.05)

    def late(_: Asked) -> Answer:
        time.sleep(0.3)
        return 200, {"items": []}

    with answering(late) as (url, _), pytest.raises(UnansweredError, match="did not answer in time"):
        read_nodes(open_kubeconfig(kubeconfig(tmp_path, url), None))


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    with answering(lambda _: (200, {"items": []}), certificate) as (url, asked):
        with pytest.raises(UnansweredError, match="certificate is not to be trusted"):
            read_nodes(open_kubeconfig(kubeconfig(tmp_path, url), None))
        assert asked == []


@pytest.mark.parametrize("text", [None, "", "a: [", "{}", "apiVersion: v1\nkind: Config\n"])
def test_a_kubeconfig_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UnansweredError, match="the kubeconfig cannot be used"):
        open_kubeconfig(path, None)


def test_a_context_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnansweredError, match="the kubeconfig cannot be used"):
        open_kubeconfig(kubeconfig(tmp_path, "http://127.0.0.1:9"), "other")
