"""What an API server or the provider answers instead of an object."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.validation import Problem


class ApiError(Exception):
    """An error that an API server answered: HTTP code, reason (`NotFound`, `Conflict`, ...) and message."""

    def __init__(self, code: int, reason: str, message: str, about: str = "") -> None:
        self.code = code
        self.reason = reason
        # The plural of the kind of what the error is about, where the server says it.
        self.about = about
        super().__init__(message)


class NoMatchError(Exception):
    """The API server serves no such kind."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')


class UnreachableError(Exception):
    """The API server does not answer; the text says which, why, and what to do."""


class RefusedError(Exception):
    """The provider itself refuses, before or after it asks the API server."""


class PartialError(Exception):
    """Something was done, and not all: the object as it is now, and the reasons why it is not done."""

    def __init__(self, message: str, live: Mapping[str, Any], reasons: Sequence[str] = ()) -> None:
        self.message = message
        self.live = live
        self.reasons = tuple(reasons)
        super().__init__(message)


def not_found(kind: Kind, name: str) -> ApiError:
    """404: there is no object of this name."""
    return ApiError(
        HTTPStatus.NOT_FOUND, "NotFound", f'{_resource(kind)} "{name}" not found', about=kind.plural
    )


def already_exists(kind: Kind, name: str) -> ApiError:
    """409: there is an object of this name already."""
    return ApiError(
        HTTPStatus.CONFLICT, "AlreadyExists", f'{_resource(kind)} "{name}" already exists', about=kind.plural
    )


def invalid(kind: Kind, name: str, problems: Sequence[Problem]) -> ApiError:
    """422: the object is not sound, for these reasons."""
    reasons = [f"{each.path}: {each.reason}" for each in problems]
    text = reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]"
    resource = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", f'{resource} "{name}" is invalid: {text}')


def conflict(owners: Mapping[str, Sequence[str]], api_version: str) -> ApiError:
    """409: other managers own fields of the apply; `owners` has the fields of each."""
    count = sum(len(fields) for fields in owners.values())
    parts = [
        f'conflict with "{manager}" using {api_version}: {", ".join(fields)}'
        for manager, fields in sorted(owners.items())
    ]
    text = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: {'; '.join(parts)}"
    return ApiError(HTTPStatus.CONFLICT, "Conflict", text)


def _resource(kind: Kind) -> str:
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural
