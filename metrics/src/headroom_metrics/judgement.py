"""Whether a new model is good enough to go on, by what it exports: decisions on values that were read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from headroom_metrics.errors import MetricsError
from headroom_metrics.families import FAMILIES, SERVED_LABELS
from headroom_metrics.prometheus import Value

PRESENT = "present"
"""The reference of distances between the predictions of a new model and of the one whose place it takes."""

WINDOW = "30m"
"""How far back a series may last have been seen: a sender that is done, and scrapes that are late."""

LOST = "not there"

_FAMILIES = {family.name: family for family in FAMILIES}


@dataclass(frozen=True)
class Candidate:
    """The model that is judged: which version of which pipeline, where, and on which track."""

    environment: str
    pipeline: str
    model_version: str
    track: str

    def select(self, name: str, **labels: str) -> str:
        """Return the expression of the candidate's own series of a metric of the contract."""
        return select(name, self.environment, self.pipeline, self._served(name) | labels)

    def _served(self, name: str) -> dict[str, str]:
        own = {"model_version": self.model_version, "track": self.track}
        return {label: own[label] for label in SERVED_LABELS if label in require_family(name)}


@dataclass(frozen=True)
class Bound:
    """What a measure of quality must be at least or at most; the direction also says which is worse."""

    metric: str
    direction: str
    value: float

    def is_met(self, value: float) -> bool:
        """Say whether a value keeps the bound, the bound itself included."""
        return value >= self.value if self.direction == "min" else value <= self.value


@dataclass(frozen=True)
class Demands:
    """What the candidate must be like. `worse` is a share of the present model's quality, `skew` a distance;
    None: not compared."""

    expected: tuple[str, ...] = ("ml_pipeline_info",)
    requests: float = 0
    bounds: tuple[Bound, ...] = ()
    worse: float | None = None
    skew: float | None = None


@dataclass(frozen=True)
class Served:
    """What a track was asked, and what became of it; None: not exported."""

    requests: float | None = None
    failed: float | None = None
    slow: float | None = None
    availability: float | None = None
    latency: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What was read of the candidate and of the present model, which is not there before a first release."""

    missing: tuple[str, ...]
    served: Served
    quality: Mapping[str, float]
    distances: Mapping[str, float]
    is_first: bool
    present_quality: Mapping[str, float]


def select(name: str, environment: str, pipeline: str, labels: Mapping[str, str]) -> str:
    """Return the expression of a pipeline's series of a metric, the last value within the window."""
    require_family(name)
    suffix = "_count" if _FAMILIES[name].type == "histogram" else ""
    given = {"environment": environment, "pipeline": pipeline, **labels}
    written = ",".join(f'{label}="{_escape(value)}"' for label, value in given.items())
    return f"last_over_time({name}{suffix}{{{written}}}[{WINDOW}])"


def require_family(name: str) -> tuple[str, ...]:
    """Return the labels of a metric of the contract; one that is not in it is refused with a MetricsError."""
    if name not in _FAMILIES:
        raise MetricsError(f"{name}: is not in the contract")
    return _FAMILIES[name].labels


def total(values: Iterable[Value]) -> float | None:
    """Return the sum; None where there is no series, which is not the same as zero."""
    amounts = [each.value for each in values]
    return sum(amounts) if amounts else None


def worst(values: Iterable[Value], label: str, *, lowest: bool = False) -> dict[str, float]:
    """Return the greatest value, or the lowest, for each value of a label: replicas need not agree."""
    found: dict[str, float] = {}
    pick = min if lowest else max
    for each in values:
        key = each.labels.get(label, "")
        found[key] = pick(found.get(key, each.value), each.value)
    return found


def judge(evidence: Evidence, demands: Demands) -> tuple[str, ...]:
    """Return every reason for which the candidate is not good enough; none: it is.

    What is not exported is a reason: silence would let any model pass.
    """
    if evidence.missing:
        return tuple(f"{name}: {LOST}: the model does not export it" for name in evidence.missing)
    return (
        *_judge_requests(evidence.served, demands.requests),
        *_judge_bounds(evidence.quality, demands.bounds),
        *_judge_against_present(evidence, demands),
        *_judge_skew(evidence, demands.skew),
    )


def _judge_requests(served: Served, least: float) -> Iterator[str]:
    requests = served.requests or 0
    if requests < least:
        yield f"requests: {requests:g} were answered, and {least:g} are needed to judge it"
    if not requests or not least:
        return
    for what, bad, objective in (
        ("failed", served.failed, served.availability),
        ("were slow", served.slow, served.latency),
    ):
        if bad is None or objective is None:
            yield f"requests: how many {what}, or how many may, is {LOST}"
        elif bad / requests > 1 - objective + 1e-9:
            yield f"requests: {bad / requests:.2%} {what}, and the objective allows {1 - objective:.2%}"


def _judge_bounds(quality: Mapping[str, float], bounds: Iterable[Bound]) -> Iterator[str]:
    for bound in bounds:
        value = quality.get(bound.metric)
        if value is None:
            yield f"{bound.metric}: {LOST}: the model exports no ml_model_quality of it"
        elif not bound.is_met(value):
            side = "at least" if bound.direction == "min" else "at most"
            yield f"{bound.metric}: is {value:g}, and must be {side} {bound.value:g}"


def _judge_against_present(evidence: Evidence, demands: Demands) -> Iterator[str]:
    if demands.worse is None or evidence.is_first:
        return
    directions = {bound.metric: bound.direction for bound in demands.bounds}
    for metric, direction in directions.items():
        new, present = evidence.quality.get(metric), evidence.present_quality.get(metric)
        if new is None:
            continue
        if present is None:
            yield f"{metric}: of the present model {LOST}, and the new one must not be much worse"
            continue
        lost = present - new if direction == "min" else new - present
        if lost > demands.worse * abs(present) + 1e-12:
            yield (
                f"{metric}: is {new:g}, and the present model's is {present:g}: worse by more than "
                f"{demands.worse:.2%}"
            )


def _judge_skew(evidence: Evidence, skew: float | None) -> Iterator[str]:
    if skew is None or evidence.is_first:
        return
    if not evidence.distances:
        yield (
            f"skew: {LOST}: the model exports no ml_distribution_distance of its predictions with the "
            f"reference {PRESENT}"
        )
    for feature, distance in evidence.distances.items():
        if distance > skew:
            yield (
                f"skew: {feature} is {distance:g} from what the present model predicts; at most {skew:g} is "
                "allowed"
            )


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
