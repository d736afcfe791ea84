"""The cloud creates, keeps, refuses and forgets as Google does."""

import time
from dataclasses import replace

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError, RefusedError
from sandbox.google.facts import load_facts
from sandbox.google.refresh import project_inputs
from sandbox.google.schema import load_resource_type
from sandbox.google.store import LEFT_OVER, LIVE, SOFT_DELETED
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


def test_a_key_ring_cannot_be_deleted_and_its_name_stays_taken(world: World, cloud: Cloud) -> None:
    ring = world.make(RING, name="ring", location="us-central1")
    cloud.delete(RING, ring.id)

    assert cloud.read(RING, ring.id) is None
    assert [item.id for item in cloud.store.objects(status=LEFT_OVER)] == [ring.id]
    with pytest.raises(ApiError, match="409"):
        world.make(RING, name="ring", location="us-central1")


@pytest.mark.parametrize(
    ("token", "days", "inputs"),
    [
        (LOG_BUCKET, 7, {"project": "acme-dev", "location": "global", "bucketId": "logs"}),
        (POOL_ID, 30, {"workloadIdentityPoolId": "github"}),
    ],
)
def test_a_soft_deleted_name_is_free_only_after_its_days(
    world: World, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, token: str, days: int, inputs: dict
) -> None:
    item = world.make(token, **inputs)
    cloud.delete(token, item.id)
    assert [kept.status for kept in cloud.store.objects(token)] == [SOFT_DELETED]
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + days * 86400 - 3600)
    with pytest.raises(ApiError, match="409"):
        world.make(token, **inputs)
    monkeypatch.setattr(time, "time", lambda: now + days * 86400 + 3600)
    assert world.make(token, **inputs).id == item.id


def test_a_service_that_stays_enabled_is_adopted_by_the_next_up(world: World, cloud: Cloud) -> None:
    service = "gcp:projects/service:Service"
    item = world.make(service, service="container.googleapis.com", disableOnDestroy=False)
    cloud.delete(service, item.id)

    assert [kept.status for kept in cloud.store.objects(service)] == [LIVE]
    assert world.make(service, service="container.googleapis.com", disableOnDestroy=False).id == item.id


def test_a_protected_cluster_refuses_to_go_in_the_providers_words(world: World, cloud: Cloud) -> None:
    protected = world.make(CLUSTER, name="prod")
    open_to_go = world.make(CLUSTER, name="dev", deletionProtection=False)

    with pytest.raises(RefusedError, match="deletion_protection is set to true"):
        cloud.delete(CLUSTER, protected.id)
    cloud.delete(CLUSTER, open_to_go.id)
    assert [item.id for item in cloud.store.objects(CLUSTER)] == [protected.id]


def test_a_deletion_policy_prevents_or_abandons(world: World, cloud: Cloud) -> None:
    prevented = world.make(TOPIC, name="a", deletionPolicy="PREVENT")
    abandoned = world.make(TOPIC, name="b", deletionPolicy="ABANDON")

    with pytest.raises(RefusedError, match="deletion_policy"):
        cloud.delete(TOPIC, prevented.id)
    cloud.delete(TOPIC, abandoned.id)
    assert len(cloud.store.objects(TOPIC)) == 2


def test_an_update_changes_what_was_given_and_keeps_the_rest(world: World, cloud: Cloud) -> None:
    olds = {"name": "t", "labels": {"a": "1"}, "messageRetentionDuration": "600s"}
    topic = world.make(TOPIC, **olds)
    changed = cloud.update(TOPIC, topic.id, olds, {"name": "t", "labels": {"a": "2"}}, SETTINGS)

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


def test_drift_of_a_given_property_shows_in_the_projected_inputs() -> None:
    token = "gcp:container/nodePool:NodePool"
    olds = {"cluster": "dev", "autoscaling": {"maxNodeCount": 3}, "__defaults": []}
    live = {
        "cluster": "dev",
        "autoscaling": {"maxNodeCount": 9, "totalMaxNodeCount": 0},
        "maxPodsPerNode": 110,
    }

    projected = project_inputs(load_resource_type(token), load_facts(token), olds, live)
    assert projected == {"cluster": "dev", "autoscaling": {"maxNodeCount": 9}, "__defaults": []}


def test_a_property_that_somebody_set_behind_pulumis_back_shows_too() -> None:
    token = "gcp:compute/firewall:Firewall"
    olds = {"network": "vpc", "allows": [{"protocol": "tcp"}]}

    projected = project_inputs(load_resource_type(token), load_facts(token), olds, olds | {"disabled": True})
    assert projected["disabled"] is True


def test_a_thousand_resources_are_created_in_under_five_seconds(cloud: Cloud) -> None:
    started = time.perf_counter()
    for number in range(1000):
        cloud.create(TOPIC, {"name": f"t{number}"}, SETTINGS)

    assert time.perf_counter() - started < 5
