"""What pipelines use, from a file or from a Prometheus: Kueue counts it by queue, flavor and resource."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from headroom.live.connection import UnansweredError
from headroom.live.prometheus import MOST_POINTS, open_prometheus
from headroom.planning.queues import EXPERIMENTS, RESOURCE_NAMES
from headroom.planning.usage import Sample, parse_usage
from headroom.spec.errors import Problem, StackFileError

METRIC = "kueue_cluster_queue_resource_reservation"
"""A gauge: what the workloads hold that a cluster queue has let in; cpu in cores, memory in bytes."""

STEP_S = 300

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
    query = f"max by (cluster_queue, flavor, resource) ({METRIC}{{{match}}})"
    step_s = max(STEP_S, -(-days * 86_400 // MOST_POINTS))
    answers = open_prometheus(url, project).query_range(query, now - days * 86_400, now, step_s)
    return tuple(_read_series(answers))


def _read_series(answers: Iterable[tuple[Any, Any]]) -> Iterator[Sample]:
    names = {name: resource for resource, name in RESOURCE_NAMES.items()}
    try:
        for labels, values in answers:
            resource = names.get(labels.get("resource"))
            queue, pool = labels.get("cluster_queue"), labels.get("flavor")
            if resource is None or not queue or not pool or queue == EXPERIMENTS:
                continue
            scale = 1_000 if resource == "cpu" else 1
            for moment, used in _points(values):
                yield Sample(moment, queue, pool, resource, used * scale)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise UnansweredError("the answer is not what a Prometheus answers: is a proxy in between?") from None


def _points(values: Iterable[Any]) -> Iterator[tuple[datetime, float]]:
    for moment, text in values:
        used = float(text)
        if isfinite(used) and used >= 0:
            yield datetime.fromtimestamp(float(moment), UTC), used
