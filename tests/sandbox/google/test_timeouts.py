"""What took effect at Google while the official provider stopped waiting for it."""

from typing import Any

import pytest
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError, HalfDoneError, RefusedError
from sandbox.google.facts import load_table
from sandbox.google.first_pool import CLUSTER, POOL
from sandbox.google.schema import load_resource_type
from sandbox.google.store import LIVE, Fault
from tests.sandbox.google.conftest import SETTINGS, CallAbortedError, Engine

NETWORK = "gcp:compute/network:Network"
STOPPED = "timeout while waiting for state to become 'DONE'"
WANTED: dict[str, Any] = {"name": "ml", "location": "us-central1", "deletionProtection": False}


def time_out(cloud: Cloud, operation: str) -> None:
    with cloud.store.transaction():
        cloud.store.add_fault(Fault(0, "timeout-after", operation, "*", 1, 0, 1))


def test_most_types_are_forgotten_and_their_names_are_taken(cloud: Cloud) -> None:
    time_out(cloud, "create")

    with pytest.raises(RefusedError, match=f"Error waiting for creating Network: {STOPPED}"):
        cloud.create(NETWORK, {"name": "vpc"}, SETTINGS)
    with pytest.raises(ApiError, match="Error 409: Resource 'projects/acme-dev/global/networks/vpc'"):
        cloud.create(NETWORK, {"name": "vpc"}, SETTINGS)


def test_a_cluster_is_kept_as_far_as_the_provider_knows_it(cloud: Cloud) -> None:
    time_out(cloud, "create")

    with pytest.raises(HalfDoneError, match=STOPPED) as error:
        cloud.create(CLUSTER, {**WANTED, "__defaults": []}, SETTINGS)
    assert error.value.identity == "projects/acme-dev/locations/us-central1/clusters/ml"
    assert error.value.known == WANTED


def test_a_node_pool_that_is_there_when_the_provider_looks_is_no_error(cloud: Cloud) -> None:
    time_out(cloud, "create")
    pool = cloud.create(POOL, {"cluster": "dev", "name": "l4"}, SETTINGS)

    assert cloud.store.faults() == []
    assert cloud.read(POOL, pool.id) is not None


def test_an_update_is_kept_as_it_was_before(cloud: Cloud) -> None:
    olds, news = {"name": "vpc", "description": "old"}, {"name": "vpc", "description": "new"}
    network = cloud.create(NETWORK, olds, SETTINGS)
    time_out(cloud, "update")

    with pytest.raises(HalfDoneError, match=f"Error waiting for updating Network: {STOPPED}") as error:
        cloud.update(NETWORK, network.id, olds, news, SETTINGS)
    assert error.value.known["description"] == "old"
    changed = cloud.read(NETWORK, network.id)
    assert changed is not None
    assert changed.properties["description"] == "new"


def test_what_was_deleted_without_an_answer_is_deleted_well_the_next_time(cloud: Cloud) -> None:
    network = cloud.create(NETWORK, {"name": "vpc"}, SETTINGS)
    time_out(cloud, "delete")

    with pytest.raises(RefusedError, match="Error waiting for deleting Network"):
        cloud.delete(NETWORK, network.id)
    assert [item for item in cloud.store.objects(NETWORK) if item.status == LIVE] == []
    cloud.delete(NETWORK, network.id)


def test_the_engine_is_told_to_keep_what_is_half_done(engine: Engine, cloud: Cloud) -> None:
    time_out(cloud, "create")

    with pytest.raises(CallAbortedError, match=STOPPED):
        engine.create(CLUSTER, WANTED)
    ((name, content),) = engine.context.trailing_metadata
    assert name == "grpc-status-details-bin"
    (packed,) = status_pb2.Status.FromString(content).details
    details = provider_pb2.ErrorResourceInitFailed()
    assert packed.Unpack(details)
    assert details.id == "projects/acme-dev/locations/us-central1/clusters/ml"
    assert details.properties.fields["name"].string_value == "ml"
    assert STOPPED in details.reasons[0]


def test_every_type_with_a_habit_of_its_own_is_one_that_there_is() -> None:
    for token in load_table("timeouts"):
        assert token == "usual" or load_resource_type(token).outputs
