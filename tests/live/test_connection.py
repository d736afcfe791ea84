"""What a failure means, whatever goes wrong between here and Google."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from headroom.live import connection as module
from headroom.live import quotas
from headroom.live.buckets import find_bucket
from headroom.live.connection import ENDPOINT_VARIABLE, UnansweredError, answers, connect
from headroom.live.groups import has_group
from headroom.live.machines import has_machine
from headroom.live.projects import get_project, is_billed, list_held
from headroom.live.services import list_enabled

ASK: dict[str, Callable[[module.Connection], Any]] = {
    "projects": get_project,
    "permissions": lambda connection: list_held(connection, ["compute.networks.get"]),
    "billing": is_billed,
    "services": lambda connection: list_enabled(connection, ["compute.googleapis.com"]),
    "quotas": quotas.list_grants,
    "machines": lambda connection: has_machine(connection, "us-central1-a", "e2-medium"),
    "buckets": lambda connection: find_bucket(connection, "acme-state"),
    "groups": lambda connection: has_group(connection, "ml@acme.co"),
}


@contextmanager
def server(status: int, body: bytes, delay: threading.Event | None = None) -> Generator[str]:
    """Answer everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            if delay:
                delay.wait(5)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        if delay:
            delay.set()
        served.shutdown()
        thread.join()
        served.server_close()


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], UnansweredError]:
    def refused(name: str, url: str) -> UnansweredError:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        with pytest.raises(UnansweredError) as refusal:
            ASK[name](connect("acme-ml-test"))
        return refusal.value

    return refused


@pytest.mark.parametrize("name", ASK)
@pytest.mark.parametrize(
    ("status", "body", "phrase"),
    [
        (200, b"<html>Sign in to the network</html>", "is not what this API answers"),
        (500, b"oops", "Google answered 500: oops"),
        (401, b'{"error": {"message": "no such token"}}', "the credentials were refused"),
        (403, b'{"error": {"message": "no"}}', "Google answered 403: no"),
        (403, b"[1]", "is not what this API answers"),
    ],
    ids=["a portal's page", "a broken server", "unauthenticated", "forbidden", "a list"],
)
def test_a_bad_answer_is_unanswered_with_its_cause(
    ask: Callable[[str, str], UnansweredError], name: str, status: int, body: bytes, phrase: str
) -> None:
    with server(status, body) as url:
        assert phrase in str(ask(name, url))


@pytest.mark.parametrize("name", ASK)
def test_nobody_at_the_other_end_is_unanswered(
    ask: Callable[[str, str], UnansweredError], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.2)
    assert "could not be reached" in str(ask(name, "http://127.0.0.1:9"))


@pytest.mark.parametrize("name", ["quotas", "projects", "machines"])
def test_an_answer_that_does_not_come_is_not_awaited_for_ever(
    ask: Callable[[str, str], UnansweredError], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    with server(200, b"{}", threading.Event()) as url:
        assert "no answer" in str(ask(name, url))


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_google_is_asked_again_for_a_while_only(
    ask: Callable[[str, str], UnansweredError], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.8)
    with server(status, b'{"error": {"message": "later"}}') as url:
        found = ask("quotas", url)
    assert "Google is busy" in str(found)
    assert found.status == status


def test_credentials_that_are_refused_say_how_to_get_others() -> None:
    from google.auth.exceptions import RefreshError

    with pytest.raises(UnansweredError) as refusal, answers("p"):
        raise RefreshError("Reauthentication is needed.\nmore")
    assert str(refusal.value) == "the credentials were refused: Reauthentication is needed."
    assert refusal.value.remedy == "gcloud auth application-default login"


@pytest.mark.parametrize(
    ("attributes", "principal"),
    [
        (
            {"service_account_email": "ci@acme-ml.iam.gserviceaccount.com"},
            "serviceAccount:ci@acme-ml.iam.gserviceaccount.com",
        ),
        ({"account": "ada@acme.co"}, "user:ada@acme.co"),
        ({"service_account_email": "default"}, 'user:"$(gcloud config get account)"'),
    ],
)
def test_the_credentials_own_name_goes_into_the_commands_that_mend(
    monkeypatch: pytest.MonkeyPatch, attributes: dict[str, str], principal: str
) -> None:
    import google.auth

    class Credentials:
        def refresh(self, _: object) -> None:
            pass

    credentials = Credentials()
    vars(credentials).update(attributes)
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.setattr(google.auth, "default", lambda **_: (credentials, "p"))
    found = connect("acme-ml-test")
    assert (found.principal, found.endpoint) == (principal, None)
    assert found.url("cloudidentity.googleapis.com") == "https://cloudidentity.googleapis.com"


def test_a_project_that_requests_may_not_be_counted_against_is_said_to_be_that(
    ask: Callable[[str, str], UnansweredError],
) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "USER_PROJECT_DENIED"}
    body = json.dumps({"error": {"code": 403, "message": "no", "details": [info]}}).encode()
    with server(403, body) as url:
        found = ask("projects", url)
    assert "that takes serviceusage.services.use" in str(found)
    assert "roles/serviceusage.serviceUsageConsumer" in found.remedy
    assert found.status is None
