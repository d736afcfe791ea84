"""What the official provider takes and does not send shows at the next preview, as it would there."""

from typing import Any

import pytest

from sandbox.google.unsent import as_answered, compare_as_sent
from tests.sandbox.google.conftest import Engine

CLUSTER = "gcp:container/cluster:Cluster"


def inputs(ip_endpoints: bool, **private: Any) -> dict[str, Any]:
    return {
        "name": "ml",
        "location": "us-central1",
        "controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": ip_endpoints}},
        "privateClusterConfig": {"enablePrivateNodes": True, **private},
    }


def changes_of_a_second_up(engine: Engine, given: dict[str, Any]) -> dict[str, bool]:
    """Path of each change, and whether it replaces the cluster."""
    _, state = engine.create(CLUSTER, given)
    answer = engine.diff(CLUSTER, state, given, given)
    return {path: path in answer.replaces for path in answer.detailedDiff}


def test_a_private_endpoints_subnet_that_is_not_sent_replaces_the_cluster_at_the_next_up(
    engine: Engine,
) -> None:
    given = inputs(ip_endpoints=False, privateEndpointSubnetwork="control-plane")

    assert changes_of_a_second_up(engine, given) == {"privateClusterConfig.privateEndpointSubnetwork": True}
    (cluster,) = [item for item in engine.provider._cloud.store.objects(CLUSTER) if item.id.endswith("/ml")]
    assert "privateEndpointSubnetwork" not in cluster.properties["privateClusterConfig"]


def test_with_ip_endpoints_it_is_sent_and_a_second_up_changes_nothing(engine: Engine) -> None:
    given = inputs(ip_endpoints=True, privateEndpointSubnetwork="control-plane", enablePrivateEndpoint=True)
    engine.create("gcp:compute/network:Network", {"name": "vpc"})
    subnet = {"name": "control-plane", "network": "vpc", "ipCidrRange": "10.0.0.0/28"}
    engine.create("gcp:compute/subnetwork:Subnetwork", subnet)

    assert changes_of_a_second_up(engine, given) == {}


def test_authorized_networks_that_are_not_sent_are_added_at_each_up(engine: Engine) -> None:
    given = inputs(ip_endpoints=False) | {
        "masterAuthorizedNetworksConfig": {"gcpPublicCidrsAccessEnabled": False}
    }

    assert changes_of_a_second_up(engine, given) == {"masterAuthorizedNetworksConfig": False}


@pytest.mark.parametrize("asked", [True, False])
def test_a_difference_in_what_google_dictates_is_suppressed(engine: Engine, asked: bool) -> None:
    given = inputs(ip_endpoints=False, enablePrivateEndpoint=asked)

    assert changes_of_a_second_up(engine, given) == {}
    (cluster,) = [item for item in engine.provider._cloud.store.objects(CLUSTER) if item.id.endswith("/ml")]
    assert cluster.properties["privateClusterConfig"]["enablePrivateEndpoint"] is True


def test_a_refresh_gives_the_inputs_without_what_was_not_sent(engine: Engine) -> None:
    given = inputs(ip_endpoints=False, privateEndpointSubnetwork="control-plane")
    identity, _ = engine.create(CLUSTER, given)

    assert engine.read(CLUSTER, identity, given)[2]["privateClusterConfig"] == {"enablePrivateNodes": True}


def test_a_type_without_such_properties_is_as_it_was_given() -> None:
    given = {"name": "events", "labels": {"a": "1"}}

    assert as_answered("gcp:pubsub/topic:Topic", given) == given
    assert compare_as_sent("gcp:pubsub/topic:Topic", given, given) == (given, given)
