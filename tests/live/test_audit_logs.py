"""D1: who released and who approved, as audit logs say; and who asks, as the credentials do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from headroom.delivery.approvals import Act
from headroom.live import caller
from headroom.live.audit_logs import list_acts
from headroom.live.caller import find_caller
from headroom.live.connection import ENDPOINT_VARIABLE, Connection, UnansweredError, connect
from headroom.spec.log_filter import parse_filter
from tests.cloud_deploy import PIPELINE, CloudDeploy, serve

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
V7 = f"{PIPELINE}/releases/v7"


@pytest.fixture
def cloud() -> CloudDeploy:
    return CloudDeploy()


@pytest.fixture
def connection(cloud: CloudDeploy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield connect("acme-ml-prod")


def test_acts_are_read_from_all_pages(cloud: CloudDeploy, connection: Connection) -> None:
    """D1."""
    cloud.log("CreateRelease", V7, "Eve@acme.example", "t1")
    cloud.log("CreateRelease", PIPELINE, "ada@acme.example", "t2", request={"releaseId": "v8"})
    cloud.log("ApproveRollout", f"{V7}/rollouts/r", "ada@acme.example", "t3", request={"approved": True})
    assert list_acts(connection, PIPELINE, SINCE) == (
        Act("release", "v7", "", "eve@acme.example", "t1"),
        Act("release", "v8", "", "ada@acme.example", "t2"),
        Act("approve", "v7", "r", "ada@acme.example", "t3"),
    )
    assert [each.release for each in list_acts(connection, PIPELINE, SINCE, "v8")] == ["v8"]


def test_the_filter_is_one_that_logging_reads(cloud: CloudDeploy, connection: Connection) -> None:
    list_acts(connection, PIPELINE, SINCE, "v7")
    ((_, body),) = cloud.asked
    parse_filter(body["filter"])
    assert "LOG_ID" in body["filter"]
    assert body["resourceNames"] == ["projects/acme-ml-prod"]
    assert 'timestamp>="2026-11-01T00:00:00Z"' in body["filter"]


def test_what_was_refused_rejected_or_is_anothers_is_no_act(
    cloud: CloudDeploy, connection: Connection
) -> None:
    cloud.log("CreateRelease", V7, "eve@acme.example", "t", status={"code": 7})
    cloud.log("ApproveRollout", f"{V7}/rollouts/r", "eve@acme.example", "t", request={"name": "r"})
    cloud.log("CreateRelease", f"{PIPELINE}-2/releases/v7", "eve@acme.example", "t")
    assert list_acts(connection, PIPELINE, SINCE) == ()


def test_an_approval_whose_request_is_not_logged_counts(cloud: CloudDeploy, connection: Connection) -> None:
    """Unknown is not fine."""
    cloud.log("ApproveRollout", f"{V7}/rollouts/r", "eve@acme.example", "t")
    assert [each.kind for each in list_acts(connection, PIPELINE, SINCE)] == ["approve"]


@pytest.mark.parametrize(
    "answer", [{"entries": 1}, {"entries": [{}]}, {"entries": [{"protoPayload": {"methodName": "x"}}]}]
)
def test_an_answer_of_another_shape_is_no_empty_log(
    cloud: CloudDeploy, connection: Connection, answer: dict[str, Any]
) -> None:
    cloud.failures = [("entries:list", 200, answer)]
    with pytest.raises(UnansweredError):
        list_acts(connection, PIPELINE, SINCE)


def test_a_service_account_is_who_its_credentials_say() -> None:
    """D1."""
    account = Connection("p", None, "serviceAccount:CI@p.iam.gserviceaccount.com", None)
    assert find_caller(account) == "ci@p.iam.gserviceaccount.com"
    assert find_caller(Connection("p", None, "user:somebody@acme.example", "http://127.0.0.1:1"))


class Said:
    """A session that answers as Google does who somebody is."""

    def __init__(self, body: Any, *, ok: bool = True) -> None:
        self.body, self.ok = body, ok

    def __call__(self, credentials: object) -> "Said":
        return self

    def __enter__(self) -> "Said":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, url: str, timeout: float) -> "Said":
        assert url.startswith("https://openidconnect.googleapis.com/")
        assert timeout
        return self

    def json(self) -> Any:
        return self.body


@pytest.mark.parametrize(
    ("said", "who"),
    [
        (Said({"email": "Ada@acme.example", "email_verified": True}), "ada@acme.example"),
        (Said({"email": "ada@acme.example", "email_verified": False}), None),
        (Said({"email": "ada@acme.example"}), None),
        (Said({"email_verified": True}), None),
        (Said([]), None),
        (Said({"email": "ada@acme.example", "email_verified": True}, ok=False), None),
    ],
)
def test_a_user_is_who_google_says_and_otherwise_unknown(
    monkeypatch: pytest.MonkeyPatch, said: Said, who: str | None
) -> None:
    """D1."""
    monkeypatch.setattr("google.auth.default", lambda scopes: (None, None))
    monkeypatch.setattr("google.auth.transport.requests.AuthorizedSession", said)
    assert find_caller(Connection("p", None, "user:mallory@acme.example", None)) == who


def test_a_user_whom_nobody_can_be_asked_about_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise UnansweredError("no way")

    monkeypatch.setattr(caller, "_ask_address", refuse)
    assert find_caller(Connection("p", None, "user:ada@acme.example", None)) is None
