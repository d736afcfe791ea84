"""The HTTP API of a Prometheus, or of Cloud Monitoring, which speaks the same."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from headroom.live.connection import UnansweredError

GOOGLE: Final = "google"
"""Stands for the Prometheus API of Cloud Monitoring in the stack's project."""

MOST_POINTS: Final = 10_000
"""Prometheus refuses questions for more than 11,000 points of a series."""

_GOOGLE_HOST: Final = "monitoring.googleapis.com"
_TIMEOUT_S: Final = 60.0
_BUSY: Final = (429, 502, 503, 504)
_PAUSES_S: Final = (0.5, 2.0)
"""How long is waited before a question is asked again."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that can be asked; every question is repeated twice where it is busy or the line breaks."""

    session: Any
    base: str

    def query_range(self, query: str, start: float, end: float, step_s: int) -> Iterator[tuple[Any, Any]]:
        """Yield labels and (time, value) pairs of each series. Raises UnansweredError."""
        question = {"query": query, "start": f"{start:.0f}", "end": f"{end:.0f}", "step": str(step_s)}
        for series in _series(self._ask("query_range", question)):
            yield _require(series, "metric", dict), _require(series, "values", list)

    def query(self, query: str) -> Iterator[tuple[Any, Any]]:
        """Yield labels and the (time, value) pair of each series now. Raises UnansweredError."""
        for series in _series(self._ask("query", {"query": query})):
            yield _require(series, "metric", dict), _require(series, "value", list)

    def _ask(self, path: str, question: Mapping[str, str]) -> Any:
        for pause in (*_PAUSES_S, None):
            try:
                status, body = self._post(path, question)
            except UnansweredError as error:
                if pause is None or error.remedy or "within" in str(error):
                    raise
            else:
                if pause is None or status not in _BUSY:
                    return _read_answer(status, body)
            time.sleep(pause)
        raise AssertionError("the last question is answered or raises")

    def _post(self, path: str, question: Mapping[str, str]) -> tuple[int, bytes]:
        import requests

        url = f"{self.base}/api/v1/{path}"
        try:
            with self.session.post(url, data=question, timeout=_TIMEOUT_S) as answer:
                return answer.status_code, answer.content
        except requests.Timeout:
            raise UnansweredError(f"there was no answer within {_TIMEOUT_S:.0f} s") from None
        except Exception as error:
            raise _explain(error) from None


def open_prometheus(url: str, project: str) -> Prometheus:
    """Return the Prometheus at `url`, or with `google` that of Cloud Monitoring in `project`.

    Raises ValueError for a URL that is none, and UnansweredError where there are no credentials.
    """
    import requests

    from headroom.live.connection import connect

    require_url(url)
    if url == GOOGLE:
        google = connect(project)
        base = google.url(_GOOGLE_HOST)
        return Prometheus(google.session(), f"{base}/v1/projects/{project}/location/global/prometheus")
    return Prometheus(requests.Session(), url.rstrip("/"))


def require_url(url: str) -> None:
    """Raise ValueError for what is neither a URL nor `google`."""
    if url == GOOGLE:
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://127.0.0.1:9090, or google for Cloud Monitoring")


def _series(data: Any) -> list[Any]:
    return _require(data, "result", list)


def _require(holder: Any, key: str, kind: type) -> Any:
    found = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(found, kind):
        raise UnansweredError("the answer is not what a Prometheus answers: is a proxy in between?")
    return found


def _explain(error: Exception) -> Exception:
    import requests
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, GoogleAuthError):
        return UnansweredError("the credentials were refused", remedy="gcloud auth application-default login")
    if isinstance(error, requests.exceptions.SSLError):
        return UnansweredError("its certificate is not to be trusted", remedy="set REQUESTS_CA_BUNDLE")
    if isinstance(error, requests.RequestException):
        return UnansweredError("it could not be reached: is the URL right, and is there a way to it?")
    return error


def _read_answer(status: int, body: bytes) -> Any:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if status != 200 or not isinstance(content, dict) or content.get("status") != "success":
        said = content.get("error") if isinstance(content, dict) else None
        detail = said.get("message") if isinstance(said, dict) else said
        line = str(detail).splitlines()[0][:200] if detail else "not what a Prometheus answers"
        raise UnansweredError(f"the answer was {status}: {line}", status=status)
    return content.get("data")
