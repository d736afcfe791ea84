"""storage.googleapis.com: buckets of the world, as metadata only; storage_objects.py has what is in them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.apis.admin import BUCKET, load_settings
from sandbox.google.apis.exchange import Call, Route, denied, invalid
from sandbox.google.errors import ApiError
from sandbox.google.store import LIVE, WorldObject

API: Final = "storage.googleapis.com"
_NOT_FOUND: Final = 404


def get_bucket(call: Call) -> Mapping[str, Any]:
    """A bucket's metadata."""
    bucket = find_bucket(call)
    if "storage.buckets.get" in load_settings(call.store, bucket.project).denied_permissions:
        raise denied("storage.buckets.get", f"//storage.googleapis.com/projects/_/buckets/{bucket.id}")
    versioning = bucket.properties.get("versioning") or {}
    return {
        "kind": "storage#bucket",
        "id": bucket.id,
        "name": bucket.id,
        "versioning": {"enabled": bool(versioning.get("enabled"))},
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": bool(bucket.properties.get("uniformBucketLevelAccess"))},
            "publicAccessPrevention": bucket.properties.get("publicAccessPrevention") or "inherited",
        },
    }


def check_permissions(call: Call) -> Mapping[str, Any]:
    """Those of the permissions in the query that the caller has on the bucket."""
    bucket = find_bucket(call)
    asked = call.values("permissions")
    if not asked or any(not name.startswith("storage.") for name in asked):
        raise invalid("permissions must name permissions of storage.")
    denied = load_settings(call.store, bucket.project).denied_permissions
    held = [name for name in asked if name not in denied]
    body = {"kind": "storage#testIamPermissionsResponse"}
    return body | ({"permissions": held} if held else {})


def find_bucket(call: Call) -> WorldObject:
    """The bucket that the path names. Raises `ApiError` 404 where there is none."""
    bucket = call.store.find(BUCKET, call.names["bucket"])
    if bucket is None or bucket.status != LIVE:
        raise ApiError(_NOT_FOUND, "The specified bucket does not exist.", "notFound")
    return bucket


ROUTES: Final = (
    Route(
        API,
        "GET",
        re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)"),
        get_bucket,
        frozenset({"projection"}),
    ),
    Route(
        API,
        "GET",
        re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)/iam/testPermissions"),
        check_permissions,
        frozenset({"permissions"}),
    ),
)
