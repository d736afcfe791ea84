"""Use over a window, for audits: of queues by Kueue's metrics, of cloud quotas by Google's.

Each step has the highest use in it, so that no peak is lost between two points.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from headroom.audit.series import Series, make_series
from headroom.audit.snapshot import QueueUse, QuotaUse
from headroom.catalog.quotas import QuotaLine
from headroom.live.connection import UnansweredError
from headroom.live.prometheus import Prometheus
from headroom.live.usage import METRIC
from headroom.planning.queues import RESOURCE_NAMES

_STEPS: Final = 240
_LEAST_STEP_S: Final = 300
_MOST_SKEW_S: Final = 300
_RESOURCES: Final = {name: resource for resource, name in RESOURCE_NAMES.items()}

_ALLOCATION: Final = "serviceruntime.googleapis.com/quota/allocation/usage"
_LIMIT: Final = "serviceruntime.googleapis.com/quota/limit"
_FAMILIES: Final = {
    "compute.googleapis.com/quota/cpus_per_vm_family/usage": "vm_family",
    "compute.googleapis.com/quota/gpus_per_gpu_family/usage": "gpu_family",
    "compute.googleapis.com/quota/preemptible_gpus_per_gpu_family/usage": "gpu_family",
    "compute.googleapis.com/quota/tpus_per_tpu_family/usage": "tpu_family",
    "compute.googleapis.com/quota/local_ssd_total_storage_per_vm_family/usage": "vm_family",
}
"""Metrics of quotas by family, and the label that tells families apart (headroom/alerts/contract.yaml; of
local SSDs: cloud.google.com/monitoring/api/metrics_gcp_c, 2026-11)."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is asked about: it ends now, by the clock of whoever is asked."""

    end: float
    step_s: int
    count: int

    @property
    def start(self) -> float:
        """The moment of the first step."""
        return self.end - (self.count - 1) * self.step_s

    def series(self, points: Iterable[Any], scale: int = 1) -> Series:
        """Return points of an answer as a series. Raises UnansweredError for what are none."""
        begin = datetime.fromtimestamp(self.start, UTC)
        return make_series(_numbers(points, scale), begin, self.step_s, self.count)


def open_window(prometheus: Prometheus, days: int, now: float | None = None) -> Window:
    """Return a window of `days` that ends by the clock of the Prometheus.

    Raises UnansweredError where it does not answer, and where its clock and this machine's differ by more
    than five minutes: then nobody knows which time is meant.
    """
    now = time.time() if now is None else now
    step_s = max(_LEAST_STEP_S, -(-days * 86_400 // _STEPS))
    theirs = _read_clock(prometheus.query("vector(time())"))
    if abs(theirs - now) > _MOST_SKEW_S:
        raise UnansweredError(
            f"its clock and this machine's differ by {abs(theirs - now):.0f} s: set them right"
        )
    return Window(float(round(theirs)), step_s, days * 86_400 // step_s)


def read_queue_use(prometheus: Prometheus, window: Window, match: str) -> tuple[QueueUse, ...]:
    """Return what each queue held. Raises UnansweredError.

    `match` is label matchers that tell the environment's series from others. Replicas of Kueue report the
    same, so the largest counts.
    """
    by = "max by (cluster_queue, flavor, resource)"
    asked = f"{METRIC}{{{match}}}[{window.step_s}s]"
    peaks = _keyed(prometheus, window, f"{by} (max_over_time({asked}))")
    means = _keyed(prometheus, window, f"{by} (avg_over_time({asked}))")
    found = []
    for (queue, pool, name), points in peaks.items():
        if (resource := _RESOURCES.get(name)) is None or not queue or not pool:
            continue
        scale = 1_000 if resource == "cpu" else 1
        mean = window.series(means.get((queue, pool, name), ()), scale)
        found.append(QueueUse(queue, pool, resource, window.series(points, scale), mean))
    return tuple(found)


def read_quota_use(
    prometheus: Prometheus, window: Window, lines: Iterable[QuotaLine], metrics: Mapping[str, str]
) -> tuple[QuotaUse, ...]:
    """Return what the cloud says is in use of `lines`, as far as it says so. Raises UnansweredError.

    Google counts most quotas by a metric, such as `compute.googleapis.com/cpus`: `metrics` names it for
    quota ids, as QuotaInfo does; where it does not, the series of limits do. Unchanged use is repeated only
    daily, so a point holds for a day.
    """
    lines = tuple(lines)
    names = _metrics_of_ids(prometheus) | {key: value for key, value in metrics.items() if value}
    plain = _allocated(prometheus, window)
    families = _by_family(prometheus, window)
    found = []
    for line in lines:
        if line.dimensions:
            points = families.get((line.quota_id, line.region, line.dimensions))
        else:
            points = plain.get((line.service, names.get(line.quota_id, ""), line.region or "global"))
        if points:
            found.append(QuotaUse(line.quota_id, line.region, line.dimensions, window.series(points)))
    return tuple(found)


def _allocated(prometheus: Prometheus, window: Window) -> dict[tuple[str, str, str], Any]:
    query = (
        "max by (service, quota_metric, location) (max_over_time("
        f'{{__name__="{_ALLOCATION}",monitored_resource="consumer_quota"}}[1d]))'
    )
    answers = prometheus.query_range(query, window.start, window.end, window.step_s)
    return {
        (held.get("service", ""), held.get("quota_metric", ""), held.get("location", "")): points
        for held, points in answers
    }


def _by_family(prometheus: Prometheus, window: Window) -> dict[tuple[str, str | None, Any], Any]:
    found = {}
    for metric, label in _FAMILIES.items():
        query = (
            f"max by (limit_name, location, {label}) (max_over_time("
            f'{{__name__="{metric}",monitored_resource="compute.googleapis.com/Location"}}[1d]))'
        )
        for held, points in prometheus.query_range(query, window.start, window.end, window.step_s):
            dimensions = ((label, held.get(label, "")),)
            found[held.get("limit_name", ""), held.get("location"), dimensions] = points
    return found


def _metrics_of_ids(prometheus: Prometheus) -> dict[str, str]:
    query = (
        f'group by (limit_name, quota_metric) ({{__name__="{_LIMIT}",monitored_resource="consumer_quota"}})'
    )
    return {held.get("limit_name", ""): held.get("quota_metric", "") for held, _ in prometheus.query(query)}


def _keyed(prometheus: Prometheus, window: Window, query: str) -> dict[tuple[str, str, str], Any]:
    answers = prometheus.query_range(query, window.start, window.end, window.step_s)
    return {
        (held.get("cluster_queue", ""), held.get("flavor", ""), held.get("resource", "")): points
        for held, points in answers
    }


def _read_clock(answers: Iterator[tuple[Any, Any]]) -> float:
    for _, pair in answers:
        for _, value in _numbers([pair], 1):
            if isfinite(value):
                return value
    raise UnansweredError("the answer is not what a Prometheus answers: is a proxy in between?")


def _numbers(points: Iterable[Any], scale: int) -> Iterator[tuple[float, float]]:
    try:
        for moment, value in points:
            yield float(moment), float(value) * scale
    except (TypeError, ValueError, OverflowError):
        raise UnansweredError("the answer is not what a Prometheus answers: is a proxy in between?") from None
