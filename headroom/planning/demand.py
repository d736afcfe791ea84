"""From what a pipeline has to do to the limits that it needs, or to whether those that it has suffice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headroom.planning.estimates import Estimate, Observation, Workload, estimate
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import capacity, format_amount
from headroom.planning.workloads import Serving, read_serving, read_workload, zones_of
from headroom.spec.baselines import Baseline
from headroom.spec.demand import BatchDemand, ServingDemand
from headroom.spec.errors import Problem, suggest
from headroom.spec.pipelines import CpuLimit, DeviceLimit, Limits, MemoryLimit, Pipeline


@dataclass(frozen=True, slots=True)
class Settled:
    """A pipeline with limits, its estimate if it has a demand, and what is wrong with the demand."""

    pipeline: Pipeline
    estimate: Estimate | None = None
    problems: tuple[Problem, ...] = ()


def settle(
    name: str,
    pipeline: Pipeline,
    pools: Mapping[str, PoolPlan],
    baselines: Mapping[str, Baseline],
    observations: Iterable[Observation] = (),
) -> Settled:
    """Return the pipeline with the limits that its demand needs where it states none.

    Limits that it states stay. Problems name a demand that nothing can meet, or that the limits can never
    meet.
    """
    demand = pipeline.demand
    if demand is None:
        return Settled(pipeline)
    path = f"headroom:pipelines.{name}.demand"
    if problems := [*_check_pool(pipeline, pools), *_check_substance(demand, pools, baselines)]:
        return Settled(pipeline, problems=tuple(Problem(f"{path}{key}", text) for key, text in problems))
    pool = pools[demand.pool]
    workload, prior, evidence = read_workload(demand, pool, baselines)
    found = estimate(workload, prior, pool, evidence, observations)
    if not pipeline.limits:
        return Settled(pipeline.model_copy(update={"limits": {pool.name: estimate_limits(found)}}), found)
    limits = pipeline.limits[pool.name]
    return Settled(
        pipeline, found, tuple(_check_limits(f"headroom:pipelines.{name}", workload, pool, limits))
    )


def estimate_limits(found: Estimate) -> Limits:
    """Return the likely limits of an estimate: guaranteed is the mean load, the cap is the peak."""
    models = {"cpu": CpuLimit, "memory": MemoryLimit, "gpus": DeviceLimit, "chips": DeviceLimit}
    return Limits.model_construct(
        **{
            amount.resource: models[amount.resource].model_construct(
                guarantee=min(amount.guarantee, amount.likely), cap=amount.likely
            )
            for amount in found.amounts
        }
    )


def relocate(problems: Iterable[Problem], estimated: Iterable[str]) -> list[Problem]:
    """Return the problems, those of estimated limits, which stand in no file, as problems of the demand."""
    prefixes = {f"headroom:pipelines.{name}": f"headroom:pipelines.{name}.demand" for name in estimated}
    moved = []
    for problem in problems:
        pipeline, found, limit = problem.path.partition(".limits.")
        if found and pipeline in prefixes:
            problem = Problem(prefixes[pipeline], f"{limit}, which is estimated from it, {problem.message}")
        moved.append(problem)
    return moved


def _check_pool(pipeline: Pipeline, pools: Mapping[str, PoolPlan]) -> list[tuple[str, str]]:
    demand = pipeline.demand
    if demand is None:
        return []
    if demand.pool not in pools:
        return [(".pool", "names no pool of this stack" + suggest(demand.pool, pools))]
    if pipeline.limits and demand.pool not in pipeline.limits:
        return [(".pool", "has no limits here, where others have; add some or leave limits out")]
    if pipeline.kind == "data" and pools[demand.pool].accelerator is not None:
        return [(".pool", "is a pool of accelerators; data pipelines run on processors only")]
    return []


def _check_substance(
    demand: ServingDemand | BatchDemand, pools: Mapping[str, PoolPlan], baselines: Mapping[str, Baseline]
) -> list[tuple[str, str]]:
    pool = pools.get(demand.pool)
    if pool is None:
        return []
    if isinstance(demand, BatchDemand):
        return _check_baselines(demand, pool, baselines)
    if problems := _check_replica(demand, pool):
        return problems
    hindrance = read_serving(demand, pool).find_hindrance()
    return [("", hindrance)] if hindrance else []


def _check_replica(demand: ServingDemand, pool: PoolPlan) -> list[tuple[str, str]]:
    replica = demand.replica
    if pool.accelerator is None:
        problems = [
            (f".replica.{key}", f"is required on processors, such as {example}")
            for key, value, example in (("cpu", replica.cpu, 4), ("memory", replica.memory, "8Gi"))
            if value is None
        ]
        if "devices" in replica.model_fields_set:
            problems.append((".replica.devices", f"the pool {pool.name} has no devices; remove it"))
        if problems:
            return problems
    if demand.survive_zone_loss and len(zones_of(pool)) == 1:
        return [
            (".survive_zone_loss", f"the pool {pool.name} has one zone; add zones to it, or leave this out")
        ]
    most = capacity(pool, pool.hosts_per_slice)
    return [
        (
            f".replica.{'devices' if resource in ('gpus', 'chips') else resource}",
            f"is {format_amount(resource, amount)}, and a {'slice' if pool.hosts_per_slice > 1 else 'node'} "
            f"of {pool.name} has {format_amount(resource, most[resource])}; a replica runs on one",
        )
        for resource, amount in read_serving(demand, pool).parts
        if amount > most[resource]
    ]


def _check_baselines(
    demand: BatchDemand, pool: PoolPlan, baselines: Mapping[str, Baseline]
) -> list[tuple[str, str]]:
    problems = []
    accelerator = pool.accelerator.name if pool.accelerator else None
    for number, name in enumerate(demand.similar_to):
        key, baseline = f".similar_to[{number}]", baselines.get(name)
        if baseline is None:
            problems.append((key, "names no baseline of baselines.yaml" + suggest(name, baselines)))
        elif baseline.accelerator != accelerator:
            problems.append(
                (
                    key,
                    f"was measured on {baseline.accelerator or 'processors'}, and the pool {pool.name} has "
                    f"{accelerator or 'processors'}; name a baseline of the same hardware",
                )
            )
        elif demand.size is not None and baseline.size is None:
            problems.append((".size", f"the baseline {name} has no size; give it one, or write scale"))
    units = {baselines[name].unit for name in demand.similar_to if name in baselines}
    if demand.size is not None and len(units) > 1 and not problems:
        problems.append((".size", "is compared with sizes in several units; give its baselines one unit"))
    return problems


def _check_limits(path: str, workload: Workload, pool: PoolPlan, limits: Limits) -> Iterable[Problem]:
    """Requests that come faster than they can be answered wait longer and longer, whatever the latency."""
    if not isinstance(workload, Serving):
        return
    for resource, part in workload.parts:
        limit = getattr(limits, resource)
        if limit is None:
            continue
        replicas = limit.cap // part
        busy = workload.utilization(replicas) if replicas else None
        if busy is None or busy >= 1:
            short = f"{replicas} replicas that are {busy:.0%} busy" if busy else "no replica"
            yield Problem(
                f"{path}.limits.{pool.name}.{resource}.cap",
                f"is {format_amount(resource, limit.cap)}: {short} at {workload.demand.qps:g} queries/s, so "
                "that requests would wait longer and longer; raise the cap or lower the demand",
            )
