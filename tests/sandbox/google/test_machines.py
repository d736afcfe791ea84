"""The nodes of a pool are counted and placed as GKE does."""

import pytest

from sandbox.google.errors import ApiError
from sandbox.google.machines import count_nodes, read_capacity, read_nodes, require_offered
from tests.sandbox.google.conftest import World

POOL = "gcp:container/nodePool:NodePool"
HERE = {"location": "us-central1"}


@pytest.mark.parametrize(
    ("properties", "nodes"),
    [
        ({}, 0),
        ({"initialNodeCount": 2}, 6),
        ({"nodeCount": 1}, 3),
        ({"initialNodeCount": 1, "autoscaling": {"minNodeCount": 2, "maxNodeCount": 9}}, 6),
        ({"autoscaling": {"totalMinNodeCount": 2, "totalMaxNodeCount": 9}}, 2),
    ],
)
def test_a_pool_starts_with_its_count_in_each_zone_or_its_minimum(properties: dict, nodes: int) -> None:
    assert count_nodes(properties, zones=3) == nodes


@pytest.mark.parametrize(
    ("properties", "capacity"),
    [
        ({}, "on-demand"),
        ({"nodeConfig": {"spot": True}}, "spot"),
        ({"nodeConfig": {"flexStart": True}}, "flex-start"),
        ({"queuedProvisioning": {"enabled": True}}, "queued"),
        (
            {"nodeConfig": {"reservationAffinity": {"consumeReservationType": "SPECIFIC_RESERVATION"}}},
            "reservation",
        ),
        (
            {
                "nodeConfig": {
                    "spot": True,
                    "reservationAffinity": {"consumeReservationType": "NO_RESERVATION"},
                }
            },
            "spot",
        ),
    ],
)
def test_the_way_machines_are_obtained_is_read_from_the_pool(properties: dict, capacity: str) -> None:
    assert read_capacity(properties) == capacity


def test_zones_come_from_the_pool_then_from_the_cluster_then_from_the_region() -> None:
    pool = {"nodeLocations": ["us-central1-f"]} | HERE

    assert read_nodes(pool, {}).zones == ("us-central1-f",)
    assert read_nodes(HERE, {"nodeLocations": ["us-central1-b"]}).zones == ("us-central1-b",)
    assert len(read_nodes(HERE, {}).zones) == 3
    assert read_nodes({"location": "us-central1-c"}, {}).zones == ("us-central1-c",)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"location": "us-nowhere1"}, 'Location "us-nowhere1" does not exist'),
        ({"nodeLocations": ["europe-west4-a"]} | HERE, "europe-west4-a: not in region"),
        ({"nodeConfig": {"machineType": "n9-huge"}} | HERE, "Invalid machine type 'n9-huge'"),
    ],
)
def test_a_place_or_a_machine_that_there_is_not_is_refused(properties: dict, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        read_nodes(properties, {})


def test_a_zone_without_the_machine_is_refused() -> None:
    config = {"machineType": "ct5lp-hightpu-4t"}
    require_offered(read_nodes({"nodeLocations": ["us-central1-a"], "nodeConfig": config} | HERE, {}))

    with pytest.raises(ApiError, match="'ct5lp-hightpu-4t' does not exist in zone 'us-central1-f'"):
        require_offered(read_nodes({"nodeLocations": ["us-central1-f"], "nodeConfig": config} | HERE, {}))


def test_a_pool_in_a_zone_without_its_machine_is_not_created(world: World) -> None:
    config = {"machineType": "ct5lp-hightpu-4t"}

    with pytest.raises(ApiError, match="does not exist in zone"):
        world.make(POOL, cluster="dev", name="v5e", nodeLocations=["us-central1-f"], nodeConfig=config)
