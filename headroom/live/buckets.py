"""Cloud Storage: the bucket that holds Pulumi's state."""

from typing import Final

from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError, answers, bounds
from headroom.planning.preflight import StateBucket

NEEDED: Final = (
    "storage.buckets.get",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)
"""What `pulumi up` does with the bucket."""

_NOT_FOUND: Final = 404


def find_bucket(connection: Connection, name: str) -> StateBucket | None:
    """Return the bucket, or None where there is none of that name. Raises UnansweredError."""
    from google.cloud import storage

    options = {"api_endpoint": connection.endpoint} if connection.endpoint else None
    retry = bounds()["retry"]
    try:
        with answers(connection.project):
            client = storage.Client(
                project=connection.project, credentials=connection.credentials, client_options=options
            )
            bucket = client.get_bucket(name, timeout=TIMEOUT_S, retry=retry)
            held = bucket.test_iam_permissions(list(NEEDED), timeout=TIMEOUT_S, retry=retry)
    except UnansweredError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    access = bucket.iam_configuration
    return StateBucket(
        name=name,
        versioned=bool(bucket.versioning_enabled),
        uniform=bool(access.uniform_bucket_level_access_enabled),
        private=access.public_access_prevention == "enforced",
        missing_permissions=tuple(sorted(set(NEEDED) - set(held))),
    )
