"""cloudquotas.googleapis.com: the world's limits as QuotaInfos."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headroom.catalog.facts import load_facts
from headroom.catalog.zones import regions
from sandbox.google.apis.exchange import Call, Route
from sandbox.google.outputs import project_number
from sandbox.google.quotas import find_limit

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


def known_quotas() -> dict[str, list[str]]:
    """The dimensions of every quota that the catalog knows, by its id; those of the project have none."""
    found: dict[str, list[str]] = {}
    for group in load_facts("quotas"):
        for row in (row for table in ("quotas", "disks", "local_ssds") for row in group.get(table, ())):
            own = [pair.split("=")[0] for pair in row.get("dimensions", "").split()]
            own += [row["series"]] if "series" in row else []
            found[row["quota"]] = [] if row.get("scope") == "global" else ["region", *own]
    return dict(sorted(found.items()))


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
)
