"""Names and labels that the APIs do not take."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table


def require_valid_names(token: str, properties: Mapping[str, Any]) -> None:
    """Raise `ApiError` 400 if a name or a label breaks the rules of the type's API."""
    for name, rule in load_table("names").get(token, {}).items():
        value = properties.get(name)
        if isinstance(value, str) and not re.fullmatch(rule["pattern"], value):
            raise _invalid(f"Invalid value for field '{name}': '{value}'. Must be {rule['says']}.")
    require_valid_labels(properties.get("effectiveLabels") or {})


def require_valid_labels(labels: Mapping[str, str]) -> None:
    """Raise `ApiError` 400 for a label whose key or value Google does not take, or for too many."""
    rules = load_table("names")["labels"]
    if len(labels) > rules["most"]:
        raise _invalid(f"Too many labels: {len(labels)}. At most {rules['most']} are allowed.")
    for key, value in labels.items():
        if not re.fullmatch(rules["key"], key):
            raise _invalid(f"Label key '{key}' does not match '{rules['key']}'.")
        if not re.fullmatch(rules["value"], value):
            raise _invalid(f"Label value '{value}' of '{key}' does not match '{rules['value']}'.")


def _invalid(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, "badRequest")
