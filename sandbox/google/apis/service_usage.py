"""serviceusage.googleapis.com: which APIs are enabled."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.apis.exchange import Call, Route, invalid
from sandbox.google.delays import read_pace
from sandbox.google.outputs import project_number
from sandbox.google.rules import Surroundings
from sandbox.google.services import is_enabled

# Source: cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet, 2026-11-21.
_MOST_NAMES: Final = 30


def batch_get_services(call: Call) -> Mapping[str, Any]:
    """The state of each service that the query names."""
    names = call.values("names")
    if not 0 < len(names) <= _MOST_NAMES:
        raise invalid(f"names must have 1 to {_MOST_NAMES} values.")
    around = Surroundings(call.store, read_pace(call.store).lag)
    services = []
    for name in names:
        parent, _, api = name.rpartition("/services/")
        if parent != f"projects/{call.project}":
            raise invalid(f"{name} is not a service of projects/{call.project}.")
        enabled = is_enabled(api, call.project, call.moment, around)
        services.append(
            {
                "name": f"projects/{project_number(call.project)}/services/{api}",
                "parent": f"projects/{project_number(call.project)}",
                "state": "ENABLED" if enabled else "DISABLED",
            }
        )
    return {"services": services}


ROUTES: Final = (
    Route(
        "serviceusage.googleapis.com",
        "GET",
        re.compile(r"/v1/projects/(?P<project>[^/:]+)/services:batchGet"),
        batch_get_services,
        frozenset({"names"}),
    ),
)
