"""What is exported while a model is rolled out, as synthetic series: requests, models, and who else is there.

Nothing is left to chance: a share of the requests fails, or is slow, at every moment alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from headroom.alerts.durations import format_duration
from headroom.alerts.series import expand, render_samples
from headroom.planning.rollouts import CANARY, STABLE
from headroom.planning.staging import name_staging

SAMPLE_SECONDS = 60
"""How often everything is scraped."""

LEAD_SECONDS = 3_600
"""How long the present model has answered alone when the rollout begins: longer than any gate looks back."""

OTHER = "another-model"
"""The pipeline whose canary is at fault where it should concern nobody else."""

_THRESHOLD = 0.1
_LEAST_QUALITY = 0.7
_FAST, _SLOW = 0.1, 0.5
_VERSIONS = {STABLE: "1", CANARY: "2"}
_OUTPUT = {
    "stage": "serving",
    "subject": "prediction",
    "reference": "training",
    "feature": "score",
    "method": "jsd",
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a model answers."""

    errors: float = 0.0005
    """Share of the requests that fail."""
    slow: float = 0.005
    """Share of the requests that take between 0.1 and 0.5 seconds; the others are faster."""
    distance: float = 0.05
    """How far its predictions are from those of the training; above 0.1 they have drifted."""
    quality: float = 0.8
    """Measured on known outcomes; below 0.7 it is not good enough."""


SOUND = Behaviour()

FAULTS: Mapping[str, Behaviour] = {
    "errors": replace(SOUND, errors=0.05),
    "latency": replace(SOUND, slow=0.1),
    "drift": replace(SOUND, distance=0.2),
    "quality": replace(SOUND, quality=0.6),
    "starved": SOUND,
}
"""What can be wrong with a new model, by name; one that is starved is sound, and hardly anybody asks it."""

SICK = Behaviour(errors=0.5, slow=0.5, distance=0.9, quality=0.1)
"""Everything at once, for what must not matter."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many per cent of the requests a canary gets from then on, in seconds since the rollout began."""

    since_seconds: int
    percent: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests to one pipeline during a rollout, and the models that answer them."""

    environment: str
    pipeline: str
    qps: float
    stable: Behaviour
    canary: Behaviour
    shares: tuple[Share, ...]
    end_seconds: int


def add_bystanders(traffic: Traffic, *, sick_other: bool) -> tuple[Traffic, ...]:
    """Return the traffic, with a sick canary of another model and a sick staging where they are asked for."""
    if not sick_other:
        return (traffic,)
    sick = replace(traffic, stable=SICK, canary=SICK)
    return (
        traffic,
        replace(sick, pipeline=OTHER, stable=SOUND),
        replace(sick, environment=name_staging(traffic.environment)),
    )


def render_series(traffic: Traffic) -> list[dict[str, str]]:
    """Return the series that a pipeline exports, as promtool reads them."""
    rows = [
        _gauge(traffic, "ml_distribution_distance_threshold", _OUTPUT, _THRESHOLD),
        _gauge(traffic, "ml_model_quality_bound", {"metric": "auc", "direction": "min"}, _LEAST_QUALITY),
    ]
    for track, model in ((STABLE, traffic.stable), (CANARY, traffic.canary)):
        rows += _render_track(traffic, track, model)
    return rows


def count_samples(traffic: Traffic) -> int:
    """Return how many samples each series has."""
    return (LEAD_SECONDS + traffic.end_seconds) // SAMPLE_SECONDS + 1


def _render_track(traffic: Traffic, track: str, model: Behaviour) -> Iterable[dict[str, str]]:
    labels = {"track": track, "model_version": _VERSIONS[track]}
    gauges = {
        ("ml_pipeline_info", (("kind", "serving"), ("serving", "true"))): 1.0,
        ("ml_distribution_distance", tuple(_OUTPUT.items())): model.distance,
        ("ml_model_quality", (("metric", "auc"),)): model.quality,
    }
    for (name, own), value in gauges.items():
        yield _row(traffic, name, {**labels, **dict(own)}, _while_there(traffic, track, f"{value:g}"))
    counters = {
        ("ml_prediction_requests_total", "code", "200"): 1 - model.errors,
        ("ml_prediction_requests_total", "code", "500"): model.errors,
        ("ml_prediction_duration_seconds_count", "", ""): 1.0,
        ("ml_prediction_duration_seconds_bucket", "le", f"{_FAST:g}"): 1 - model.slow,
        ("ml_prediction_duration_seconds_bucket", "le", f"{_SLOW:g}"): 1.0,
        ("ml_prediction_duration_seconds_bucket", "le", "+Inf"): 1.0,
    }
    for (name, label, value), share in counters.items():
        own = {label: value} if label else {}
        yield _row(traffic, name, {**labels, **own}, _counted(traffic, track, share))


def _gauge(traffic: Traffic, name: str, labels: Mapping[str, str], value: float) -> dict[str, str]:
    return _row(traffic, name, labels, f"{value:g}")


def _row(traffic: Traffic, name: str, labels: Mapping[str, str], text: str) -> dict[str, str]:
    full = {"environment": traffic.environment, "pipeline": traffic.pipeline, **labels}
    inside = ", ".join(f'{label}="{value}"' for label, value in full.items())
    samples = expand(text, SAMPLE_SECONDS, count_samples(traffic))
    return {"series": f"{name}{{{inside}}}", "values": render_samples(samples)}


def _while_there(traffic: Traffic, track: str, value: str) -> str:
    """The canary is there from the first share on, what is stable all the time."""
    if track == STABLE:
        return value
    return f"gap for {format_duration(LEAD_SECONDS + traffic.shares[0].since_seconds)}, {value}"


def _counted(traffic: Traffic, track: str, share: float) -> str:
    """Return how a counter rises, share by share of the users."""
    ends = [*(each.since_seconds for each in traffic.shares), traffic.end_seconds]
    parts = [(LEAD_SECONDS + ends[0], 0)]
    parts += [
        (end - each.since_seconds, each.percent) for each, end in zip(traffic.shares, ends[1:], strict=True)
    ]
    texts = [
        f"{_rise(traffic, each if track == CANARY else 100 - each, share)} for {format_duration(length)}"
        for length, each in parts
    ]
    return ", ".join([*texts[:-1], texts[-1].partition(" for ")[0]])


def _rise(traffic: Traffic, percent: int, share: float) -> str:
    if percent == 0:
        return "gap"
    return f"+{traffic.qps * SAMPLE_SECONDS * percent / 100 * share:.12g}"


def describe_samples(traffic: Iterable[Traffic]) -> list[dict[str, Any]]:
    """Return the series of several pipelines as the input of one test of promtool's."""
    return [row for each in traffic for row in render_series(each)]
