"""What is deleted is gone, left over, or kept for some days under its name."""

import time

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError, RefusedError
from sandbox.google.store import LEFT_OVER, SOFT_DELETED
from tests.sandbox.google.conftest import World

CLUSTER = "gcp:container/cluster:Cluster"
TOPIC = "gcp:pubsub/topic:Topic"
RING = "gcp:kms/keyRing:KeyRing"
LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
POOL_ID = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
BINDING = "gcp:projects/iAMMember:IAMMember"


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

    assert cloud.read(service, item.id) is not None
    assert world.make(service, service="container.googleapis.com", disableOnDestroy=False).id == item.id


def test_a_node_pool_that_is_there_is_refused_before_google_is_asked(world: World) -> None:
    world.make("gcp:container/nodePool:NodePool", cluster="dev", name="l4")

    with pytest.raises(RefusedError) as error:
        world.make("gcp:container/nodePool:NodePool", cluster="dev", name="l4")
    pool = "projects/acme-dev/locations/us-central1/clusters/dev/nodePools/l4"
    assert str(error.value) == f"resource - {pool} - already exists"


def test_a_protected_cluster_refuses_to_go_in_the_providers_words(world: World, cloud: Cloud) -> None:
    protected = world.make(CLUSTER, name="prod")
    open_to_go = world.make(CLUSTER, name="test", deletionProtection=False)

    with pytest.raises(RefusedError, match="deletion_protection is set to true"):
        cloud.delete(CLUSTER, protected.id)
    cloud.delete(CLUSTER, open_to_go.id)
    assert cloud.read(CLUSTER, open_to_go.id) is None
    assert cloud.read(CLUSTER, protected.id) is not None


def test_a_deletion_policy_prevents_or_abandons(world: World, cloud: Cloud) -> None:
    prevented = world.make(TOPIC, name="kept", deletionPolicy="PREVENT")
    abandoned = world.make(TOPIC, name="left", deletionPolicy="ABANDON")

    with pytest.raises(RefusedError, match="deletion_policy"):
        cloud.delete(TOPIC, prevented.id)
    cloud.delete(TOPIC, abandoned.id)
    assert len(cloud.store.objects(TOPIC)) == 2


def test_a_service_is_disabled_only_where_the_program_says_so(world: World, cloud: Cloud) -> None:
    service = "gcp:projects/service:Service"
    item = world.make(service, service="container.googleapis.com", disableOnDestroy=True)
    cloud.delete(service, item.id)

    assert cloud.read(service, item.id) is None
