"""cloudquotas.googleapis.com: the world's limits as QuotaInfos, and the requests for more."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headroom.catalog.zones import regions
from sandbox.google.apis.exchange import Call, Route
from sandbox.google.outputs import project_number
from sandbox.google.quota_preferences import PREFERENCE
from sandbox.google.quotas import find_limit, known_quotas
from sandbox.google.store import LIVE, WorldObject

_COMPUTE: Final = "compute.googleapis.com"
# What an unlimited quota shows where it does not show -1.
_NO_LIMIT: Final = 2**63 - 1


def list_quota_infos(call: Call) -> Mapping[str, Any]:
    """All quotas of a service, a page at a time."""
    infos = list(_describe_all(call)) if call.names["service"] == _COMPUTE else []
    items, token = call.page(infos)
    return {"quotaInfos": items, "nextPageToken": token}


def _describe_all(call: Call) -> Iterator[dict[str, Any]]:
    limits = call.store.limits(call.project)
    for quota_id, dimensions in known_quotas().items():
        if quota_id in call.settings.unlisted_quotas:
            continue
        parent = f"projects/{project_number(call.project)}/locations/global/services/{_COMPUTE}"
        yield {
            "name": f"{parent}/quotaInfos/{quota_id}",
            "quotaId": quota_id,
            "service": _COMPUTE,
            "containerType": "PROJECT",
            "isPrecise": True,
            "dimensions": dimensions,
            "dimensionsInfos": _describe_limits(quota_id, limits, is_global=not dimensions),
        }


def _describe_limits(quota_id: str, limits: Mapping[str, float], *, is_global: bool) -> list[dict[str, Any]]:
    """The limits of a quota, more specific ones first: those that were set, then the default one."""
    if is_global:
        details = _details(find_limit(limits, f"{quota_id}/global"))
        return [{"details": details, "applicableLocations": ["global"]}]
    rows = []
    for key, value in limits.items():
        own_id, region, *pairs = key.split("/")
        if own_id == quota_id:
            dimensions = {"region": region} | dict(pair.split("=", 1) for pair in pairs)
            rows.append(
                {"dimensions": dimensions, "details": _details(value), "applicableLocations": [region]}
            )
    rows.sort(key=lambda row: -len(row["dimensions"]))
    default = {"details": _details(find_limit({}, quota_id)), "applicableLocations": list(regions())}
    return [*rows, default]


def _details(limit: float) -> dict[str, str]:
    """A limit as the API writes it: protobuf's JSON leaves zero out."""
    value = min(int(limit), _NO_LIMIT)
    return {"value": str(value)} if value else {}


def list_quota_preferences(call: Call) -> Mapping[str, Any]:
    """All requests for quota that the project has, a page at a time."""
    found = [item for item in call.store.objects(PREFERENCE, LIVE) if item.project == call.project]
    items, token = call.page([_describe_preference(call, item) for item in found])
    return {"quotaPreferences": items, "nextPageToken": token}


def _describe_preference(call: Call, item: WorldObject) -> dict[str, Any]:
    """A preference as the API writes it: without the contact, which it only takes."""
    given = item.properties
    parent = f"projects/{project_number(call.project)}/locations/global"
    config = {name: value for name, value in given["quotaConfig"].items() if value not in ("", None)}
    return {
        "name": f"{parent}/quotaPreferences/{given['name']}",
        "quotaConfig": config,
        **{name: given.get(name) for name in ("service", "quotaId", "reconciling")},
        "dimensions": given.get("dimensions") or {},
    }


ROUTES: Final = (
    Route(
        "cloudquotas.googleapis.com",
        "GET",
        re.compile(
            r"/v1/projects/(?P<project>[^/:]+)/locations/global/services/(?P<service>[^/:]+)/quotaInfos"
        ),
        list_quota_infos,
        frozenset({"pageSize", "pageToken"}),
    ),
    Route(
        "cloudquotas.googleapis.com",
        "GET",
        re.compile(r"/v1/projects/(?P<project>[^/:]+)/locations/global/quotaPreferences"),
        list_quota_preferences,
        frozenset({"pageSize", "pageToken"}),
    ),
)
