"""What pipelines use, from a file or from a Prometheus: Kueue counts it by queue, flavor and resource."""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headroom.live.connection import UnansweredError
from headroom.planning.queues import EXPERIMENTS, RESOURCE_NAMES
from headroom.planning.usage import Sample, parse_usage
from headroom.spec.errors import Problem, StackFileError

METRIC = "kueue_cluster_queue_resource_usage"
"""A gauge: what the workloads use that a cluster queue has admitted; cpu in cores, memory in bytes."""

GOOGLE = "google"
"""Stands for the Prometheus API of Cloud Monitoring in the stack's project."""

STEP_S = 300
MOST_POINTS = 10_000
"""Prometheus refuses questions for more than 11,000 points of a series."""

_GOOGLE_HOST = "monitoring.googleapis.com"
_TIMEOUT_S = 60.0
_LARGEST_FILE = 64 * 2**20


def load_usage(path: Path) -> tuple[Sample, ...]:
    """Return the samples of a usage file. Raises StackFileError where it cannot be read or used."""
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST_FILE:
            raise StackFileError([Problem("", f"is larger than {_LARGEST_FILE // 2**20} MiB")], path.name)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], path.name) from None
    except UnicodeDecodeError:
        raise StackFileError([Problem("", "is not text in UTF-8")], path.name) from None
    return parse_usage(text, path.name)


def fetch_usage(url: str, project: str, days: int, match: str = "") -> tuple[Sample, ...]:
    """Return what was used in the last `days` days, by the Prometheus at `url`, or `google`.

    `match` is label matchers that tell the environment's series from others, such as `cluster="prod"`.
    Replicas of Kueue report the same use, so the largest counts. Raises UnansweredError where it does not
    answer, and ValueError for a URL that is none.
    """
    now = time.time()
    question = {
        "query": f"max by (cluster_queue, flavor, resource) ({METRIC}{{{match}}})",
        "start": f"{now - days * 86_400:.0f}",
        "end": f"{now:.0f}",
        "step": str(max(STEP_S, -(-days * 86_400 // MOST_POINTS))),
    }
    session, base = _open(url, project)
    return tuple(_read_series(_ask(session, base, question)))


def _open(url: str, project: str) -> tuple[Any, str]:
    import requests

    from headroom.live.connection import connect

    if url == GOOGLE:
        google = connect(project)
        base = google.url(_GOOGLE_HOST)
        return google.session(), f"{base}/v1/projects/{project}/location/global/prometheus"
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://127.0.0.1:9090, or google for Cloud Monitoring")
    return requests.Session(), url.rstrip("/")


def _ask(session: Any, base: str, question: dict[str, str]) -> Any:
    import requests

    try:
        with session.post(f"{base}/api/v1/query_range", data=question, timeout=_TIMEOUT_S) as answer:
            status, body = answer.status_code, answer.content
    except requests.Timeout:
        raise UnansweredError(f"there was no answer within {_TIMEOUT_S:.0f} s") from None
    except Exception as error:
        raise _explain(error) from None
    return _read_answer(status, body)


def _explain(error: Exception) -> Exception:
    import requests
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, GoogleAuthError):
        return UnansweredError("the credentials were refused", remedy="gcloud auth application-default login")
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


def _read_series(data: Any) -> Iterator[Sample]:
    names = {name: resource for resource, name in RESOURCE_NAMES.items()}
    try:
        for series in data["result"]:
            labels = series["metric"]
            resource = names.get(labels.get("resource"))
            queue, pool = labels.get("cluster_queue"), labels.get("flavor")
            if resource is None or not queue or not pool or queue == EXPERIMENTS:
                continue
            scale = 1_000 if resource == "cpu" else 1
            for moment, used in _points(series["values"]):
                yield Sample(moment, queue, pool, resource, used * scale)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError):
        raise UnansweredError("the answer is not what a Prometheus answers: is a proxy in between?") from None


def _points(values: Iterable[Any]) -> Iterator[tuple[datetime, float]]:
    for moment, text in values:
        used = float(text)
        if isfinite(used) and used >= 0:
            yield datetime.fromtimestamp(float(moment), UTC), used
