"""Asks a Prometheus, or Cloud Monitoring as one, what series are worth now."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from headroom_metrics.errors import MetricsError, QueryError

GOOGLE_HOST = "monitoring.googleapis.com"
"""Asked with the token of the account that the process runs as."""

TIMEOUT_SECONDS = 30.0

_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - where it is asked for
_FOREIGN = {"Metadata-Flavor": "Google"}


@dataclass(frozen=True)
class Value:
    """A series as it is now: its labels, without its name, and its value."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """Asks the Prometheus HTTP API under `url`, such as `http://127.0.0.1:9090`."""

    def __init__(self, url: str):
        if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
            raise MetricsError(f"prometheus: {url!r} is no address: http://HOST:9090")
        self._url = url.rstrip("/")

    def ask(self, query: str) -> tuple[Value, ...]:
        """Return what an expression is worth now, series by series.

        Raises QueryError where there is no answer, or one that is no vector.
        """
        body = urlencode({"query": query}).encode()
        request = Request(f"{self._url}/api/v1/query", body, self._headers())  # noqa: S310 - http(s), as checked above
        answer = _read(request, self._url)
        try:
            return tuple(
                Value(
                    {name: text for name, text in row["metric"].items() if name != "__name__"},
                    float(row["value"][1]),
                )
                for row in answer["data"]["result"]
            )
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise QueryError(f"{self._url}: the answer is not what a Prometheus answers") from None

    def _headers(self) -> dict[str, str]:
        if urlsplit(self._url).hostname != GOOGLE_HOST:
            return {}
        return {"Authorization": f"Bearer {read_token()}"}


def read_token() -> str:
    """Return a token of the account that the process runs as on Google Cloud.

    `GCE_METADATA_HOST` names another metadata server, as for Google's own libraries. Raises QueryError where
    there is none.
    """
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    answer = _read(Request(f"http://{host}{_TOKEN_PATH}", headers=_FOREIGN), host)
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise QueryError(f"{host}: gave no token of an account to ask Google as")
    return token


def _read(request: Request, whom: str) -> Any:
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - http(s), as checked
            return json.loads(answer.read())
    except HTTPError as error:
        with error:
            raise QueryError(f"{whom}: answered {error.code}: {_first_line(error.read())}") from None
    except (OSError, HTTPException) as error:
        raise QueryError(f"{whom}: cannot be asked: {error}") from None
    except ValueError:
        raise QueryError(f"{whom}: the answer is no JSON") from None


def _first_line(body: bytes) -> str:
    return (body.decode(errors="replace").splitlines() or [""])[0][:200]
