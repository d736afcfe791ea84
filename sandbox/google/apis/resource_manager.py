"""cloudresourcemanager.googleapis.com: the project, and what the caller may do in it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.apis.exchange import Call, Route, invalid
from sandbox.google.outputs import project_number

_PERMISSION: Final = re.compile(r"[a-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*){2,3}")
_MOST_PERMISSIONS: Final = 100


def get_project(call: Call) -> Mapping[str, Any]:
    """The project's number, state and parent."""
    return {
        "name": f"projects/{project_number(call.project)}",
        "projectId": call.project,
        "parent": call.settings.parent,
        "state": "ACTIVE" if call.settings.active else "DELETE_REQUESTED",
    }


def check_permissions(call: Call) -> Mapping[str, Any]:
    """Those of the permissions in the body that the caller has."""
    asked = call.body.get("permissions")
    if not isinstance(asked, list) or not 0 < len(asked) <= _MOST_PERMISSIONS:
        raise invalid(f"permissions must list 1 to {_MOST_PERMISSIONS} permissions.")
    if strange := [name for name in asked if not _PERMISSION.fullmatch(str(name))]:
        raise invalid(f"Permission {strange[0]} is not valid.")
    held = [name for name in asked if name not in call.settings.denied_permissions]
    return {"permissions": held} if held else {}


ROUTES: Final = (
    Route(
        "cloudresourcemanager.googleapis.com",
        "GET",
        re.compile(r"/v3/projects/(?P<project>[^/:]+)"),
        get_project,
    ),
    Route(
        "cloudresourcemanager.googleapis.com",
        "POST",
        re.compile(r"/v3/projects/(?P<project>[^/:]+):testIamPermissions"),
        check_permissions,
    ),
)
