"""The world can be looked at and changed behind Pulumi's back."""

from pathlib import Path

import pytest

from sandbox.google import world as world_module
from sandbox.google.cloud import Cloud
from sandbox.google.delays import Pace
from sandbox.google.errors import ApiError
from sandbox.google.world import World, WorldError
from tests.sandbox.google.conftest import SETTINGS, Engine

POOL = "gcp:container/nodePool:NodePool"
TOPIC = "gcp:pubsub/topic:Topic"
L4 = "NVIDIA-L4-GPUS-per-project-region/us-central1"


@pytest.fixture
def console(cloud: Cloud, tmp_path: Path) -> World:
    cloud.create(TOPIC, {"name": "events", "labels": {"team": "ads"}}, SETTINGS)
    return World(tmp_path / "cloud.sqlite")


def test_the_world_lists_what_it_holds(console: World, cloud: Cloud) -> None:
    cloud.create(TOPIC, {"name": "clicks"}, SETTINGS)

    assert [item.properties["name"] for item in console.objects(TOPIC)] == ["events", "clicks"]
    assert console.objects(status="left over") == []


def test_an_object_is_found_by_its_id_or_the_end_of_it(console: World) -> None:
    assert (
        console.find("projects/acme-dev/topics/events")
        == console.find("topics/events")
        == console.find("events")
    )


def test_what_is_not_there_is_said_with_the_nearest_id(console: World) -> None:
    with pytest.raises(
        WorldError, match="nothing of the id event; the nearest is projects/acme-dev/topics/events"
    ):
        console.find("event")


def test_an_ambiguous_end_of_an_id_is_refused(console: World, cloud: Cloud) -> None:
    cloud.create("gcp:compute/network:Network", {"name": "events"}, SETTINGS)

    with pytest.raises(WorldError, match="ambiguous"):
        console.find("events")


def test_drift_is_seen_by_a_refresh_and_mended_by_an_update(console: World, engine: Engine) -> None:
    inputs = {"cluster": "dev", "name": "p", "autoscaling": {"maxNodeCount": 3}}
    identity, state = engine.create(POOL, inputs)
    console.drift(identity, "autoscaling.maxNodeCount", 9)

    _, _, found = engine.read(POOL, identity, inputs)
    assert found["autoscaling"]["maxNodeCount"] == 9
    assert list(engine.diff(POOL, state, found, inputs).detailedDiff) == ["autoscaling.maxNodeCount"]
    engine.update(POOL, identity, state, found, inputs)
    assert engine.read(POOL, identity, inputs)[2] == inputs


@pytest.mark.parametrize("path", ["nothing", "name.deeper", "labels.team.deeper"])
def test_drift_of_a_property_that_there_is_not_is_refused(console: World, path: str) -> None:
    with pytest.raises(WorldError, match="has no property"):
        console.drift("events", path, 1)


def test_what_somebody_deleted_by_hand_is_gone_for_the_engine(console: World, engine: Engine) -> None:
    item = console.remove("events")

    assert engine.read(TOPIC, item.id)[0] == ""


def test_a_quota_that_was_set_is_in_force(console: World, cloud: Cloud) -> None:
    console.set_quota("acme-dev", L4, 0)
    pool = {"cluster": "dev", "name": "p", "nodeCount": 1, "nodeConfig": {"machineType": "g2-standard-4"}}

    with pytest.raises(ApiError, match=r"Quota 'NVIDIA_L4_GPUS' exceeded. Limit: 0.0"):
        cloud.create(POOL, pool, SETTINGS)
    console.set_quota("acme-dev", L4, 3)
    cloud.create(POOL, pool, SETTINGS)
    assert [(quota.limit, quota.drawn) for quota in console.quotas("acme-dev") if quota.name == L4] == [
        (3, 3)
    ]


@pytest.mark.parametrize(("name", "limit"), [(L4, -1), ("NVIDIA-L4-GPUS-per-project-region", 3)])
def test_a_quota_that_makes_no_sense_is_refused(console: World, name: str, limit: float) -> None:
    with pytest.raises(WorldError):
        console.set_quota("acme-dev", name, limit)


def test_an_injected_fault_strikes_and_is_listed_until_it_did(console: World, cloud: Cloud) -> None:
    console.inject("503", operation="create", token=TOPIC)
    assert [fault.kind for fault in console.faults()] == ["503"]

    with pytest.raises(ApiError, match="503"):
        cloud.create(TOPIC, {"name": "clicks"}, SETTINGS)
    assert console.faults() == []


def test_faults_can_be_cleared(console: World, cloud: Cloud) -> None:
    console.inject("503", times=-1)
    console.clear_faults()

    assert cloud.create(TOPIC, {"name": "clicks"}, SETTINGS).id


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "502"},
        {"kind": "503", "operation": "patch"},
        {"kind": "503", "rate": 2},
        {"kind": "503", "at": -1},
    ],
)
def test_a_fault_that_there_is_not_is_refused(console: World, wrong: dict) -> None:
    with pytest.raises(WorldError):
        console.inject(**wrong)


def test_seed_and_scale_are_remembered(console: World, tmp_path: Path) -> None:
    console.set_pace(seed="7", scale=0.25)

    assert World(tmp_path / "cloud.sqlite").pace() == Pace("7", 0.25)
    console.set_pace(scale=0)
    assert console.pace() == Pace("7", 0.0)
    with pytest.raises(WorldError, match="0 or more"):
        console.set_pace(scale=-1)


def test_the_interface_is_documented() -> None:
    public = [value for name, value in vars(world_module.World).items() if not name.startswith("_")]

    assert [method for method in public if not method.__doc__] == []
