"""Q4: use is read from a file or asked of a Prometheus, whose silence is not taken for idleness."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from headroom.live import usage
from headroom.live.connection import ENDPOINT_VARIABLE, UnansweredError
from headroom.live.usage import fetch_usage, load_usage
from headroom.planning.usage import summarize
from headroom.spec.errors import StackFileError

HEADER = "time,pipeline,pool,resource,used\n"


def series(queue: str, flavor: str, resource: str, *values: str) -> dict[str, Any]:
    points = [[1_793_664_000 + 300 * number, value] for number, value in enumerate(values)]
    return {"metric": {"cluster_queue": queue, "flavor": flavor, "resource": resource}, "values": points}


def answer(*result: dict[str, Any]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


@contextmanager
def prometheus(
    body: bytes, status: int = 200
) -> Generator[tuple[str, list[tuple[str, dict[str, list[str]]]]]]:
    """Answers everything alike, and keeps what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, parse_qs(content.decode())))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}", asked
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


def test_queues_flavors_and_resources_become_pipelines_pools_and_amounts() -> None:
    """Q4."""
    body = answer(
        series("feed-serving", "l4", "nvidia.com/gpu", "3", "5"),
        series("feed-data", "cpu", "cpu", "1.5"),
        series("feed-training", "v5e", "google.com/tpu", "16"),
        series("experiments", "l4", "nvidia.com/gpu", "9"),
        series("feed-data", "cpu", "pods", "9"),
    )
    with prometheus(body) as (url, _):
        found = summarize(fetch_usage(url, "acme", 14))
    assert [(each.pipeline, each.pool, each.resource, each.peak) for each in found] == [
        ("feed-data", "cpu", "cpu", 1_500.0),
        ("feed-serving", "l4", "gpus", 5.0),
        ("feed-training", "v5e", "chips", 16.0),
    ]


def test_what_is_no_number_is_unknown_and_left_out() -> None:
    with prometheus(answer(series("p", "l4", "nvidia.com/gpu", "NaN", "+Inf", "-1", "2"))) as (url, _):
        assert [sample.used for sample in fetch_usage(url, "acme", 14)] == [2.0]


@pytest.mark.parametrize(("days", "step"), [(1, 300), (14, 300), (365, 3_154)])
def test_the_question_keeps_to_what_prometheus_answers(days: int, step: int) -> None:
    with prometheus(answer()) as (url, asked):
        fetch_usage(f"{url}/", "acme", days, 'cluster="prod"')
    ((path, question),) = asked
    assert path == "/api/v1/query_range"
    assert question["query"] == [
        'max by (cluster_queue, flavor, resource) (kueue_cluster_queue_resource_reservation{cluster="prod"})'
    ]
    assert question["step"] == [str(step)]
    span = int(question["end"][0]) - int(question["start"][0])
    assert span == pytest.approx(days * 86_400, abs=1)
    assert span / step <= 11_000


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b'{"status": "error", "error": "parse error: unexpected }"}', 400, "the answer was 400: parse error: unexpected }"),
        (b'{"error": {"message": "Permission denied"}}', 403, "the answer was 403: Permission denied"),
        (b"<html>", 200, "the answer was 200: not what a Prometheus answers"),
        (b"", 502, "the answer was 502: not what a Prometheus answers"),
        (b'{"status": "success", "data": {}}', 200, "the answer is not what a Prometheus answers"),
        (b'{"status": "success", "data": {"result": [{"metric": 1}]}}', 200, "the answer is not what a Prometheus"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_said_to_be_unknown(body: bytes, status: int, expected: str) -> None:
    with prometheus(body, status) as (url, _), pytest.raises(UnansweredError) as refusal:
        fetch_usage(url, "acme", 14)
    assert expected in str(refusal.value)


def test_nobody_there_and_nobody_in_time_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnansweredError, match="could not be reached"):
        fetch_usage("http://127.0.0.1:9", "acme", 14)
    silent = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    monkeypatch.setattr("headroom.live.prometheus._TIMEOUT_S", 0.05)
    with pytest.raises(UnansweredError, match="no answer within"):
        fetch_usage(f"http://127.0.0.1:{silent.server_port}", "acme", 14)
    silent.server_close()


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://a", "http://", "http://[", ""])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL such as http://127"):
        fetch_usage(url, "acme", 14)


def test_cloud_monitoring_is_asked_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    with prometheus(answer(series("p", "l4", "nvidia.com/gpu", "2"))) as (url, asked):
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        assert len(fetch_usage("google", "acme-ml", 14)) == 1
    assert asked[0][0] == "/v1/projects/acme-ml/location/global/prometheus/api/v1/query_range"


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + HEADER.encode() + b"2026-11-01T00:00:00Z,p,l4,gpus,3\n")
        assert len(load_usage(path)) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "usage.csv"
    with pytest.raises(StackFileError, match=r"usage\.csv: cannot be read: No such file"):
        load_usage(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StackFileError, match=r"usage\.csv: is not text in UTF-8"):
        load_usage(path)
    monkeypatch.setattr(usage, "_LARGEST_FILE", 1)
    with pytest.raises(StackFileError, match="is larger than"):
        load_usage(path)
