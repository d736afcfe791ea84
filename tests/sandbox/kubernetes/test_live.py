"""How a real API server is asked, shown by one that records what it is sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.kubernetes.cluster import Application, Place
from sandbox.kubernetes.errors import ApiError, UnreachableError
from sandbox.kubernetes.kubeconfig import ClusterAccess, KubeconfigError
from sandbox.kubernetes.live import LiveCluster
from tests.sandbox.kubernetes.conftest import manifest, place

CONFIG_MAP = place("v1", "ConfigMap", "c", "team")
WHAT = manifest("v1", "ConfigMap", "c", "team")


class Server(ThreadingHTTPServer):
    """Answers what a test lays down for a method and path, and keeps what it was sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}
        self.seen = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or "null")
        self.server.seen.append((self.command, self.path, body, dict(self.headers)))
        status, content = self.server.answers.get((self.command, self.path.split("?")[0]), (200, {}))
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def live(server):
    cluster = LiveCluster(ClusterAccess(f"http://127.0.0.1:{server.server_port}", token="abc"))
    yield cluster
    cluster.close()


def test_an_apply_names_its_manager_and_is_strict(server, live):
    live.apply(CONFIG_MAP, WHAT, Application("mine", force=True, dry_run=True))
    ((method, path, body, headers),) = server.seen
    address, _, query = path.partition("?")
    assert (method, address, body) == ("PATCH", "/api/v1/namespaces/team/configmaps/c", WHAT)
    assert set(query.split("&")) == {
        "fieldManager=mine",
        "fieldValidation=Strict",
        "dryRun=All",
        "force=true",
    }
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    assert headers["Authorization"] == "Bearer abc"


def test_a_creation_is_a_post_to_the_collection(server, live):
    live.create(CONFIG_MAP, WHAT, Application("mine"))
    live.create(place("rbac.authorization.k8s.io/v1", "ClusterRole", "r"), WHAT, Application("mine"))
    assert [path.partition("?")[0] for _, path, _, _ in server.seen] == [
        "/api/v1/namespaces/team/configmaps",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ]
    assert "dryRun" not in server.seen[0][1]


def test_a_replacement_puts_over_the_version_that_is_there(server, live):
    path = "/api/v1/namespaces/team/configmaps/c"
    server.answers["GET", path] = 200, {"metadata": {"resourceVersion": "7"}}
    live.replace(CONFIG_MAP, WHAT, Application("mine"))
    assert server.seen[-1][2]["metadata"]["resourceVersion"] == "7"


def test_fields_are_handed_over_only_where_there_are_any(server, live):
    own = {"metadata": {"resourceVersion": "7", "managedFields": [{"manager": "mine", "operation": "Apply"}]}}
    assert live.adopt(CONFIG_MAP, own, "mine") == own
    assert server.seen == []
    created = [{"manager": "pulumi-kubernetes", "operation": "Update", "fieldsV1": {}}]
    live.adopt(CONFIG_MAP, {"metadata": {"resourceVersion": "7", "managedFields": created}}, "mine")
    ((_, _, patch, headers),) = server.seen
    assert patch[0]["value"][0]["manager"] == "mine"
    assert patch[1]["value"] == "7"
    assert headers["Content-Type"] == "application/json-patch+json"


def test_a_deletion_says_how_it_propagates(server, live):
    live.delete(CONFIG_MAP, "Foreground")
    assert server.seen[0][2]["propagationPolicy"] == "Foreground"


def test_the_servers_error_is_passed_on(server, live):
    details = {"kind": "namespaces"}
    content = {"reason": "NotFound", "message": 'namespaces "team" not found', "details": details}
    server.answers["POST", "/api/v1/namespaces/team/configmaps"] = 404, content
    with pytest.raises(ApiError, match='namespaces "team" not found') as error:
        live.create(CONFIG_MAP, WHAT, Application("mine"))
    assert (error.value.code, error.value.reason, error.value.about) == (404, "NotFound", "namespaces")


def test_kinds_are_asked_for_until_they_are_there(server, live):
    server.answers["GET", "/apis/acme.example/v1"] = 404, {}
    assert live.find_kind("acme.example/v1", "Thing") is None
    rows = [
        {"name": "things", "kind": "Thing", "namespaced": False},
        {"name": "things/status", "kind": "Thing", "namespaced": False},
    ]
    server.answers["GET", "/apis/acme.example/v1"] = 200, {"resources": rows}
    kind = live.find_kind("acme.example/v1", "Thing")
    assert (kind.plural, kind.namespaced, kind.group) == ("things", False, "acme.example")
    assert live.find_kind("acme.example/v1", "Thing") is kind
    assert len(server.seen) == 2
    assert live.find_kind("v1", "Missing") is None


def test_a_server_that_does_not_answer_is_named_with_what_to_do(server, live):
    live.read(CONFIG_MAP)
    server.shutdown()
    server.server_close()
    gone = LiveCluster(ClusterAccess(f"http://127.0.0.1:{server.server_port}"))
    with pytest.raises(UnreachableError) as error:
        gone.read(Place(CONFIG_MAP.kind, "team", "c"))
    gone.close()
    text = str(error.value)
    assert text.startswith(
        f"the Kubernetes API server at http://127.0.0.1:{server.server_port} does not answer ("
    )
    assert "Connection refused" in text
    assert "object at 0x" not in text
    assert text.endswith("the next update goes on from there")


def test_a_plugin_for_credentials_is_refused():
    with pytest.raises(KubeconfigError, match="has a plugin"):
        LiveCluster(ClusterAccess("https://127.0.0.1:9", has_plugin=True))
