"""Ranges of one network lie apart, and a cluster's ranges are there."""

from dataclasses import replace

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError, RefusedError
from tests.sandbox.google.conftest import SETTINGS, World

SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
CLUSTER = "gcp:container/cluster:Cluster"
PODS = {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}
SERVICES = {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"}


@pytest.fixture
def vpc(world: World) -> str:
    world.make(
        SUBNETWORK,
        name="nodes",
        network=world.make("gcp:compute/network:Network", name="vpc").id,
        ipCidrRange="10.0.0.0/20",
        secondaryIpRanges=[PODS, SERVICES],
    )
    return "vpc"


@pytest.mark.parametrize("range_", ["10.0.0.0/24", "10.5.0.0/16", "10.8.15.0/24", "10.0.0.0/8"])
def test_a_subnetwork_that_overlaps_another_of_its_network_is_refused(
    world: World, vpc: str, range_: str
) -> None:
    with pytest.raises(
        ApiError, match=r"Invalid IPCidrRange: .* conflicts with existing subnetwork .*nodes'"
    ):
        world.make(SUBNETWORK, name="more", network=vpc, ipCidrRange=range_)


def test_a_subnetwork_beside_the_others_is_created(world: World, vpc: str) -> None:
    assert world.make(SUBNETWORK, name="more", network=vpc, ipCidrRange="10.0.16.0/20").id


def test_networks_do_not_disturb_each_other(world: World, vpc: str) -> None:
    world.make("gcp:compute/network:Network", name="other")

    assert world.make(SUBNETWORK, name="same", network="other", ipCidrRange="10.0.0.0/20").id


def test_the_ranges_of_one_subnetwork_lie_apart_too(world: World) -> None:
    with pytest.raises(ApiError, match=r"of primary conflicts with 10.4.0.0/14 of pods"):
        world.make(
            SUBNETWORK, name="n", network="default", ipCidrRange="10.5.0.0/16", secondaryIpRanges=[PODS]
        )


def test_an_update_does_not_collide_with_the_subnetwork_itself(world: World, cloud: Cloud, vpc: str) -> None:
    identity = "projects/acme-dev/regions/us-central1/subnetworks/nodes"
    olds = {
        "name": "nodes",
        "network": vpc,
        "ipCidrRange": "10.0.0.0/20",
        "secondaryIpRanges": [PODS, SERVICES],
    }

    assert (
        cloud.update(SUBNETWORK, identity, olds, olds | {"privateIpGoogleAccess": True}, SETTINGS).id
        == identity
    )


def test_a_range_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(ApiError, match=r"Invalid value for field 'ipCidrRange': '10.0.0.1/20'"):
        world.make(SUBNETWORK, name="n", network="default", ipCidrRange="10.0.0.1/20")


def test_a_cluster_names_ranges_that_its_subnetwork_has(world: World, vpc: str) -> None:
    ranges = {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}
    place = {"network": vpc, "subnetwork": "nodes"}

    assert world.make(CLUSTER, name="fits", ipAllocationPolicy=ranges, **place).id
    with pytest.raises(ApiError, match='Secondary range "pots" does not exist in subnetwork "nodes"'):
        world.make(
            CLUSTER, name="c", ipAllocationPolicy=ranges | {"clusterSecondaryRangeName": "pots"}, **place
        )


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        (
            "gcp:compute/router:Router",
            {"name": "r", "network": "default", "region": "us-nowhere1"},
            "Invalid value for field 'region': 'us-nowhere1'",
        ),
        (
            "gcp:compute/disk:Disk",
            {"name": "d", "zone": "us-central1-z"},
            "Invalid value for field 'zone': 'us-central1-z'",
        ),
    ],
)
def test_a_place_that_there_is_not_is_refused(world: World, token: str, inputs: dict, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        world.make(token, **inputs)


@pytest.mark.parametrize(
    ("place", "token", "inputs", "message"),
    [
        ({"project": ""}, "gcp:pubsub/topic:Topic", {"name": "events"}, "project: required field is not set"),
        (
            {"region": ""},
            "gcp:compute/router:Router",
            {"name": "r", "network": "default"},
            "Cannot determine region",
        ),
        ({"region": ""}, CLUSTER, {"name": "c"}, "Cannot determine location"),
    ],
)
def test_a_place_that_nobody_said_is_refused_by_the_provider(
    world: World, place: dict, token: str, inputs: dict, message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        world.make(token, replace(SETTINGS, **place), **inputs)
