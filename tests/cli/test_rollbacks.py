"""D8: `headroom release approve-rollbacks`: the way back waits for nobody, and only the way back."""

import json
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from headroom.live.connection import ENDPOINT_VARIABLE
from tests.cloud_deploy import PIPELINE, PRODUCTION, STAGING, CloudDeploy, serve

Headroom = Callable[..., CompletedProcess[str]]
BAD = f"{PIPELINE}/releases/v8/rollouts/to-production"
BACK = "/releases/v7/rollouts/back:approve"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudDeploy]:
    """Production had v7, v8 failed there, and v9 waits for the approval to begin."""
    cloud = CloudDeploy(page=50)
    cloud.release("v7", "2026-11-09T09:00:00Z")
    cloud.rollout("v7", "to-production", PRODUCTION, "SUCCEEDED", "2026-11-09T10:00:00Z")
    cloud.rollout("v8", "to-production", PRODUCTION, "FAILED", "2026-11-16T10:00:00Z")
    cloud.rollout("v9", "to-production", PRODUCTION, "PENDING_APPROVAL", "2026-11-17T10:00:00Z")
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield cloud


def roll_back(cloud: CloudDeploy, release: str = "v7", target: str = PRODUCTION) -> None:
    cloud.rollout(release, "back", target, "PENDING_APPROVAL", "2026-11-16T11:00:00Z", rollbackOfRollout=BAD)


def test_a_rollback_is_approved_and_a_new_release_is_not(headroom: Headroom, cloud: CloudDeploy) -> None:
    roll_back(cloud)
    dry = headroom("release", "approve-rollbacks", "-s", "prod", "--dry-run")
    assert dry.stdout.startswith("nothing is changed; this approves that v7 comes back to production")
    assert cloud.changes == []
    done = headroom("release", "approve-rollbacks", "-s", "prod", "--json")
    assert [(path, body["approved"]) for path, body in cloud.changes] == [(BACK, True)]
    (row,) = json.loads(done.stdout)["approved"]
    assert (row["rollout"], row["sent"]) == (f"{PIPELINE}{BACK.removesuffix(':approve')}", True)


@pytest.mark.parametrize(("release", "target"), [("v6", PRODUCTION), ("v7", STAGING)])
def test_what_production_never_had_is_no_way_back(
    headroom: Headroom, cloud: CloudDeploy, release: str, target: str
) -> None:
    """Whoever may roll back cannot bring a release into production that nobody approved."""
    roll_back(cloud, release, target)
    headroom("release", "approve-rollbacks", "-s", "prod")
    assert cloud.changes == []


def test_a_model_that_cannot_be_asked_about_does_not_hold_up_another(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """The other delivered model of the stack is unknown to this Cloud Deploy."""
    roll_back(cloud)
    done = headroom("release", "approve-rollbacks", "-s", "prod")
    assert done.returncode == 3
    assert "error: feed-serving: " in done.stderr
    assert [path for path, _ in cloud.changes] == [BACK]


def test_a_refusal_of_google_is_told(headroom: Headroom, cloud: CloudDeploy) -> None:
    roll_back(cloud)
    cloud.failures = [("rollouts/back:approve", 403, {"error": {"code": 403, "message": "denied"}})]
    done = headroom("release", "approve-rollbacks", "-s", "prod")
    assert "error: fraud-serving: Google answered 403" in done.stderr
    assert "comes back" not in done.stdout
