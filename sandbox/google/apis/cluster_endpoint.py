"""The DNS endpoints of the world's clusters: lists of what is recorded of each, as its API server has them.

There are no nodes and no pods, and of Kueue's objects only what was asked for: nothing runs.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.apis.container import API, CLUSTER
from sandbox.google.apis.exchange import Call, Route, invalid
from sandbox.google.errors import ApiError
from sandbox.google.store import LIVE, WorldObject
from sandbox.kubernetes.kinds import load_kinds
from sandbox.kubernetes.listing import list_objects


def list_kind(call: Call) -> Mapping[str, Any]:
    """Objects of a kind, of all namespaces, a page at a time."""
    group, plural = call.names.get("group") or "", call.names["plural"]
    version = f"{group}/{call.names['version']}" if group else call.names["version"]
    kind = next(
        (each for each in load_kinds().values() if (each.api_version, each.plural) == (version, plural)), None
    )
    if kind is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "the server could not find the requested resource", "NotFound")
    cluster = _find(call)
    found = list_objects(call.store.path, f"{cluster.id}#{cluster.sequence}")
    items = [each.content for each in found if each.type == f"{version}/{kind.name}"]
    items.sort(key=lambda item: (item["metadata"].get("namespace", ""), item["metadata"]["name"]))
    page, token = _page(call, items)
    return {"kind": f"{kind.name}List", "apiVersion": version, "metadata": {"continue": token}, "items": page}


def _page(call: Call, items: list[Any]) -> tuple[list[Any], str]:
    size, start = (call.query.get(name, ["0"])[-1] for name in ("limit", "continue"))
    if not (size.isdecimal() and start.isdecimal()):
        raise invalid("limit and continue must be what was given")
    end = int(start) + (int(size) or len(items))
    return items[int(start) : end], str(end) if end < len(items) else ""


def _find(call: Call) -> WorldObject:
    for each in call.store.objects(CLUSTER, LIVE):
        endpoints = each.properties.get("controlPlaneEndpointsConfig") or {}
        if (endpoints.get("dnsEndpointConfig") or {}).get("endpoint") == call.names["endpoint"]:
            return each
    raise ApiError(HTTPStatus.NOT_FOUND, "no cluster has this endpoint", "NotFound")


_ENDPOINT: Final = r"/(?P<endpoint>gke-[0-9a-z-]+(?:\.[0-9a-z-]+)?\.gke\.goog)"
_ASKED: Final = frozenset({"continue", "fieldSelector", "limit"})
ROUTES: Final = (
    Route(API, "GET", re.compile(_ENDPOINT + "/api/(?P<version>v1)/(?P<plural>[a-z]+)"), list_kind, _ASKED),
    Route(
        API,
        "GET",
        re.compile(_ENDPOINT + "/apis/(?P<group>[a-z0-9.-]+)/(?P<version>[a-z0-9]+)/(?P<plural>[a-z]+)"),
        list_kind,
        _ASKED,
    ),
)
