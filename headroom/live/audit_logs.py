"""Audit logs: who released what, and who approved it (cloud.google.com/deploy/docs/audit-logs, 2026-11)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from headroom.delivery.approvals import Act
from headroom.live.connection import Connection, UnansweredError
from headroom.live.rest import search

_HOST: Final = "logging.googleapis.com"
_PAGE: Final = 1_000
_SERVICE: Final = "google.cloud.deploy.v1.CloudDeploy"
_KINDS: Final = {f"{_SERVICE}.CreateRelease": "release", f"{_SERVICE}.ApproveRollout": "approve"}


def list_acts(connection: Connection, pipeline: str, since: datetime, release: str = "") -> tuple[Act, ...]:
    """Return who released and who approved on a delivery pipeline since a moment, oldest first.

    `release` leaves out the other releases. What was refused or rejected is none. Raises UnansweredError.
    """
    place = f"/{pipeline.split('/', 2)[2]}"
    methods = " OR ".join(f'"{method}"' for method in _KINDS)
    named = f' AND "{release}"' if release else ""
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{connection.project}"],
        "filter": f'LOG_ID("cloudaudit.googleapis.com/activity") AND '
        f'protoPayload.serviceName="clouddeploy.googleapis.com" AND protoPayload.methodName=({methods}) AND '
        f'protoPayload.resourceName:"{place}" AND timestamp>="{since:%Y-%m-%dT%H:%M:%SZ}"{named}',
        "orderBy": "timestamp asc",
        "pageSize": _PAGE,
    }
    acts = (_read(entry, place) for entry in _list(connection, body))
    return tuple(act for act in acts if act is not None and release in ("", act.release))


def _list(connection: Connection, body: dict[str, Any]) -> Iterator[Any]:
    while True:
        answer = search(connection, f"{connection.url(_HOST)}/v2/entries:list", body)
        entries, token = answer.get("entries", []), answer.get("nextPageToken", "")
        if not isinstance(entries, list):
            raise UnansweredError("the answer is none of Cloud Logging: is a proxy in between?")
        yield from entries
        if not token:
            return
        if token == body.get("pageToken"):
            raise UnansweredError("Cloud Logging gives the same entries again and again")
        body = body | {"pageToken": token}


def _read(entry: Any, place: str) -> Act | None:
    """Return what an entry says; None where nothing was done, or on another pipeline."""
    try:
        payload = entry["protoPayload"]
        kind, resource = _KINDS[payload["methodName"]], payload.get("resourceName", "")
        asked = payload.get("request", {})
        if int(payload.get("status", {}).get("code", 0)) or f"{place}/" not in f"{resource}/":
            return None
        # The JSON of a request leaves out what is false, so that a rejection does not say `approved`.
        if kind == "approve" and asked and asked.get("approved") is not True:
            return None
        below = resource.partition(f"{place}/releases/")[2].split("/")
        return Act(
            kind=kind,
            release=below[0] or str(asked.get("releaseId", "")),
            rollout=below[2] if len(below) > 2 else "",
            who=str(payload.get("authenticationInfo", {}).get("principalEmail", "")).lower(),
            when=str(entry.get("timestamp", "")),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UnansweredError("an entry of the audit logs is none of Cloud Deploy's") from None
