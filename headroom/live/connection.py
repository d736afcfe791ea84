"""How Google's APIs are reached: with whose credentials, where, and what a failure means.

Every client speaks REST, so that the imitation of Google Cloud can stand in for any of them.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
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
        credentials.refresh(Request())
    return Connection(project, credentials, _principal(credentials), None)


@contextmanager
def answers(project: str, remedy: str = "") -> Generator[None]:
    """Turn every failure of a request inside into an UnansweredError with its cause and remedy."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.protobuf.json_format import ParseError

    try:
        yield
    except api.RetryError as error:
        cause = error.cause if isinstance(error.cause, api.GoogleAPICallError) else None
        raise _explain(cause, project) if cause else UnansweredError("there was no answer in time") from None
    except api.GoogleAPICallError as error:
        raise _explain(error, project) from None
    except auth.DefaultCredentialsError:
        raise UnansweredError("there are no application default credentials", remedy=remedy) from None
    except auth.TransportError:
        raise UnansweredError("Google could not be reached: is there a way to the internet?") from None
    except auth.GoogleAuthError as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnansweredError(
            f"the credentials were refused: {first[:200]}",
            remedy=remedy or "gcloud auth application-default login",
        ) from None
    except requests.Timeout:
        raise UnansweredError(f"there was no answer within {TIMEOUT_S:.0f} s") from None
    except requests.RequestException:
        raise UnansweredError("the API could not be reached: is there a way to the internet?") from None
    except (ParseError, ValueError):
        raise UnansweredError("the answer is not what this API answers: is a proxy in between?") from None


def bounds() -> dict[str, Any]:
    """Return the time limits of a call: one for each request, one for trying again while Google is busy."""
    from google.api_core import exceptions, retry

    busy = retry.if_exception_type(exceptions.TooManyRequests, exceptions.ServiceUnavailable)
    return {
        "timeout": TIMEOUT_S,
        "retry": retry.Retry(initial=0.5, maximum=4.0, timeout=_RETRY_S, predicate=busy),
    }


def _explain(error: Any, project: str) -> UnansweredError:
    message = str(error.message).partition(": ")[2] or str(error.message)
    line = (message.splitlines() or [""])[0][:240]
    if error.reason == "SERVICE_DISABLED":
        api = (error.metadata or {}).get("service", "")
        return UnansweredError(
            f"the API {api} is not enabled",
            remedy=f"gcloud services enable {api} --project={project}",
            status=error.code,
            disabled_api=api,
        )
    if error.code in _TRANSIENT:
        return UnansweredError(f"Google is busy and still was after {_RETRY_S:.0f} s", status=error.code)
    return UnansweredError(f"Google answered {int(error.code)}: {line}", status=int(error.code))


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
