"""Requests for quota: one for each quota, answered as the world is set, and never gone."""

from typing import Any

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from sandbox.google.quota_preferences import ANSWERS, PREFERENCE, quota_of
from sandbox.google.store import LIVE, WorldObject
from sandbox.google.world import World as Console
from sandbox.google.world import WorldError
from tests.sandbox.google.conftest import SETTINGS, Engine, World

PROJECT = "acme-dev"
L4 = "NVIDIA-L4-GPUS-per-project-region/us-central1"
H100 = "GPUS-PER-GPU-FAMILY-per-project-region/us-central1/gpu_family=NVIDIA_H100"


def inputs(wanted: int, **changes: Any) -> dict[str, Any]:
    return {
        "parent": f"projects/{PROJECT}",
        "name": "l4",
        "service": "compute.googleapis.com",
        "quotaId": "NVIDIA-L4-GPUS-per-project-region",
        "dimensions": {"region": "us-central1"},
        "contactEmail": "ada@acme.example",
        "quotaConfig": {"preferredValue": str(wanted)},
    } | changes


@pytest.fixture
def console(cloud: Cloud, tmp_path: Any) -> Console:
    """The console of a world in which 8 L4 are granted."""
    console = Console(tmp_path / "cloud.sqlite")
    console.set_quota(PROJECT, L4, 8)
    return console


def answered(item: WorldObject) -> tuple[str, bool]:
    return item.properties["quotaConfig"]["grantedValue"], item.properties["reconciling"]


@pytest.mark.parametrize(
    ("answer", "granted", "is_open", "limit"),
    [("at-once", "16", False, 16), ("partly", "12", False, 12), ("later", "8", True, 8)],
)
def test_a_request_is_answered_at_once_partly_or_later(
    console: Console, world: World, cloud: Cloud, answer: str, granted: str, is_open: bool, limit: int
) -> None:
    console.answer_requests(answer)
    item = world.make(PREFERENCE, **inputs(16))
    assert answered(item) == (granted, is_open)
    assert cloud.store.limits(PROJECT)[L4] == limit
    assert answered(console.find(item.id)) == (granted, is_open)


def test_without_being_told_the_world_answers_later_and_then_by_a_grant(
    console: Console, world: World
) -> None:
    item = world.make(PREFERENCE, **inputs(16))
    assert answered(item) == ("8", True)
    console.set_quota(PROJECT, L4, 12)
    assert answered(console.find(item.id)) == ("12", False)
    console.set_quota(PROJECT, H100, 99)
    assert answered(console.find(item.id)) == ("12", False), "another quota's grant says nothing"


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize("name", ["l4", "another-name"])
def test_a_second_request_for_a_quota_collides_under_whatever_name(world: World, name: str) -> None:
    first = world.make(PREFERENCE, **inputs(16))
    with pytest.raises(ApiError, match=rf"Error 409: Resource '{first.id}' already exists"):
        world.make(PREFERENCE, **inputs(17, name=name))
    other = {"region": "us-east1"}
    assert world.make(PREFERENCE, **inputs(500, name="elsewhere", dimensions=other)).id != first.id


@pytest.mark.usefixtures("console")
def test_a_request_that_leaves_the_state_stays_in_force_and_can_be_taken_back(
    world: World, cloud: Cloud, engine: Engine
) -> None:
    item = world.make(PREFERENCE, **inputs(16))
    cloud.delete(PREFERENCE, item.id)
    assert [each.status for each in cloud.store.objects(PREFERENCE)] == [LIVE]
    identity, state, found = engine.read(PREFERENCE, item.id)
    assert identity == item.id == f"projects/{PROJECT}/locations/global/quotaPreferences/l4"
    assert state["quotaConfig"]["grantedValue"] == "8"
    assert found["quotaConfig"] == {"preferredValue": "16"}
    assert "contactEmail" not in found, "Google takes it and never tells it"


@pytest.mark.usefixtures("console")
def test_a_raise_changes_the_request_and_any_other_change_asks_nothing(
    console: Console, world: World, cloud: Cloud
) -> None:
    item = world.make(PREFERENCE, **inputs(16))
    console.set_quota(PROJECT, L4, 16)
    console.answer_requests("at-once")
    changed = cloud.update(
        PREFERENCE, item.id, inputs(16), inputs(16, contactEmail="bob@acme.example"), SETTINGS
    )
    assert answered(changed) == ("16", False)
    assert answered(cloud.update(PREFERENCE, item.id, inputs(16), inputs(24), SETTINGS)) == ("24", False)
    assert cloud.store.limits(PROJECT)[L4] == 24


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize(
    ("changes", "code", "phrase"),
    [
        ({"contactEmail": None}, 400, "contact email is required"),
        ({"name": "renamed"}, 404, "quotaPreferences/renamed' was not found"),
        ({"dimensions": {"region": "us-east1"}}, 400, "immutable"),
        ({"dimensions": {}}, 400, "are region, not none"),
        ({"quotaId": "NVIDIA-L5-GPUS-per-project-region"}, 404, "does not exist"),
    ],
)
def test_what_google_does_not_take_is_refused(
    world: World, cloud: Cloud, changes: dict[str, Any], code: int, phrase: str
) -> None:
    item = world.make(PREFERENCE, **inputs(16))
    with pytest.raises(ApiError, match=phrase) as refusal:
        cloud.update(PREFERENCE, item.id, inputs(16), inputs(24) | changes, SETTINGS)
    assert refusal.value.code == code


def test_a_decrease_by_more_than_a_tenth_or_below_usage_is_refused(console: Console, world: World) -> None:
    """The bounds of both safety checks, from both sides."""
    console.set_quota(PROJECT, L4, 100)
    with pytest.raises(ApiError, match="QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"):
        world.make(PREFERENCE, **inputs(89, contactEmail=None))
    item = world.make(PREFERENCE, **inputs(90, contactEmail=None))
    assert answered(item) == ("90", False)
    config = {"machineType": "g2-standard-4"}
    zones = ["us-central1-a"]
    world.make(
        "gcp:container/nodePool:NodePool",
        cluster="dev",
        name="l4",
        nodeLocations=zones,
        nodeCount=90,
        nodeConfig=config,
    )
    with pytest.raises(ApiError, match="QUOTA_DECREASE_BELOW_USAGE"):
        world.cloud.update(PREFERENCE, item.id, inputs(90), inputs(89), SETTINGS)


def test_a_request_by_hand_is_there_under_its_own_name(console: Console, world: World) -> None:
    item = console.request_quota(PROJECT, H100, 32, "console-7f3a")
    assert quota_of(item.properties) == H100
    assert console.find("console-7f3a").properties["contactEmail"] is None
    with pytest.raises(WorldError, match="409"):
        console.request_quota(PROJECT, H100, 33, "console-8b1c")


def test_an_answer_that_there_is_not_is_refused(console: Console) -> None:
    with pytest.raises(WorldError, match=f"answers are {', '.join(ANSWERS)}"):
        console.answer_requests("soon")
