"""One request to an API and its answer, in the shapes that all of Google's REST APIs share."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.apis.admin import ProjectSettings, load_settings
from sandbox.google.errors import ApiError
from sandbox.google.store import Store

# Query parameters that every API takes (cloud.google.com/apis/docs/system-parameters, 2026-11-21).
SYSTEM_PARAMETERS: Final = frozenset({"$alt", "alt", "prettyPrint", "$prettyPrint", "fields", "quotaUser"})
LARGEST_PAGE: Final = 20

_STATUS: Final = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED"}


@dataclass(frozen=True)
class Call:
    """A request: what the path names, the query, the body, and the world it meets at `moment`."""

    names: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: Mapping[str, Any]
    store: Store
    moment: float
    content: bytes = b""
    """The body as it came."""
    content_type: str = ""

    @staticmethod
    def parse(body: bytes) -> Mapping[str, Any]:
        """What a body says in JSON, nothing where it is empty. Raises `ApiError` 400 for anything else."""
        try:
            value = json.loads(body) if body else {}
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise invalid("Invalid JSON payload received.")
        return value

    @property
    def project(self) -> str:
        """The project that the path names."""
        return self.names["project"]

    @property
    def settings(self) -> ProjectSettings:
        """How the admins of the project have set it up."""
        return load_settings(self.store, self.project)

    def values(self, name: str) -> list[str]:
        """What the query says under a name, each value once, in order."""
        return list(dict.fromkeys(self.query.get(name, ())))

    def page(self, items: Sequence[Any], size_name: str = "pageSize") -> tuple[list[Any], str]:
        """The page of `items` that the query asks for, and the token of the next one, empty for the last.

        Raises `ApiError` 400 for a size or token that is none.
        """
        start = _read_token(self.query.get("pageToken", [""])[-1], len(items))
        text = self.query.get(size_name, ["0"])[-1]
        if not text.isdecimal():
            raise invalid(f"{size_name} must be a whole number of 0 or more.")
        end = start + min(int(text) or LARGEST_PAGE, LARGEST_PAGE)
        return list(items[start:end]), _write_token(end) if end < len(items) else ""


@dataclass(frozen=True)
class Route:
    """A method of an API: `path` is a pattern with named groups, `parameters` what its query may say.

    `api` must be enabled in the project that the request is counted against.
    """

    api: str
    method: str
    path: re.Pattern[str]
    answer: Callable[[Call], Mapping[str, Any] | bytes]
    parameters: frozenset[str] = frozenset()


def invalid(message: str) -> ApiError:
    """400: the request is malformed."""
    return ApiError(HTTPStatus.BAD_REQUEST, message, "badRequest")


def denied(permission: str, resource: str) -> ApiError:
    """403: not allowed, or not there; Google does not say which."""
    message = f"Permission '{permission}' denied on resource '{resource}' (or it may not exist)."
    return ApiError(HTTPStatus.FORBIDDEN, message, "IAM_PERMISSION_DENIED")


def describe_error(error: ApiError, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The body of an answer that refuses, with Google's reason and what it is about."""
    details = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.reason,
        "domain": "googleapis.com",
        "metadata": dict(metadata),
    }
    return {
        "error": {
            "code": int(error.code),
            "message": error.message,
            "status": _STATUS.get(int(error.code), "UNKNOWN"),
            "errors": [{"message": error.message, "domain": "global", "reason": error.reason}],
            "details": [details],
        }
    }


def _write_token(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def _read_token(token: str, count: int) -> int:
    if not token:
        return 0
    try:
        offset = json.loads(base64.urlsafe_b64decode(token))["offset"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        offset = -1
    if not isinstance(offset, int) or not 0 <= offset < count:
        raise invalid("The page token is invalid.")
    return offset
