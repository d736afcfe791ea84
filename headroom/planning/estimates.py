"""What a pipeline needs, how sure that is, and on which evidence it stands.

One number is uncertain: the load, as a factor of what was predicted. It is taken as log-normal; an interval
holds it in four cases of five. What was observed narrows it by Bayes' rule for normal distributions with
known variances, on logarithms: each observed day counts as much as a guess that is wrong by at most a factor
of two in four cases of five, so that a prediction gives way to some days of use and no single day overturns
it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from statistics import NormalDist, fmean
from typing import Literal, Protocol

from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import PipelinePlan, Resource, format_amount

COVERED = 0.8
"""The share of cases that an interval is made to hold."""

_Z = NormalDist().inv_cdf((1 + COVERED) / 2)
_DOUBT = log(2) / _Z
"""The standard deviation, of logarithms, of what is known up to a factor of two."""
_DOUBT_WEIGHT = 2.0
"""Few projects say little of how far projects differ; that they differ by `_DOUBT` counts as much as two."""

_WHOLE: Mapping[Resource, int] = {"cpu": 1_000, "memory": 2**30}


@dataclass(frozen=True, slots=True)
class Load:
    """The load as a factor of what was predicted: its median, and the standard deviation of its logarithm."""

    factor: float
    deviation: float

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.factor * exp(-_Z * self.deviation)

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.factor * exp(_Z * self.deviation)


@dataclass(frozen=True, slots=True)
class AmountEstimate:
    """What is needed of one resource: thousandths of a core, bytes, or devices as pods ask for them.

    `guarantee` is what the mean load needs; `low`, `likely` and `high` are the cap, what the peak needs.
    """

    resource: Resource
    guarantee: int
    low: int
    likely: int
    high: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an estimate stands on; `detail` says it in words."""

    kind: Literal["formula", "baselines", "observed"]
    detail: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a pipeline needs of a pool."""

    pool: str
    amounts: tuple[AmountEstimate, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a pipeline was seen to use of one resource of a pool, over a number of days."""

    pipeline: str
    pool: str
    resource: Resource
    days: float
    mean: float
    busy: float
    """The 95th percentile."""
    peak: float


class Workload(Protocol):
    """What a demand comes to for a given load."""

    @property
    def parts(self) -> tuple[tuple[Resource, int], ...]:
        """What one replica or run takes."""
        ...

    def counts(self, factor: float) -> tuple[int, int]:
        """Return how many replicas or runs there are at once for the mean load, and at the peak."""
        ...

    def level(self, observation: Observation) -> float:
        """Return the observed use that `expected_level` predicts."""
        ...

    def expected_level(self) -> float:
        """Return how many replicas or runs are expected to be in use at the predicted load."""
        ...


def prior_of_guess(factor: float) -> Load:
    """Return a load that is as predicted or wrong by at most that factor."""
    return Load(1.0, log(factor) / _Z)


def prior_of_projects(amounts: Sequence[float]) -> tuple[float, Load]:
    """Return the geometric mean of what similar projects took, and how far another one may lie from it.

    The variance is that of the logarithms of the amounts, to which a spread of a factor of two is added with
    the weight of two projects; the mean's own uncertainty is included.
    """
    logs = [log(amount) for amount in amounts]
    mean, count = fmean(logs), len(logs)
    squares = sum((each - mean) ** 2 for each in logs)
    variance = (_DOUBT_WEIGHT * _DOUBT**2 + squares) / (_DOUBT_WEIGHT + count - 1)
    return exp(mean), Load(1.0, sqrt(variance * (1 + 1 / count)))


def narrow(load: Load, observed: float, days: float) -> tuple[Load, float]:
    """Return the load after it was seen at the factor `observed` over `days`, and the weight of that."""
    if load.deviation == 0 or observed <= 0:
        return load, 0.0
    weight = days / (days + (_DOUBT / load.deviation) ** 2)
    factor = exp((1 - weight) * log(load.factor) + weight * log(observed))
    return Load(factor, load.deviation * sqrt(1 - weight)), weight


def estimate(
    workload: Workload,
    prior: Load,
    pool: PoolPlan,
    evidence: Evidence,
    observations: Iterable[Observation] = (),
) -> Estimate:
    """Return what the workload needs; what was observed narrows it, and is a floor under guarantee and cap.

    Of several resources that were observed the first part of the workload tells of its load.
    """
    seen = {each.resource: each for each in observations}
    leading, part = workload.parts[0]
    load, found = prior, [evidence]
    if (observation := seen.get(leading)) is not None:
        factor = workload.level(observation) / part / workload.expected_level()
        load, weight = narrow(prior, factor, observation.days)
        found.append(Evidence("observed", _describe(observation, weight)))
    amounts = _amounts(workload, load)
    amounts = [_raise(amount, seen.get(amount.resource), pool) for amount in amounts]
    return Estimate(pool.name, tuple(amounts), tuple(found))


def estimate_from_use(observations: Iterable[Observation], pool: PoolPlan) -> Estimate:
    """Return what a pipeline without a demand needs, by what it was seen to use alone.

    The guarantee is the mean, the likely cap the highest use: of a day like those seen it is exceeded on one
    in as many days and one more. The interval spans from the 95th percentile to the peak, widened as for a
    load of which so many days are known.
    """
    amounts, details = [], []
    for seen in observations:
        wider = exp(_Z * _DOUBT / sqrt(max(seen.days, 1.0)))
        cap = _round_up(seen.peak, seen.resource, pool)
        amounts.append(
            AmountEstimate(
                seen.resource,
                guarantee=min(_round_up(seen.mean, seen.resource, pool), cap),
                low=min(_round_up(seen.busy, seen.resource, pool), cap),
                likely=cap,
                high=_round_up(seen.peak * wider, seen.resource, pool),
            )
        )
        details.append(_describe(seen))
    return Estimate(pool.name, tuple(amounts), tuple(Evidence("observed", detail) for detail in details))


def list_shortfalls(pipelines: Iterable[PipelinePlan]) -> list[str]:
    """Return a line for each cap that is below what the pipeline's demand likely needs."""
    return [
        f"headroom:pipelines.{pipeline.name}.limits.{limit.pool}.{limit.resource}.cap: is "
        f"{format_amount(limit.resource, limit.cap)}, and the demand likely needs "
        f"{format_amount(limit.resource, amount.likely)} at its peak; `headroom estimate` says why"
        for pipeline in pipelines
        if pipeline.estimate is not None
        for limit in pipeline.limits
        for amount in pipeline.estimate.amounts
        if limit.pool == pipeline.estimate.pool
        and limit.resource == amount.resource
        and limit.cap < amount.likely
    ]


def _amounts(workload: Workload, load: Load) -> list[AmountEstimate]:
    guarantee, likely = workload.counts(load.factor)
    low, high = workload.counts(load.low)[1], workload.counts(load.high)[1]
    return [
        AmountEstimate(resource, guarantee * part, low * part, likely * part, high * part)
        for resource, part in workload.parts
    ]


def _raise(amount: AmountEstimate, seen: Observation | None, pool: PoolPlan) -> AmountEstimate:
    """What was seen in use on average is guaranteed, and nobody is capped below what was seen at most."""
    if seen is None:
        return amount
    guarantee = max(amount.guarantee, _round_up(seen.mean, seen.resource, pool))
    likely = max(amount.likely, guarantee, _round_up(seen.peak, seen.resource, pool))
    return replace(amount, guarantee=guarantee, likely=likely, high=max(amount.high, likely))


def _round_up(amount: float, resource: Resource, pool: PoolPlan) -> int:
    unit = _WHOLE.get(resource, pool.devices_per_unit)
    return max(1, -int(-amount // unit)) * unit


def _describe(seen: Observation, weight: float | None = None) -> str:
    used = ", ".join(
        f"{name} {_shown(seen.resource, amount)}"
        for name, amount in (("mean", seen.mean), ("p95", seen.busy), ("peak", seen.peak))
    )
    text = f"{seen.days:.3g} days of {seen.resource}: {used}"
    if weight is None:
        return text
    return f"{text}; counted {weight:.0%}, the estimate the rest" if weight else f"{text}; nothing to go by"


def _shown(resource: Resource, amount: float) -> str:
    if resource == "memory":
        return f"{amount / 2**30:.4g}Gi"
    return f"{amount / 1_000 if resource == 'cpu' else amount:.4g}"
