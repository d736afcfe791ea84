import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.control_plane.api import Api, ApiError, wait_until
from sandbox.control_plane.certificates import CertificateAuthority
from sandbox.engine.errors import SandboxError

RESOURCES = {
    "resources": [
        {"name": "widgets", "kind": "Widget", "namespaced": True},
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
        {"name": "gadgets", "kind": "Gadget", "namespaced": False},
    ]
}


class Handler(BaseHTTPRequestHandler):
    """Answers a few paths as an API server does, and hangs up after each answer without saying so."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, str, bytes]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.path, self.headers["Content-Type"], body))
        if self.path == "/apis/example.com/v1":
            self._send(200, RESOURCES)
        elif "absent" in self.path:
            self._send(404, {"message": "not found"})
        elif "refused" in self.path:
            self._send(403, {"message": "no quota left"})
        elif self.path == "/readyz":
            self._send(200, "ok")
        else:
            self._send(200, {"status": {"conditions": [{"type": "Established", "status": "False"}]}})

    do_GET = do_PATCH = do_POST = _answer  # noqa: N815

    def _send(self, status: int, answer: object) -> None:
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def seen() -> list[tuple[str, str, str, bytes]]:
    return []


@pytest.fixture
def api(tmp_path: Path, seen: list[tuple[str, str, str, bytes]]) -> Iterator[Api]:
    """A client of a server that wants a certificate of the authority's."""
    authority = CertificateAuthority("authority")
    authority_file, _ = authority.pair.write(tmp_path, "authority")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority_file))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*authority.sign_server(["localhost"], ["127.0.0.1"]).write(tmp_path, "server"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("H", (Handler,), {"seen": seen}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    user = authority.sign_user("ann").write(tmp_path, "ann")
    client = Api(server.server_address[1], authority_file, *user)
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def widget(name: str) -> dict:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "place"},
    }


def test_object_is_applied_where_discovery_says_it_is(api, seen):
    api.apply(widget("one"), dry_run=True)
    method, path, content, body = seen[-1]
    assert method == "PATCH"
    assert path.startswith("/apis/example.com/v1/namespaces/place/widgets/one?fieldManager=")
    assert path.endswith("&dryRun=All")
    assert content == "application/apply-patch+yaml"
    assert json.loads(body) == widget("one")
    api.create({**widget("two"), "kind": "Gadget"})
    assert seen[-1][1].startswith("/apis/example.com/v1/gadgets?")
    assert [path for _, path, *_ in seen].count("/apis/example.com/v1") == 1


def test_kind_that_is_not_served_is_one_message(api):
    with pytest.raises(SandboxError, match=r"knows no Gizmo in example\.com/v1"):
        api.apply({**widget("one"), "kind": "Gizmo"})


def test_refusal_has_its_status_and_what_the_server_said(api):
    with pytest.raises(ApiError, match="no quota left") as caught:
        api.create(widget("refused") | {"metadata": {"name": "x", "namespace": "refused"}})
    assert caught.value.status == 403
    with pytest.raises(ApiError):
        api.exists("/refused")


def test_absent_object_does_not_exist(api):
    assert not api.exists("/absent")
    assert api.exists("/there")


def test_server_is_ready_when_it_says_so_and_not_when_it_is_gone(api, tmp_path):
    assert api.is_ready()
    assert api.is_ready()
    elsewhere = Api(9, tmp_path / "authority.crt", tmp_path / "ann.crt", tmp_path / "ann.key")
    assert not elsewhere.is_ready()


def test_waiting_ends_with_what_is_missing(api):
    with pytest.raises(SandboxError, match=r"widgets/one is not served after 0 s"):
        api.wait_established([widget("one")], 0.1)
    wait_until(lambda: True, 0, "never said")
