"""D1, D2, D6: `headroom release status|approve|advance|rollback|audit`, as a user runs them."""

import json
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess
from typing import Any

import pytest

from headroom.live.connection import ENDPOINT_VARIABLE
from tests.cloud_deploy import PIPELINE, PRODUCTION, STAGING, CloudDeploy, phases_of, serve

Headroom = Callable[..., CompletedProcess[str]]

FRAUD = ("-s", "prod", "-p", "fraud-serving")
CALLER = "somebody@acme.example"
"""Whom an endpoint on this machine takes everybody for."""
PENDING = f"{PIPELINE}/releases/v8/rollouts/to-production"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudDeploy]:
    """Production has v7, had v6, and v8 was validated and waits for approval."""
    cloud = CloudDeploy()
    for name, day in (("v6", "02"), ("v7", "09"), ("v8", "16")):
        cloud.release(name, f"2026-11-{day}T09:00:00Z")
        cloud.rollout(name, "to-staging", STAGING, "SUCCEEDED", f"2026-11-{day}T09:10:00Z")
        state = "PENDING_APPROVAL" if name == "v8" else "SUCCEEDED"
        cloud.rollout(name, "to-production", PRODUCTION, state, f"2026-11-{day}T10:00:00Z")
        cloud.log(
            "CreateRelease", f"{PIPELINE}/releases/{name}", "eve@acme.example", f"2026-11-{day}T09:00:00Z"
        )
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield cloud


def hold(cloud: CloudDeploy) -> None:
    """Let v8 have been begun, and be held by its first phase."""
    cloud.rollouts[-1] |= {
        "state": "IN_PROGRESS",
        "phases": phases_of(p1="SUCCEEDED", p5="PENDING", p25="PENDING", p50="PENDING", stable="PENDING"),
    }


def test_status_says_who_waits_for_whom_and_the_next_command(headroom: Headroom, cloud: CloudDeploy) -> None:
    """D1."""
    done = headroom("release", "status", *FRAUD)
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("v")]
    assert [row[0] for row in rows[:3]] == ["v8", "v7", "v6"]
    assert "waits for approval" in rows[0][1]
    assert "ml-approvers@acme.example" in rows[0][1]
    assert "answers all users" in rows[1][1]
    assert "headroom release approve -s prod -p fraud-serving --release v8\n" in done.stdout
    data = json.loads(headroom("release", "status", *FRAUD, "--json", "--most", "1").stdout)
    assert [each["release"] for each in data["releases"]] == ["v8"]
    assert cloud.changes == []


def test_somebody_else_approves(headroom: Headroom, cloud: CloudDeploy) -> None:
    """D1."""
    dry = headroom("release", "approve", *FRAUD, "--dry-run")
    assert (dry.returncode, cloud.changes) == (0, [])
    assert "nothing is changed; this approves that v8 begins in production" in dry.stdout
    assert f'POST {PENDING}:approve\n{{\n  "approved": true\n}}' in dry.stdout
    done = headroom("release", "approve", *FRAUD, "--release", "v8")
    assert (done.returncode, done.stdout) == (0, "done: approves that v8 begins in production\n"), done.stderr
    assert cloud.changes == [("/releases/v8/rollouts/to-production:approve", {"approved": True})]


def test_whoever_released_is_refused_and_told_who_may(headroom: Headroom, cloud: CloudDeploy) -> None:
    """D1."""
    cloud.entries[-1]["protoPayload"]["authenticationInfo"]["principalEmail"] = CALLER
    for dry in ((), ("--dry-run",)):
        done = headroom("release", "approve", *FRAUD, *dry)
        assert (done.returncode, done.stdout, cloud.changes) == (1, "", [])
        assert f"refused: {CALLER} released v8" in done.stderr
        assert "who may: ml-approvers@acme.example" in done.stderr


