"""Names of cloud resources, and the hash that tells one shape of a pool from another."""

import re
from hashlib import sha256

from headroom.spec.errors import Problem

_ENVIRONMENT = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


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


def shape_hash(*immutable: object) -> str:
    """Return six characters that change whenever one of the `immutable` values does.

    A pool whose shape changes gets another name, so that the new one comes up before the old one goes:
    the provider deletes first when the name stays the same.
    """
    return sha256(repr(immutable).encode()).hexdigest()[:6]
