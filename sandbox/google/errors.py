"""The errors that Google's APIs answer with, in the words of the official provider."""

from http import HTTPStatus


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


def already_exists(identity: str) -> ApiError:
    """409: something of this name is there."""
    return ApiError(HTTPStatus.CONFLICT, f"Resource '{identity}' already exists.", "alreadyExists")


def not_found(identity: str) -> ApiError:
    """404: what is referred to is not there."""
    return ApiError(HTTPStatus.NOT_FOUND, f"The resource '{identity}' was not found", "notFound")
