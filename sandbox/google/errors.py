"""The errors that Google's APIs answer with, in the words of the official provider."""

from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """An error that an API answered: the HTTP code, the message and Google's reason."""

    def __init__(self, code: int, message: str, reason: str) -> None:
        self.code = code
        self.message = message
        self.reason = reason
        super().__init__(f"googleapi: Error {code}: {message}, {reason}")


class RefusedError(Exception):
    """The official provider itself refuses, before it calls an API."""


class AnswerLostError(Exception):
    """The API did what it was asked, and its answer never came."""


class HalfDoneError(Exception):
    """The official provider stopped waiting for Google, and keeps the resource as far as it knows it."""

    def __init__(self, identity: str, known: dict[str, Any], reason: str) -> None:
        self.identity = identity
        self.known = known
        super().__init__(reason)


def already_exists(token: str, identity: str) -> ApiError | RefusedError:
    """Something of this name is there: 409, but for node pools, which the provider looks for beforehand."""
    if token == "gcp:container/nodePool:NodePool":  # noqa: S105 (a type token)
        return RefusedError(f"resource - {identity} - already exists")
    return ApiError(HTTPStatus.CONFLICT, f"Resource '{identity}' already exists.", "alreadyExists")


def not_found(identity: str) -> ApiError:
    """404: what is referred to is not there."""
    return ApiError(HTTPStatus.NOT_FOUND, f"The resource '{identity}' was not found", "notFound")
