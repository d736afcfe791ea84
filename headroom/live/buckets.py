"""Cloud Storage: the bucket that holds Pulumi's state."""

from typing import Final

from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError, answers, bounds
from headroom.planning.preflight import StateBucket

NEEDED: Final = (
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)
"""What `pulumi up` does with the bucket."""

_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404


def find_bucket(connection: Connection, name: str) -> StateBucket | None:
    """Return the bucket, or None where there is none of that name. Raises UnansweredError."""
    from google.cloud import storage

    options = {"api_endpoint": connection.endpoint} if connection.endpoint else None
    client = storage.Client(
        project=connection.project, credentials=connection.credentials, client_options=options
    )
    limits = {"timeout": TIMEOUT_S, "retry": bounds()["retry"]}
    try:
        with answers(connection.project):
            held = client.bucket(name).test_iam_permissions(list(NEEDED), **limits)
    except UnansweredError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    missing = tuple(sorted(set(NEEDED) - set(held)))
    try:
        with answers(connection.project):
            bucket = client.get_bucket(name, **limits)
    except UnansweredError as error:
        if error.status == _FORBIDDEN and not error.disabled_api:
            return StateBucket(None, None, None, missing)
        raise
    access = bucket.iam_configuration
    return StateBucket(
        versioned=bool(bucket.versioning_enabled),
        uniform=bool(access.uniform_bucket_level_access_enabled),
        private=access.public_access_prevention == "enforced",
        missing_permissions=missing,
    )
