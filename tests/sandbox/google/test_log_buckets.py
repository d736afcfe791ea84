"""Log buckets, views and sinks behave as Google's do, where it matters to a program."""

from typing import Any

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from sandbox.google.store import LIVE, SOFT_DELETED, WorldObject
from tests.sandbox.google.conftest import SETTINGS, Engine, World

BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
VIEW = "gcp:logging/logView:LogView"
BINDING = "gcp:logging/logViewIamBinding:LogViewIamBinding"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"
PLACE: dict[str, Any] = {"project": "acme-dev", "location": "us-central1"}


def bucket(world: World, name: str = "logs", **inputs: Any) -> WorldObject:
    return world.make(BUCKET, **PLACE, bucketId=name, **inputs)


def change(cloud: Cloud, item: WorldObject, olds: dict[str, Any], news: dict[str, Any]) -> WorldObject:
    given = {**PLACE, "bucketId": "logs"}
    return cloud.update(BUCKET, item.id, given | olds, given | news, SETTINGS)


def test_a_bucket_that_was_abandoned_is_adopted_and_one_that_is_being_deleted_is_not(
    world: World, cloud: Cloud
) -> None:
    kept, gone = bucket(world, "kept", deletionPolicy="ABANDON"), bucket(world, "gone")
    for item in (kept, gone):
        cloud.delete(BUCKET, item.id)
    assert [item.status for item in cloud.store.objects(BUCKET)] == [LIVE, SOFT_DELETED]
    adopted = bucket(world, "kept", retentionDays=90)
    assert (adopted.id, adopted.properties["retentionDays"]) == (kept.id, 90)
    with pytest.raises(ApiError, match="409"):
        bucket(world, "gone")


@pytest.mark.parametrize(
    "news",
    [{"locked": True, "retentionDays": 30}, {"locked": True, "retentionDays": 91}, {"retentionDays": 90}],
)
def test_a_locked_bucket_keeps_its_retention_and_its_lock(
    world: World, cloud: Cloud, news: dict[str, Any]
) -> None:
    locked: dict[str, Any] = {"locked": True, "retentionDays": 90}
    item = bucket(world, **locked)
    with pytest.raises(ApiError, match=r"Error 400: .* is locked"):
        change(cloud, item, locked, news)
    described = change(cloud, item, locked, locked | {"description": "kept"})
    assert described.properties["description"] == "kept"


def test_an_open_bucket_can_be_kept_longer_and_locked(world: World, cloud: Cloud) -> None:
    item = bucket(world, retentionDays=30)
    changed = change(cloud, item, {"retentionDays": 30}, {"retentionDays": 90, "locked": True})
    assert changed.properties["retentionDays"] == 90


def test_the_key_of_a_bucket_cannot_be_taken_away(world: World, cloud: Cloud) -> None:
    ring = world.make("gcp:kms/keyRing:KeyRing", name="ring", location="us-central1")
    key = world.make("gcp:kms/cryptoKey:CryptoKey", name="logs", keyRing=ring.id)
    settings: dict[str, Any] = {"cmekSettings": {"kmsKeyName": key.id}}
    with pytest.raises(ApiError, match=r"denied on resource .*gcp-sa-logging"):
        bucket(world, **settings)
    world.make(
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        cryptoKeyId=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=f"serviceAccount:{agent(cloud)}",
    )
    item = bucket(world, **settings)
    with pytest.raises(ApiError, match="cannot be changed or removed"):
        change(cloud, item, settings, {})


def agent(cloud: Cloud) -> str:
    from sandbox.google.invoke import answer

    token = "gcp:logging/getProjectCmekSettings:getProjectCmekSettings"
    return answer(token, {"project": "acme-dev"}, SETTINGS)["serviceAccountId"]


@pytest.mark.parametrize(
    ("filter_", "is_taken"),
    [
        ('SOURCE("projects/acme-dev")', True),
        ('resource.type = "k8s_container" AND NOT LOG_ID("stdout")', True),
        ('resource.labels.namespace_name="feed"', False),
        ('LOG_ID("stdout") OR LOG_ID("stderr")', False),
    ],
)
def test_a_view_tells_entries_apart_by_source_type_and_log_alone(
    world: World, filter_: str, is_taken: bool
) -> None:
    bucket(world)
    inputs: dict[str, Any] = {
        "parent": "projects/acme-dev",
        "location": "us-central1",
        "bucket": "logs",
        "name": "v",
    }
    if is_taken:
        assert world.make(VIEW, filter=filter_, **inputs).id.endswith("/buckets/logs/views/v")
        return
    with pytest.raises(ApiError, match="a conjunction of SOURCE"):
        world.make(VIEW, filter=filter_, **inputs)


