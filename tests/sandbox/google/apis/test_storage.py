"""Buckets that the program makes are the buckets that the API shows."""

from sandbox.google.apis.server import answer
from sandbox.google.cloud import Cloud
from tests.sandbox.google.conftest import World

BUCKET = "gcp:storage/bucket:Bucket"


def test_a_bucket_that_the_provider_made_shows_what_it_was_made_with(empty_cloud: Cloud) -> None:
    World(empty_cloud).make(
        BUCKET,
        name="acme-ml-test-pulumi-state",
        location="us-central1",
        versioning={"enabled": True},
        uniformBucketLevelAccess=True,
        publicAccessPrevention="enforced",
    )
    status, body = answer(empty_cloud.store, "GET", "/storage/v1/b/acme-ml-test-pulumi-state", {}, b"")
    assert status == 200
    assert body["versioning"] == {"enabled": True}
    assert body["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    }


def test_a_bucket_that_says_nothing_of_its_access_is_open_to_the_organizations_choice(
    empty_cloud: Cloud,
) -> None:
    World(empty_cloud).make(BUCKET, name="plain", location="us-central1")
    _, body = answer(empty_cloud.store, "GET", "/storage/v1/b/plain", {}, b"")
    assert body["versioning"] == {"enabled": False}
    assert body["iamConfiguration"]["publicAccessPrevention"] == "inherited"


def test_a_bucket_that_nobody_made_is_not_found(empty_cloud: Cloud) -> None:
    status, _ = answer(empty_cloud.store, "GET", "/storage/v1/b/nothing/iam/testPermissions", {}, b"")
    assert status == 404
