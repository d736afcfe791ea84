"""Secrets: a reference into Secret Manager, or a value that Pulumi has encrypted; never plain text."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

# GKE takes the number of the project, not its id.
_REFERENCE = re.compile(r"projects/[0-9]{6,20}/secrets/[A-Za-z0-9_-]{1,255}/versions/([0-9]+|latest)")


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A value that Pulumi has encrypted in the stack file: it is there, and only Pulumi can read it."""


def _parse_reference(value: object) -> str:
    if isinstance(value, Encrypted):
        return "(encrypted)"
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise ValueError(
            "must be a reference, projects/PROJECT_NUMBER/secrets/NAME/versions/VERSION, or a value set with "
            "`pulumi config set --secret`; never the secret itself"
        )
    return value


SecretReference = Annotated[
    SecretStr, BeforeValidator(_parse_reference, json_schema_input_type=str | dict[str, str])
]
"""The full name of a version of a secret in Secret Manager. Printed as `**********`."""
