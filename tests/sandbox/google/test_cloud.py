"""The cloud creates, keeps, refuses and forgets as Google does."""

import time
from dataclasses import replace

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from tests.sandbox.google.conftest import SETTINGS, World

CLUSTER = "gcp:container/cluster:Cluster"
TOPIC = "gcp:pubsub/topic:Topic"
RING = "gcp:kms/keyRing:KeyRing"
LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
POOL_ID = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
BINDING = "gcp:projects/iAMMember:IAMMember"


def test_the_same_name_twice_answers_409_in_googles_words(world: World) -> None:
    world.make(TOPIC, name="events")

    with pytest.raises(ApiError) as caught:
        world.make(TOPIC, name="events")
    assert str(caught.value) == (
        "googleapi: Error 409: Resource 'projects/acme-dev/topics/events' already exists., alreadyExists"
    )


def test_the_same_name_in_another_project_is_free(world: World) -> None:
    world.make(TOPIC, name="events")

    assert world.make(TOPIC, replace(SETTINGS, project="acme-prod"), name="events").id.startswith(
        "projects/acme-prod"
    )


def test_a_binding_that_exists_is_granted_again(world: World) -> None:
    grant = {"project": "acme-dev", "role": "roles/viewer", "member": "user:a@acme.example"}

    assert world.make(BINDING, **grant).id == world.make(BINDING, **grant).id


def test_what_was_deleted_is_gone_and_its_name_free(world: World, cloud: Cloud) -> None:
    topic = world.make(TOPIC, name="events")
    cloud.delete(TOPIC, topic.id)

    assert cloud.read(TOPIC, topic.id) is None
    assert world.make(TOPIC, name="events").sequence > topic.sequence


def test_deleting_what_is_gone_is_no_error(cloud: Cloud) -> None:
    cloud.delete(TOPIC, "projects/acme-dev/topics/none")


def test_an_update_changes_what_was_given_and_keeps_the_rest(world: World, cloud: Cloud) -> None:
    olds = {"name": "events", "labels": {"a": "1"}, "messageRetentionDuration": "600s"}
    topic = world.make(TOPIC, **olds)
    changed = cloud.update(TOPIC, topic.id, olds, {"name": "events", "labels": {"a": "2"}}, SETTINGS)

    assert changed.properties["labels"] == {"a": "2"}
    assert changed.properties["effectiveLabels"]["a"] == "2"
    assert changed.properties["messageRetentionDuration"] is None
    assert (changed.id, changed.sequence) == (topic.id, topic.sequence)


def test_an_update_keeps_what_google_computed_when_the_program_no_longer_says_it(
    world: World, cloud: Cloud
) -> None:
    token = "gcp:container/nodePool:NodePool"
    olds = {"cluster": "dev", "name": "p", "nodeCount": 2, "maxPodsPerNode": 32}
    pool = world.make(token, **olds)
    changed = cloud.update(token, pool.id, olds, {"cluster": "dev", "name": "p"}, SETTINGS)

    assert changed.properties["maxPodsPerNode"] == 32


def test_an_update_of_what_is_gone_answers_404(cloud: Cloud) -> None:
    with pytest.raises(ApiError, match="404"):
        cloud.update(TOPIC, "projects/acme-dev/topics/none", {}, {}, SETTINGS)


def test_a_compute_link_reads_like_the_id(world: World, cloud: Cloud) -> None:
    token = "gcp:compute/network:Network"
    network = world.make(token, name="vpc")

    assert cloud.read(token, network.properties["selfLink"]) == cloud.read(token, network.id)


def test_a_thousand_resources_are_created_in_under_five_seconds(cloud: Cloud) -> None:
    started = time.perf_counter()
    for number in range(1000):
        cloud.create(TOPIC, {"name": f"events-{number}"}, SETTINGS)

    assert time.perf_counter() - started < 5