def test_a_view_needs_its_bucket_and_a_binding_its_view(world: World) -> None:
    place: dict[str, Any] = {"parent": "projects/acme-dev", "location": "us-central1", "bucket": "logs"}
    access: dict[str, Any] = place | {"role": "roles/logging.viewAccessor", "members": ["group:ads@acme.dev"]}
    with pytest.raises(ApiError, match=r"404: Bucket .*/buckets/logs does not exist"):
        world.make(VIEW, name="v", **place)
    item = bucket(world)
    view = world.make(VIEW, name="v", bucket=item.id)
    with pytest.raises(ApiError, match=r"404: View .*/views/w does not exist"):
        world.make(BINDING, name="w", **access)
    for name in ("v", view.id):
        assert world.make(BINDING, name=name, **access).id == f"{view.id}/roles/logging.viewAccessor"


def test_a_bucket_has_at_most_30_views(world: World) -> None:
    item = bucket(world)
    for number in range(30):
        world.make(VIEW, name=f"v{number}", bucket=item.id)
    with pytest.raises(ApiError, match="429: The limit of 30 LogView for each parent"):
        world.make(VIEW, name="v30", bucket=item.id)
    world.make(VIEW, name="v0", bucket=bucket(world, "other").id)


def test_a_project_has_at_most_100_log_buckets_those_included_that_are_being_deleted(
    world: World, cloud: Cloud
) -> None:
    for number in range(98):
        item = bucket(world, f"b{number}")
    with pytest.raises(ApiError, match="429: The limit of 100 ProjectBucketConfig for each project"):
        bucket(world, "one-more")
    cloud.delete(BUCKET, item.id)
    with pytest.raises(ApiError, match="429"):
        bucket(world, "one-more")
    world.make(BUCKET, project="acme-prod", location="us-central1", bucketId="elsewhere")


def test_a_project_leaves_at_most_10_kinds_of_entries_out_of_default(world: World) -> None:
    for number in range(10):
        world.make(EXCLUSION, name=f"e{number}", filter="severity=DEBUG")
    with pytest.raises(ApiError, match="429"):
        world.make(EXCLUSION, name="e10", filter="severity=DEBUG")


def test_a_filter_is_taken_up_to_20000_characters(world: World) -> None:
    inputs: dict[str, Any] = {"destination": "storage.googleapis.com/acme"}
    world.make(SINK, name="long", filter="a" * 20_000, **inputs)
    with pytest.raises(ApiError, match="at most 20,000 characters"):
        world.make(SINK, name="longer", filter="a" * 20_001, **inputs)


def test_a_sink_that_is_there_is_adopted(world: World) -> None:
    inputs: dict[str, Any] = {"name": "_Default", "destination": "storage.googleapis.com/acme"}
    first = world.make(SINK, **inputs)
    assert world.make(SINK, **inputs, filter="severity>=ERROR").id == first.id


def test_the_account_of_a_sink_can_be_granted_its_destination(world: World) -> None:
    target = world.make("gcp:storage/bucket:Bucket", name="acme-archive", location="US")
    sink = world.make(SINK, name="archive", destination="storage.googleapis.com/acme-archive")
    world.make(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        bucket=target.id,
        role="roles/storage.objectCreator",
        member=sink.properties["writerIdentity"],
    )


def test_a_view_keeps_its_place_where_only_its_bucket_was_named(engine: Engine) -> None:
    made, _ = engine.check(BUCKET, {**PLACE, "bucketId": "logs"})
    identity, _ = engine.create(BUCKET, made)
    inputs, failures = engine.check(VIEW, {"name": "v", "bucket": identity})
    assert failures == {}
    view, state = engine.create(VIEW, inputs)
    assert view == f"{identity}/views/v"
    assert (state["parent"], state["location"]) == ("projects/acme-dev", "us-central1")
    assert not engine.diff(VIEW, state, inputs, inputs).replaces
