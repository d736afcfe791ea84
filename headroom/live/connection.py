"""How Google's APIs are reached: with whose credentials, where, and what a failure means.

Every client speaks REST, so that the imitation of Google Cloud can stand in for any of them.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

ENDPOINT_VARIABLE: Final = "HEADROOM_GOOGLE_ENDPOINT"
"""Names the base URL of an imitation on this machine, which is asked without credentials."""

TIMEOUT_S: Final = 15.0
"""How long one request may take."""

_RETRY_S: Final = 20.0
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_TRANSIENT: Final = (429, 503)


class UnansweredError(Exception):
    """A question that Google did not answer; the message says why.

    `remedy` is a command that may mend it, `status` the HTTP status if there was an answer at all, and
    `disabled_api` the API that is not enabled, where that is the cause.
    """

    def __init__(
        self, cause: str, *, remedy: str = "", status: int | None = None, disabled_api: str = ""
    ) -> None:
        super().__init__(cause)
        self.remedy = remedy
        self.status = status
        self.disabled_api = disabled_api

    @property
    def is_refusal(self) -> bool:
        """Whether Google said no, so that it is known that nothing was changed."""
        return self.status is not None and 400 <= self.status < 429 and not self.disabled_api


class EndpointError(ValueError):
    """The environment names an endpoint that is none."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Credentials, and the project that requests are counted against."""

    project: str
    credentials: Any
    principal: str
    """As IAM names it, such as `user:ada@acme.example`; or a shell expression that says it."""
    endpoint: str | None

    def client(self, kind: type[Any]) -> Any:
        """Return a client of one of Google's generated libraries."""
        options = {"api_endpoint": self.endpoint} if self.endpoint else {}
        return kind(credentials=self.credentials, transport="rest", client_options=options)

    def session(self) -> Any:
        """Return an HTTP session for APIs that have no library of their own."""
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self.credentials)

    def url(self, host: str) -> str:
        """Return the base URL under which `host` (such as `cloudidentity.googleapis.com`) is asked."""
        return self.endpoint or f"https://{host}"


def connect(project: str) -> Connection:
    """Return a connection with the application default credentials, which are tried out.

    Raises UnansweredError where there are none or they are not accepted, and EndpointError where
    `HEADROOM_GOOGLE_ENDPOINT` is not the URL of something on this machine.
    """
    if endpoint := os.environ.get(ENDPOINT_VARIABLE):
        from google.auth.credentials import AnonymousCredentials

        return Connection(
            project, AnonymousCredentials(), "user:somebody@acme.example", _require_local(endpoint)
        )
    import google.auth
    from google.auth.transport.requests import Request

    with answers(project, remedy="gcloud auth application-default login"):
        credentials, _ = google.auth.default(scopes=_SCOPES, quota_project_id=project)
        credentials.refresh(partial(Request(), timeout=TIMEOUT_S))
    return Connection(project, credentials, _principal(credentials), None)


@contextmanager
def answers(project: str, remedy: str = "") -> Generator[None]:
    """Turn every failure of a request inside into an UnansweredError with its cause and remedy."""
    try:
        yield
    except Exception as error:
        found = _explain_api(error, project) or _explain_auth(error, remedy) or _explain_transport(error)
        if found is None:
            raise
        raise found from None


def bounds() -> dict[str, Any]:
    """Return the time limits of a call: one for each request, one for trying again while Google is busy."""
    from google.api_core import exceptions, retry

    busy = retry.if_exception_type(exceptions.TooManyRequests, exceptions.ServiceUnavailable)
    return {
        "timeout": TIMEOUT_S,
        "retry": retry.Retry(initial=0.5, maximum=4.0, timeout=_RETRY_S, predicate=busy),
    }


def _explain_api(error: Exception, project: str) -> UnansweredError | None:
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    if isinstance(error, RetryError) and isinstance(error.cause, GoogleAPICallError):
        error = error.cause
    if isinstance(error, RetryError):
        return UnansweredError("there was no answer in time")
    if not isinstance(error, GoogleAPICallError):
        return None
    if api := _find_disabled(error.details):
        return UnansweredError(
            f"the API {api} is not enabled",
            remedy=f"gcloud services enable {api} --project={project}",
            status=int(error.code or 0),
            disabled_api=api,
        )
    if _find_reason(error.details) == "USER_PROJECT_DENIED":
        return UnansweredError(
            f"requests may not be counted against {project}: that takes serviceusage.services.use",
            remedy=f"gcloud projects add-iam-policy-binding {project} --member=MEMBER "
            "--role=roles/serviceusage.serviceUsageConsumer --condition=None",
        )
    if error.code in _TRANSIENT:
        return UnansweredError(f"Google is busy and still was after {_RETRY_S:.0f} s", status=int(error.code))
    message = str(error.message).partition(": ")[2] or str(error.message)
    line = (message.splitlines() or [""])[0][:240]
    status = int(error.code or 0)
    return UnansweredError(f"Google answered {status}: {line}", status=status)


def _explain_auth(error: Exception, remedy: str) -> UnansweredError | None:
    from google.auth import exceptions as auth

    if isinstance(error, auth.InvalidOperation):
        return UnansweredError("the credentials were refused: there are none, and some are wanted")
    if isinstance(error, auth.DefaultCredentialsError):
        return UnansweredError("there are no application default credentials", remedy=remedy)
    if isinstance(error, auth.TransportError):
        return UnansweredError("Google could not be reached: is there a way to the internet?")
    if isinstance(error, auth.GoogleAuthError):
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return UnansweredError(
            f"the credentials were refused: {first[:200]}",
            remedy=remedy or "gcloud auth application-default login",
        )
    return None


def _explain_transport(error: Exception) -> UnansweredError | None:
    import requests
    from google.protobuf.json_format import ParseError

    if isinstance(error, requests.Timeout):
        return UnansweredError(f"there was no answer within {TIMEOUT_S:.0f} s")
    if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
        return UnansweredError("the API could not be reached: is there a way to the internet?")
    # The libraries take the shape of an answer for granted.
    if isinstance(error, ParseError | ValueError | AttributeError | TypeError):
        return UnansweredError("the answer is not what this API answers: is a proxy in between?")
    return None


def _find_disabled(details: Iterable[Any]) -> str:
    """Return the API whose absence an error's details give as the cause, or an empty text."""
    found = (detail for detail in details if isinstance(detail, dict))
    disabled = (detail for detail in found if detail.get("reason") == "SERVICE_DISABLED")
    return next((str((detail.get("metadata") or {}).get("service", "")) for detail in disabled), "")


def _find_reason(details: Iterable[Any]) -> str:
    """Return Google's own word for the cause of an error, or an empty text."""
    found = (detail for detail in details if isinstance(detail, dict))
    return next((str(detail["reason"]) for detail in found if "reason" in detail), "")


def _principal(credentials: Any) -> str:
    email = getattr(credentials, "service_account_email", "")
    if email and "@" in email:
        return f"serviceAccount:{email}"
    account = getattr(credentials, "account", "")
    return f"user:{account}" if account else 'user:"$(gcloud config get account)"'


def _require_local(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost") or parts.path.strip("/"):
        raise EndpointError(
            f"{ENDPOINT_VARIABLE} must be the URL of something on this machine, such as "
            "http://127.0.0.1:8080; unset it to ask Google"
        )
    return endpoint.rstrip("/")
