"""orgpolicy.googleapis.com: what holds in a project after all that it inherits."""

import re
from collections.abc import Mapping
from typing import Any, Final

from headroom.planning.org_policies import constraints
from sandbox.google.apis.exchange import Call, Route
from sandbox.google.errors import not_found
from sandbox.google.outputs import project_number


def get_effective_policy(call: Call) -> Mapping[str, Any]:
    """The effective rules of a constraint; Google's own default where nobody set any."""
    name = call.names["constraint"]
    found = next((item for item in constraints() if item.name == name), None)
    if found is None and name not in call.settings.policies:
        raise not_found(f"constraints/{name}")
    is_boolean = found is not None and found.kind == "boolean"
    default = [{"enforce": False}] if is_boolean else [{"allowAll": True}]
    return {
        "name": f"projects/{project_number(call.project)}/policies/{name}",
        "spec": {"rules": call.settings.policies.get(name, default)},
    }


ROUTES: Final = (
    Route(
        "orgpolicy.googleapis.com",
        "GET",
        re.compile(
            r"/v2/projects/(?P<project>[^/:]+)/policies/(?P<constraint>[A-Za-z.]+):getEffectivePolicy"
        ),
        get_effective_policy,
    ),
)