def test_a_release_of_which_nobody_knows_who_made_it_is_not_approved(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D1."""
    del cloud.entries[-1]
    done = headroom("release", "approve", *FRAUD)
    assert (done.returncode, cloud.changes) == (1, [])
    assert "refused: the audit logs do not say who released v8" in done.stderr
    cloud.failures = [("entries:list", 403, {"error": {"code": 403, "message": "denied logging"}})]
    done = headroom("release", "approve", *FRAUD)
    assert (done.returncode, cloud.changes) == (3, [])
    assert "error: Google answered 403" in done.stderr


def test_only_what_is_held_goes_on(headroom: Headroom, cloud: CloudDeploy) -> None:
    """D2."""
    refused = headroom("release", "advance", *FRAUD)
    assert (refused.returncode, cloud.changes) == (1, [])
    assert "refused: no rollout to production is under way" in refused.stderr
    hold(cloud)
    done = headroom("release", "advance", *FRAUD)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done: lets v8 go on from the phase canary-1 to the phase canary-5\n"
    assert cloud.changes == [("/releases/v8/rollouts/to-production:advance", {"phaseId": "canary-5"})]


def test_a_rollback_says_what_it_does_and_that_it_waits_for_an_approval(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D6."""
    hold(cloud)
    dry = headroom("release", "rollback", *FRAUD, "--dry-run", "--json")
    assert (dry.returncode, cloud.changes) == (0, [])
    (data,) = json.loads(dry.stdout)
    assert (data["sent"], data["request"]["body"]["releaseId"]) == (False, "v7")
    done = headroom("release", "rollback", *FRAUD)
    assert done.returncode == 0, done.stderr
    ((path, body),) = cloud.changes
    assert (path, body["targetId"], body["releaseId"]) == (":rollbackTarget", PRODUCTION, "v7")
    assert "done: gives all users of production v7 in the place of v8" in done.stdout
    assert (
        "it waits for the approval of ml-approvers@acme.example, and nothing has changed yet" in done.stdout
    )
    assert "headroom release approve -s prod -p fraud-serving --release v7\n" in done.stdout
    assert "warning: v8 is under way, and the rollback waits for it" in done.stderr


def test_whoever_made_the_earlier_release_may_approve_the_rollback_to_it(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D6: production had it, and there may be nobody else on call."""
    for entry in cloud.entries:
        entry["protoPayload"]["authenticationInfo"]["principalEmail"] = CALLER
    bad = f"{PIPELINE}/releases/v8/rollouts/to-production"
    cloud.rollout("v7", "back", PRODUCTION, "PENDING_APPROVAL", "2026-11-17T00:00:00Z", rollbackOfRollout=bad)
    done = headroom("release", "approve", *FRAUD, "--release", "v7")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done: approves that v7 comes back to production\n"


def test_what_google_refuses_ends_with_1_and_what_is_unknown_with_3(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D2."""
    hold(cloud)
    said = {"error": {"code": 400, "message": "deploy policy prod-freezes forbids it"}}
    cloud.failures = [(":advance", 400, said)]
    refused = headroom("release", "advance", *FRAUD)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "prod-freezes forbids it" in refused.stderr
    cloud.failures = [(":advance", 503, {})]
    lost = headroom("release", "advance", *FRAUD)
    assert (lost.returncode, lost.stdout) == (3, "")
    assert (
        "not known whether that was done; look: headroom release status -s prod -p fraud-serving"
        in lost.stderr
    )


def test_an_approval_given_elsewhere_by_whoever_released_is_found(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D1."""

    def approve(who: str) -> None:
        request: dict[str, Any] = {"approved": True}
        cloud.log("ApproveRollout", PENDING, who, "2099-01-01T00:00:00Z", request=request)

    approve("ada@acme.example")
    fine = headroom("release", "audit", *FRAUD)
    assert fine.returncode == 0, fine.stderr
    assert "nobody approved in the last 30 days what they had released" in fine.stdout
    approve("eve@acme.example")
    found = headroom("release", "audit", *FRAUD)
    assert found.returncode == 1
    line = "2099-01-01T00:00:00Z: eve@acme.example approved v8, which eve@acme.example had released\n"
    assert found.stdout == line
    assert json.loads(headroom("release", "audit", *FRAUD, "--json").stdout)[0]["certain"] is True


@pytest.mark.parametrize("command", ["status", "approve"])
def test_where_nothing_was_brought_up_yet_it_says_so_and_what_to_do(
    headroom: Headroom, cloud: CloudDeploy, command: str
) -> None:
    cloud.failures = 2 * [(end, 404, {}) for end in ("/releases", "/rollouts")]
    done = headroom("release", command, *FRAUD)
    assert (done.returncode, done.stdout) == (3, "")
    error, hint = done.stderr.splitlines()
    assert error == (
        "error: Cloud Deploy has no delivery pipeline prod-fraud-serving in acme-ml-prod, europe-west4: "
        "nothing is delivered yet"
    )
    assert hint.startswith("hint: bring the stack up, which makes it (`pulumi up`), then")
    assert "404" not in done.stderr


def test_bad_input_ends_with_2_and_an_api_out_of_reach_with_3(
    headroom: Headroom, cloud: CloudDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = headroom("release", "approve", *FRAUD, "--release", "v9")
    assert unknown.returncode == 2
    assert "--release: no release v9 has been rolled out" in unknown.stderr
    other = headroom("release", "status", "-s", "prod", "-p", "fraud-data")
    assert other.returncode == 2
    assert "has no delivery" in other.stderr
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://127.0.0.1:9")
    for verb in ("status", "approve", "advance", "rollback", "audit"):
        away = headroom("release", verb, *FRAUD)
        assert (away.returncode, away.stdout) == (3, "")
        assert "could not be reached" in away.stderr
        assert "Traceback" not in away.stderr
    monkeypatch.setenv(ENDPOINT_VARIABLE, "https://example.com")
    assert headroom("release", "status", *FRAUD).returncode == 2
