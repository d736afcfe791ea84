"""Service level objectives that Cloud Monitoring keeps, for the serving pipelines that the stack file names.

Alerts on how fast a budget burns need none of these: they read the objectives that pipelines export. These
show the budget in the console.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from headroom.spec.errors import Problem, suggest
from headroom.spec.platform import Platform

ROLLING_DAYS = 28

_COUNTER = (
    'metric.type="prometheus.googleapis.com/{metric}/counter" resource.type="prometheus_target" '
    'metric.labels.environment="{environment}" metric.labels.pipeline="{pipeline}"'
)
_FAILED = ' metric.labels.code=monitoring.regex.full_match("5..")'


@dataclass(frozen=True, slots=True)
class ObjectivePlan:
    """A share of all requests that may not be bad; the filters find the requests' counters."""

    name: str
    goal: float
    bad: str
    total: str


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A serving pipeline as a service with objectives."""

    pipeline: str
    objectives: tuple[ObjectivePlan, ...]


def plan_services_with_objectives(platform: Platform, environment: str) -> tuple[ServicePlan, ...]:
    """Return the services that Cloud Monitoring keeps."""
    return tuple(
        ServicePlan(
            pipeline,
            (
                ObjectivePlan(
                    "availability",
                    objectives.availability,
                    _counter("ml_prediction_requests_total", environment, pipeline) + _FAILED,
                    _counter("ml_prediction_requests_total", environment, pipeline),
                ),
                ObjectivePlan(
                    "latency",
                    objectives.latency,
                    _counter("ml_prediction_slow_requests_total", environment, pipeline),
                    _counter("ml_prediction_requests_total", environment, pipeline),
                ),
            ),
        )
        for pipeline, objectives in sorted(platform.monitoring.objectives.items())
    )


def check_objectives(platform: Platform) -> list[Problem]:
    """Return the objectives of what serves no predictions."""
    serving = {name for name, pipeline in platform.pipelines.items() if pipeline.kind == "serving"}
    return list(_check(platform.monitoring.objectives, serving, set(platform.pipelines)))


def _check(named: Iterable[str], serving: set[str], known: set[str]) -> Iterable[Problem]:
    for name in named:
        path = f"headroom:monitoring.objectives.{name}"
        if name not in known:
            yield Problem(path, "names no pipeline of this stack" + suggest(name, serving))
        elif name not in serving:
            yield Problem(path, "is no serving pipeline; only requests for predictions have objectives here")


def _counter(metric: str, environment: str, pipeline: str) -> str:
    return _COUNTER.format(metric=metric, environment=environment, pipeline=pipeline)
