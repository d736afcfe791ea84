"""What a demand comes to: replicas before a queue of requests, or runs that are in progress at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from headroom.planning.estimates import (
    Evidence,
    Load,
    Observation,
    Workload,
    prior_of_guess,
    prior_of_projects,
)
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import Resource
from headroom.planning.queueing import Service, busy_servers, late_alone, servers_needed
from headroom.spec.baselines import Baseline
from headroom.spec.demand import BatchDemand, ServingDemand

HOURS_A_DAY = 24.0

Part = tuple[Resource, int]


@dataclass(frozen=True)
class Serving:
    """Requests to one queue before equal replicas; `zones` is how many the replicas are spread over."""

    demand: ServingDemand
    parts: tuple[Part, ...]
    zones: int

    @property
    def bears_zone_loss(self) -> bool:
        """Whether the peak is borne without a zone."""
        return self.zones > 1 and self.demand.survive_zone_loss is not False

    def counts(self, factor: float) -> tuple[int, int]:
        """Return the replicas for the busy hour, and those for its burst with a zone lost."""
        mean, peak = self.replicas(factor), self.replicas(factor * self.demand.burst)
        return mean, peak + ceil(peak / (self.zones - 1)) if self.bears_zone_loss else peak

    def replicas(self, factor: float) -> int:
        """Return the fewest replicas that answer in time at that factor of the predicted rate.

        Raises ValueError where no number does, which `find_hindrance` tells beforehand.
        """
        demand = self.demand
        found = servers_needed(
            factor * self.jobs_per_ms,
            self.service,
            demand.latency_ms - demand.batch_wait_ms,
            1 - demand.percentile / 100,
            demand.target_utilization,
            step=demand.concurrency,
        )
        if found is None:
            raise ValueError("no number of replicas answers in time")
        return found // demand.concurrency

    @cached_property
    def jobs_per_ms(self) -> float:
        """Batches a millisecond at the predicted rate."""
        return self.demand.qps / self.demand.batch / 1_000

    @cached_property
    def service(self) -> Service:
        """How long a batch takes."""
        return Service(self.demand.service_time_ms, self.demand.service_variation)

    def find_hindrance(self) -> str:
        """Return why no number of replicas would do, or an empty text."""
        demand = self.demand
        late = late_alone(self.service, demand.latency_ms - demand.batch_wait_ms)
        if late > 1 - demand.percentile / 100:
            return (
                f"cannot be met by any number of replicas: {late:.2%} of requests take longer than "
                f"{demand.latency_ms:g} ms even where none waits; raise latency_ms, lower percentile, or "
                "serve faster (service_time_ms, service_variation, batch_wait_ms)"
            )
        return ""

    def utilization(self, replicas: int) -> float:
        """Return how busy so many replicas are at the predicted rate."""
        return self.jobs_per_ms * self.service.mean_ms / (replicas * self.demand.concurrency)

    def level(self, observation: Observation) -> float:
        """Return the use in the busy hour, as `qps` is that of the busy hour."""
        return observation.busy

    def expected_level(self) -> float:
        """Return the replicas that the busy hour needs."""
        return self.replicas(1.0)

    def describe(self) -> str:
        """Return the evidence in words."""
        demand, (mean, peak) = self.demand, self.counts(1.0)
        lost = " and a zone lost" if self.bears_zone_loss else ""
        spare = "; the pool has one zone, whose loss ends it" if self.zones == 1 else ""
        return (
            f"M/M/c: {demand.qps:g} queries/s, {demand.percentile:g} % within {demand.latency_ms:g} ms, "
            f"{self._describe_replica()}, at most {demand.target_utilization:.0%} busy: {mean} replicas; "
            f"{peak} with a burst of {demand.burst:g}{lost}{spare}"
        )

    def _describe_replica(self) -> str:
        demand = self.demand
        text = f"{demand.service_time_ms:g} ms each"
        if demand.batch > 1:
            text += f" in batches of {demand.batch} after {demand.batch_wait_ms:g} ms"
        if demand.concurrency > 1:
            text += f", {demand.concurrency} at once"
        return f"{text}, variation {demand.service_variation:g}"


@dataclass(frozen=True)
class Batch:
    """Runs that begin at any time and do not wait for each other; `busy` is how many there are on average."""

    parts: tuple[Part, ...]
    busy: float
    percentile: float

    def counts(self, factor: float) -> tuple[int, int]:
        """Return the runs that the mean load needs, one at least, and those at once at the percentile."""
        mean = max(1, ceil(self.busy * factor - 1e-9))
        return mean, max(mean, busy_servers(self.busy * factor, self.percentile / 100))

    def level(self, observation: Observation) -> float:
        """Return the mean use, which is work a day however runs overlap."""
        return observation.mean

    def expected_level(self) -> float:
        """Return the runs that are in progress on average."""
        return self.busy


def read_workload(
    demand: ServingDemand | BatchDemand, pool: PoolPlan, baselines: Mapping[str, Baseline]
) -> tuple[Workload, Load, Evidence]:
    """Return what the demand comes to on a pool, how sure its load is, and from what that is known.

    The baselines that it names are there and of the pool's hardware.
    """
    if isinstance(demand, BatchDemand):
        return _batch(demand, pool, {name: baselines[name] for name in demand.similar_to})
    serving = read_serving(demand, pool)
    return serving, prior_of_guess(demand.uncertainty), Evidence("formula", serving.describe())


def read_serving(demand: ServingDemand, pool: PoolPlan) -> Serving:
    """Return the replicas that a demand is answered with on a pool."""
    replica, parts = demand.replica, list[Part]()
    if pool.accelerator is not None:
        unit = pool.devices_per_unit
        devices = -(-replica.devices // unit) * unit
        parts.append(("gpus" if pool.accelerator.kind == "gpu" else "chips", devices))
    if replica.cpu is not None:
        parts.append(("cpu", replica.cpu))
    if replica.memory is not None:
        parts.append(("memory", replica.memory))
    return Serving(demand, tuple(parts), len(zones_of(pool)))


def _batch(
    demand: BatchDemand, pool: PoolPlan, similar: Mapping[str, Baseline]
) -> tuple[Batch, Load, Evidence]:
    """Runs as wide as the widest of the similar ones, and as long as the work then takes."""
    parts = _widest(pool, similar.values())
    leading, width = parts[0]
    work = [_work_a_day(demand, each, _width(each, leading)) for each in similar.values()]
    likely, prior = prior_of_projects(work)
    batch = Batch(parts, likely / HOURS_A_DAY / width, demand.percentile)
    return batch, prior, Evidence("baselines", _describe(similar, prior, batch))


def _work_a_day(demand: BatchDemand, baseline: Baseline, width: int) -> float:
    """Device-hours, or hours of thousandths of a core: work grows with the size of a run."""
    scale = demand.scale or 1.0
    if demand.size is not None and baseline.size is not None:
        scale = demand.size / baseline.size
    return (demand.runs_per_day or baseline.runs_per_day) * baseline.hours * scale * width


def _widest(pool: PoolPlan, similar: Iterable[Baseline]) -> tuple[Part, ...]:
    if pool.accelerator is not None:
        unit = pool.devices_per_unit
        devices = max(each.devices or 0 for each in similar)
        return (("gpus" if pool.accelerator.kind == "gpu" else "chips", -(-devices // unit) * unit),)
    similar = tuple(similar)
    return (
        ("cpu", max(each.cpu or 0 for each in similar)),
        ("memory", max(each.memory or 0 for each in similar)),
    )


def _width(baseline: Baseline, resource: Resource) -> int:
    return (baseline.cpu if resource == "cpu" else baseline.devices) or 0


def _describe(similar: Mapping[str, Baseline], prior: Load, batch: Batch) -> str:
    projects = ", ".join(f"{name} ({each.measured}, {each.by})" for name, each in similar.items())
    count = "1 project" if len(similar) == 1 else f"{len(similar)} projects"
    return (
        f"{count}: {projects}; {batch.busy:.3g} runs at once on average, "
        f"within a factor of {prior.high:.2g} in 4 of 5 cases; "
        f"the cap holds all runs {batch.percentile:g} % of the time"
    )


def zones_of(pool: PoolPlan) -> set[str]:
    """Return the zones of a pool's nodes."""
    return {zone for node_pool in pool.node_pools for zone in node_pool.zones}
