"""Reads what a candidate exports, until it is judged good or the time is over."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from headroom_metrics.errors import QueryError
from headroom_metrics.judgement import (
    PRESENT,
    Candidate,
    Demands,
    Evidence,
    Served,
    judge,
    select,
    total,
    worst,
)
from headroom_metrics.prometheus import Prometheus


@dataclass(frozen=True)
class Patience:
    """How long to wait for a candidate to be good, in seconds, and how often to look."""

    seconds: float
    interval_seconds: float = 15


def read_evidence(
    prometheus: Prometheus, candidate: Candidate, demands: Demands, present_environment: str
) -> Evidence:
    """Return what the candidate exports, and the present model's quality. Raises QueryError."""
    ask = prometheus.ask
    missing = tuple(name for name in demands.expected if not ask(candidate.select(name)))
    lower_is_worse = {bound.metric for bound in demands.bounds if bound.direction == "min"}
    present = {"track": "stable"}
    is_first = not present_environment or not ask(
        select("ml_pipeline_info", present_environment, candidate.pipeline, present)
    )
    distances = candidate.select(
        "ml_distribution_distance", stage="serving", subject="prediction", reference=PRESENT
    )
    return Evidence(
        missing=missing,
        served=_read_served(prometheus, candidate),
        quality=_read_quality(prometheus, candidate.select("ml_model_quality"), lower_is_worse),
        distances=worst(ask(distances), "feature"),
        is_first=is_first,
        present_quality={}
        if is_first
        else _read_quality(
            prometheus,
            select("ml_model_quality", present_environment, candidate.pipeline, present),
            lower_is_worse,
        ),
    )


def await_verdict(
    read: Callable[[], Evidence],
    demands: Demands,
    patience: Patience,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Return why the candidate is not good enough, or nothing, as soon as it is.

    Scrapes are late and a model takes time to be measured, so that it is looked at again until the time is
    over. A Prometheus that does not answer until then is a reason too.
    """
    end = clock() + patience.seconds
    while True:
        try:
            reasons = judge(read(), demands)
        except QueryError as error:
            reasons = (str(error),)
        if not reasons or clock() + patience.interval_seconds > end:
            return reasons
        sleep(patience.interval_seconds)


def _read_served(prometheus: Prometheus, candidate: Candidate) -> Served:
    answered = prometheus.ask(candidate.select("ml_prediction_requests_total"))
    failed = [each for each in answered if each.labels.get("code", "").startswith("5")]
    objectives = worst(prometheus.ask(candidate.select("ml_slo_objective_ratio")), "slo")
    return Served(
        requests=total(answered),
        failed=(total(failed) or 0) if answered else None,
        slow=total(prometheus.ask(candidate.select("ml_prediction_slow_requests_total"))),
        availability=objectives.get("availability"),
        latency=objectives.get("latency"),
    )


def _read_quality(prometheus: Prometheus, query: str, lower_is_worse: set[str]) -> dict[str, float]:
    values = prometheus.ask(query)
    lowest, highest = worst(values, "metric", lowest=True), worst(values, "metric")
    return {metric: (lowest if metric in lower_is_worse else highest)[metric] for metric in highest}
