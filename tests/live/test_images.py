"""D3: which image a version is, as Artifact Registry answers it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from headroom.live.connection import ENDPOINT_VARIABLE, Connection, UnansweredError, connect
from headroom.live.images import find_digest

DIGEST = "sha256:" + "ab" * 32
IMAGE = "europe-west4-docker.pkg.dev/acme-ml/models/ads/feed"
TAGS = "projects/acme-ml/locations/europe-west4/repositories/models/packages/ads%2Ffeed"


class Registry:
    """Answers of the API by path, and what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def connection(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path)
            status, body = registry.answers.get(self.path, (404, b'{"error": {"code": 404}}'))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(ENDPOINT_VARIABLE, f"http://127.0.0.1:{server.server_port}")
    yield connect("acme-ml")
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_tag_is_the_digest_of_its_version(registry: Registry, connection: Connection) -> None:
    path = f"/v1/{TAGS}/tags/7"
    version = f"{TAGS.replace('%2F', '/')}/versions/{DIGEST}"
    registry.answers[path] = (200, json.dumps({"name": "x", "version": version}).encode())
    assert find_digest(connection, IMAGE, "7") == DIGEST
    assert registry.asked == [path]


def test_a_tag_that_is_not_there_is_none(connection: Connection) -> None:
    assert find_digest(connection, IMAGE, "8") is None


@pytest.mark.parametrize("answer", [(403, b"{}"), (200, b"{}"), (200, b"[]"), (500, b""), (200, b"<html>")])
def test_an_answer_that_says_nothing_is_not_taken_for_an_absent_tag(
    registry: Registry, connection: Connection, answer: tuple[int, bytes]
) -> None:
    """Unknown is neither there nor absent."""
    registry.answers[f"/v1/{TAGS}/tags/7"] = answer
    with pytest.raises(UnansweredError, match="Artifact Registry"):
        find_digest(connection, IMAGE, "7")
