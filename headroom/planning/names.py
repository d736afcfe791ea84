"""Names of cloud resources, and the hash that tells one shape of a pool from another."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

from headroom.spec import forms
from headroom.spec.errors import Problem

_ENVIRONMENT = re.compile(forms.STACK)


def check_environment(name: str) -> list[Problem]:
    """Return a problem where a stack's name cannot be the first part of its resources' names."""
    if _ENVIRONMENT.fullmatch(name):
        return []
    return [
        Problem(
            "",
            "the stack's name begins the names of its resources, so it has at most 20 lower-case letters, "
            "digits and hyphens, a letter first; choose another with `pulumi stack init`",
        )
    ]


def state_bucket(project: str) -> str:
    """Return the name of the bucket in which a project's state is kept."""
    return f"{project}-pulumi-state"


def shape_hash(shape: Mapping[str, object]) -> str:
    """Return six characters that change whenever the immutable `shape` of a pool does.

    A pool whose shape changes gets another name, so that the new one comes up before the old one goes:
    the provider deletes first when the name stays the same. What is empty, zero or False does not count, so
    that an option which a later release adds renames nobody's pools.
    """
    return sha256(json.dumps(_without_defaults(shape), sort_keys=True).encode()).hexdigest()[:6]


def _without_defaults(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _without_defaults(child) for key, child in value.items() if child}
    return [_without_defaults(child) for child in value] if isinstance(value, list | tuple) else value
