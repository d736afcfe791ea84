"""What of a log bucket cannot be taken back (https://cloud.google.com/logging/docs/buckets, 2026-11-21)."""

from http import HTTPStatus
from typing import Final

from sandbox.google.errors import ApiError
from sandbox.google.rules import Request, Surroundings
from sandbox.google.store import LIVE

LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"


def require_reversible(request: Request, around: Surroundings) -> None:
    """Raise `ApiError` 400 where a change would unlock a log bucket, alter the retention of a locked one, or
    alter or remove the key that encrypts it."""
    existing = around.store.find(LOG_BUCKET, request.identity) if request.token == LOG_BUCKET else None
    if existing is None or existing.status != LIVE:
        return
    old, new = existing.properties, request.properties
    if old.get("locked") and (not new.get("locked") or new["retentionDays"] != old["retentionDays"]):
        raise _refused(request, "is locked: its retention cannot be changed, and it cannot be unlocked")
    key = (old.get("cmekSettings") or {}).get("kmsKeyName")
    if key and (new.get("cmekSettings") or {}).get("kmsKeyName") != key:
        raise _refused(request, "is encrypted under a key that cannot be changed or removed")


def _refused(request: Request, reason: str) -> ApiError:
    message = f"The bucket '{request.identity}' {reason}."
    return ApiError(HTTPStatus.BAD_REQUEST, message, "failedPrecondition")
