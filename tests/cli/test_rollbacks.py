"""D8: `headroom release approve-rollbacks`: the way back waits for nobody, and only the way back."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from subprocess import CompletedProcess

import pytest

from headroom.alerts.promql import parse_promql, selectors
from headroom.alerts.rules import find_rule, load_rules
from headroom.live.connection import ENDPOINT_VARIABLE
from tests.cloud_deploy import PIPELINE, PRODUCTION, STAGING, CloudDeploy, serve

Headroom = Callable[..., CompletedProcess[str]]
BACK = "/releases/v7/rollouts/back:approve"
OTHERS = ("assistant-serving", "feed-serving", "shelf-serving")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudDeploy]:
    """All users had v6 and then v7; the canary of v8 failed, and v9 was not even begun."""
    cloud = CloudDeploy(page=50)
    for name, state, day in (
        ("v6", "SUCCEEDED", "02"),
        ("v7", "SUCCEEDED", "09"),
        ("v8", "FAILED", "16"),
        ("v9", "APPROVAL_REJECTED", "17"),
    ):
        cloud.rollout(name, "to-production", PRODUCTION, state, f"2026-11-{day}T10:00:00Z")
    for name in OTHERS:
        cloud.failures.append((f"prod-{name}/releases/-/rollouts", 200, {"rollouts": []}))
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield cloud


def roll_back(
    cloud: CloudDeploy, release: str = "v7", of: str = "v8/rollouts/to-production", target: str = PRODUCTION
) -> None:
    """Let a rollback wait, the latest of all."""
    cloud.rollout(
        release,
        "back",
        target,
        "PENDING_APPROVAL",
        "2026-11-18T11:00:00Z",
        rollbackOfRollout=f"{PIPELINE}/releases/{of}",
    )


def approve(headroom: Headroom, *options: str) -> CompletedProcess[str]:
    return headroom("release", "approve-rollbacks", "-s", "prod", *options)


def test_the_way_back_from_a_failed_canary_is_approved(headroom: Headroom, cloud: CloudDeploy) -> None:
    roll_back(cloud)
    done = approve(headroom, "--json")
    assert done.returncode == 0, done.stderr
    ((path, body),) = cloud.changes
    assert (path, body["approved"]) == (BACK, True)
    data = json.loads(done.stdout)
    (row,) = data["approved"]
    assert (row["rollout"], row["sent"]) == (f"{PIPELINE}{BACK.removesuffix(':approve')}", True)
    assert data["left_to_people"] == []


def test_a_dry_run_says_what_waits(headroom: Headroom, cloud: CloudDeploy) -> None:
    roll_back(cloud)
    dry = approve(headroom, "--dry-run")
    assert (dry.returncode, cloud.changes) == (1, []), dry.stderr
    assert dry.stdout.startswith("nothing is changed; this approves that v7 comes back to production")


def test_a_new_release_is_never_approved(headroom: Headroom, cloud: CloudDeploy) -> None:
    cloud.rollout("v10", "to-production", PRODUCTION, "PENDING_APPROVAL", "2026-11-18T10:00:00Z")
    done = approve(headroom)
    assert (done.returncode, done.stdout) == (0, "no rollback waits for an approval\n"), done.stderr
    assert cloud.changes == []


def healthy(cloud: CloudDeploy) -> None:
    """v8 is what all users have, and is well."""
    cloud.rollouts[2]["state"] = "SUCCEEDED"


def newer(cloud: CloudDeploy) -> None:
    """People have approved v10 since the rollback waits, and all users have it."""
    cloud.rollout("v10", "to-production", PRODUCTION, "SUCCEEDED", "2026-11-19T10:00:00Z")


def undone(cloud: CloudDeploy) -> None:
    """v7 was found to be bad itself, when all users had it."""
    cloud.rollouts[1]["rolledBackByRollouts"] = ["another"]


@pytest.mark.parametrize(
    ("release", "of", "target", "change"),
    [
        ("v5", "v8/rollouts/to-production", PRODUCTION, None),
        ("v6", "v8/rollouts/to-production", PRODUCTION, None),
        ("v7", "v8/rollouts/to-production", PRODUCTION, healthy),
        ("v7", "v8/rollouts/to-production", PRODUCTION, newer),
        ("v7", "v8/rollouts/to-production", PRODUCTION, undone),
        ("v7", "v6/rollouts/to-production", PRODUCTION, None),
    ],
    ids=["never-had", "older", "of-a-healthy-one", "stale", "rolled-back-itself", "of-one-long-gone"],
)
def test_what_is_not_the_way_back_is_left_to_people(
    headroom: Headroom,
    cloud: CloudDeploy,
    release: str,
    of: str,
    target: str,
    change: Callable[[CloudDeploy], None] | None,
) -> None:
    """Who rolls back chooses the release: it could be one that nobody would approve again."""
    roll_back(cloud, release, of, target)
    if change:
        change(cloud)
    done = approve(headroom)
    assert done.returncode == 0, done.stderr
    assert f"left to people, since it is not the way back from a failed canary: {PIPELINE}" in done.stdout
    assert cloud.changes == []


def test_staging_is_not_what_this_is_about(headroom: Headroom, cloud: CloudDeploy) -> None:
    roll_back(cloud, target=STAGING)
    done = approve(headroom)
    assert (done.returncode, done.stdout) == (0, "no rollback waits for an approval\n"), done.stderr
    assert cloud.changes == []


def test_a_model_that_cannot_be_asked_about_does_not_hold_up_another(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    roll_back(cloud)
    cloud.failures[1] = (cloud.failures[1][0], 403, {"error": {"code": 403, "message": "denied"}})
    done = approve(headroom)
    assert done.returncode == 3
    assert "error: feed-serving: Google answered 403" in done.stderr
    assert [path for path, _ in cloud.changes] == [BACK]


def test_a_refusal_of_google_is_told(headroom: Headroom, cloud: CloudDeploy) -> None:
    roll_back(cloud)
    cloud.failures.append(("rollouts/back:approve", 403, {"error": {"code": 403, "message": "denied"}}))
    done = approve(headroom)
    assert done.returncode == 1
    assert "error: fraud-serving: Google answered 403" in done.stderr
    assert "comes back" not in done.stdout


def test_the_job_records_that_every_model_was_seen_to(headroom: Headroom, cloud: CloudDeploy) -> None:
    """What is left to people too: the metric that RollbackJobSilent reads."""
    roll_back(cloud, "v5")
    started = time.time()
    done = approve(headroom, "--record")
    assert done.returncode == 0, done.stderr
    (row,) = cloud.written
    rule = find_rule(load_rules(), "RollbackJobSilent")
    assert rule is not None
    asked = selectors(parse_promql(rule.expr))
    assert {each.metric for each in asked} == {row["metric"]["type"]}
    places = {each.value for one in asked for each in one.matchers if each.label == "monitored_resource"}
    assert places == {row["resource"]["type"]} == {"global"}
    assert row["metric"]["labels"] == {"environment": "prod"}
    (point,) = row["points"]
    assert started <= point["value"]["doubleValue"] <= time.time()
    ended = datetime.fromisoformat(point["interval"]["endTime"]).timestamp()
    assert started - 1 <= ended <= time.time()
    assert cloud.asked[-1][0] == "/v3/projects/acme-ml-prod/timeSeries"


def test_who_does_by_hand_what_the_job_does_is_not_taken_for_it(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    roll_back(cloud)
    assert approve(headroom).returncode == 0
    assert cloud.written == []


def test_a_round_that_was_not_whole_is_not_recorded(headroom: Headroom, cloud: CloudDeploy) -> None:
    cloud.failures[1] = (cloud.failures[1][0], 403, {"error": {"code": 403, "message": "denied"}})
    assert approve(headroom, "--record").returncode == 3
    cloud.failures.append(("rollouts/back:approve", 403, {"error": {"code": 403, "message": "denied"}}))
    cloud.failures += [(f"prod-{name}/releases/-/rollouts", 200, {"rollouts": []}) for name in OTHERS]
    roll_back(cloud)
    assert approve(headroom, "--record").returncode == 1
    assert cloud.written == []


def test_what_cannot_be_recorded_is_tried_again_once_all_was_approved(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    roll_back(cloud)
    cloud.failures.append(("/timeSeries", 403, {"error": {"code": 403, "message": "denied"}}))
    done = approve(headroom, "--record")
    assert done.returncode == 3
    assert "error: Cloud Monitoring: Google answered 403: denied" in done.stderr
    assert [path for path, _ in cloud.changes] == [BACK]


def test_a_dry_run_is_nothing_to_record(headroom: Headroom, cloud: CloudDeploy) -> None:
    done = approve(headroom, "--record", "--dry-run")
    assert (done.returncode, cloud.asked) == (2, [])
    assert "error: --record: a dry run sees to nothing" in done.stderr


def test_without_credentials_it_is_tried_again(
    headroom: Headroom, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """3 is what the job is run again after; nothing is known, so nothing is well."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    monkeypatch.setenv("HOME", str(tmp_path))
    done = approve(headroom)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
