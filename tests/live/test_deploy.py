"""D1, D2, D6: Cloud Deploy over REST: all pages, what is asked word for word, and what a failure means."""

from collections.abc import Iterator

import pytest

from headroom.delivery.progress import Phase, Release, Request
from headroom.live.connection import ENDPOINT_VARIABLE, Connection, UnansweredError, connect
from headroom.live.deploy import get_rollout, list_releases, list_rollouts, send_request
from tests.cloud_deploy import PIPELINE, PRODUCTION, CloudDeploy, phases_of, serve


@pytest.fixture
def cloud() -> CloudDeploy:
    cloud = CloudDeploy()
    for number in range(5):
        cloud.release(f"v{number}", f"2026-11-0{number + 1}T09:00:00Z", abandoned=number == 1)
        cloud.rollout(f"v{number}", "r", PRODUCTION, "SUCCEEDED", f"2026-11-0{number + 1}T10:00:00Z")
    return cloud


@pytest.fixture
def connection(cloud: CloudDeploy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield connect("acme-ml-prod")


def test_all_pages_are_read(cloud: CloudDeploy, connection: Connection) -> None:
    releases = list_releases(connection, PIPELINE)
    assert [each.name for each in releases] == ["v0", "v1", "v2", "v3", "v4"]
    assert releases[1] == Release("v1", "2026-11-02T09:00:00Z", "SUCCEEDED", abandoned=True)
    assert len(cloud.asked) == 3


def test_a_rollout_is_read_whole(cloud: CloudDeploy, connection: Connection) -> None:
    name = cloud.rollout(
        "v6", "back", PRODUCTION, "IN_PROGRESS", "2026-11-08T00:00:00Z",
        phases=phases_of(p5="SUCCEEDED", stable="PENDING"), rollbackOfRollout="r", failureReason="no",
        rolledBackByRollouts=["x"],
    )  # fmt: skip
    found = list_rollouts(connection, PIPELINE)[-1]
    assert found == get_rollout(connection, name)
    assert (found.id, found.release, found.target) == ("back", "v6", PRODUCTION)
    assert found.phases == (Phase("canary-5", "SUCCEEDED"), Phase("stable", "PENDING"))
    assert (found.rollback_of, found.rolled_back_by, found.failure) == ("r", ("x",), "no")


def test_what_is_asked_is_sent_as_it_is(cloud: CloudDeploy, connection: Connection) -> None:
    name = f"{PIPELINE}/releases/v4/rollouts/r"
    send_request(connection, Request(f"{name}:advance", {"phaseId": "stable"}))
    assert cloud.asked == [(f"/v1/{name}:advance", {"phaseId": "stable"})]


def test_a_list_is_asked_again_while_google_is_busy(cloud: CloudDeploy, connection: Connection) -> None:
    cloud.failures = [("/releases", 503, {}), ("/releases", 429, {})]
    assert len(list_releases(connection, PIPELINE)) == 5


@pytest.mark.parametrize("status", [429, 503])
def test_a_change_is_never_sent_twice(cloud: CloudDeploy, connection: Connection, status: int) -> None:
    cloud.failures = [(":approve", status, {})]
    with pytest.raises(UnansweredError):
        send_request(connection, Request(f"{PIPELINE}/releases/v4/rollouts/r:approve", {"approved": True}))
    assert len(cloud.asked) == 1


def test_a_refusal_says_what_google_says(cloud: CloudDeploy, connection: Connection) -> None:
    said = {"error": {"code": 403, "message": "Permission 'clouddeploy.rollouts.approve' denied"}}
    cloud.failures = [(":approve", 403, said)]
    with pytest.raises(UnansweredError, match=r"403.*clouddeploy\.rollouts\.approve") as caught:
        send_request(connection, Request("x:approve", {"approved": True}))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "answer",
    [{"rollouts": 1}, {"rollouts": [{}]}, {"rollouts": ["r"]}, {"rollouts": [], "unreachable": ["x"]},
     {"rollouts": [{"name": "short", "targetId": "t", "state": "FAILED"}]}],
)  # fmt: skip
def test_an_answer_of_another_shape_is_no_empty_list(
    cloud: CloudDeploy, connection: Connection, answer: dict[str, object]
) -> None:
    """Unknown is not none."""
    cloud.failures = [("/rollouts", 200, answer)]
    with pytest.raises(UnansweredError):
        list_rollouts(connection, PIPELINE)


def test_pages_without_end_are_given_up(cloud: CloudDeploy, connection: Connection) -> None:
    cloud.failures = 3 * [("/releases", 200, {"releases": [], "nextPageToken": "2"})]
    with pytest.raises(UnansweredError, match="again and again"):
        list_releases(connection, PIPELINE)
