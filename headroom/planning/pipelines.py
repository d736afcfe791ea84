"""Who may use how much of which pool: limits made complete, and checked against what the pools have."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from headroom.planning.node_pools import PoolPlan
from headroom.spec.errors import Problem, suggest
from headroom.spec.pipelines import Limits, Pipeline
from headroom.spec.quantities import format_cpu, format_memory

Resource = Literal["cpu", "memory", "gpus", "chips"]

_DEVICE: dict[str, Resource | None] = {"cpu": None, "gpu": "gpus", "tpu": "chips"}


@dataclass(frozen=True, slots=True)
class LimitPlan:
    """A pipeline's guarantee and cap of one resource of a pool: thousandths of a core, bytes, or devices as
    pods ask for them. `derived` where the stack file left it to the host's share of the devices."""

    pool: str
    resource: Resource
    guarantee: int
    cap: int
    derived: bool


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """A pipeline and all its limits."""

    name: str
    kind: Literal["data", "training", "validation", "serving"]
    model: str
    owner: str
    limits: tuple[LimitPlan, ...]


def capacity(pool: PoolPlan) -> dict[Resource, int]:
    """Return what pods can ask for of a pool at its maximum, upgrades not counted."""
    device = _DEVICE[_kind(pool)]
    amounts: dict[Resource, int] = {
        "cpu": pool.max_nodes * pool.cpu_millis_per_node,
        "memory": pool.max_nodes * pool.memory_bytes_per_node,
    }
    return amounts if device is None else amounts | {device: pool.max_nodes * pool.devices_per_node}


def format_amount(resource: Resource, amount: int) -> str:
    """Return an amount in the notation of stack files."""
    if resource == "cpu":
        return format_cpu(amount)
    return format_memory(amount) if resource == "memory" else str(amount)


def plan_pipeline(name: str, pipeline: Pipeline, pools: Mapping[str, PoolPlan]) -> PipelinePlan:
    """Return the complete plan of a pipeline for which `check_pipeline` finds nothing."""
    limits = (
        limit for pool, asked in sorted(pipeline.limits.items()) for limit in _plan_limits(pools[pool], asked)
    )
    return PipelinePlan(name, pipeline.kind, pipeline.model, pipeline.owner, tuple(limits))


def check_pipeline(name: str, pipeline: Pipeline, pools: Mapping[str, PoolPlan]) -> list[Problem]:
    """Return what is wrong with a pipeline's limits by themselves."""
    path = f"headroom:pipelines.{name}.limits"
    problems = []
    for pool, asked in pipeline.limits.items():
        if pool not in pools:
            problems.append(Problem(f"{path}.{pool}", "names no pool of this stack" + suggest(pool, pools)))
            continue
        if pipeline.kind == "data" and _kind(pools[pool]) != "cpu":
            problems.append(
                Problem(f"{path}.{pool}", "is a pool of accelerators; data pipelines run on processors only")
            )
        problems += [Problem(f"{path}.{pool}{key}", text) for key, text in _check_limits(pools[pool], asked)]
    return problems


def check_promises(pipelines: Iterable[PipelinePlan], pools: Mapping[str, PoolPlan]) -> list[Problem]:
    """Return the caps that no pool could ever grant, and the guarantees that together exceed a pool."""
    problems: list[Problem] = []
    promised: dict[tuple[str, Resource], int] = defaultdict(int)
    amounts = {name: capacity(pool) for name, pool in pools.items()}
    for pipeline in pipelines:
        for limit in pipeline.limits:
            most = amounts[limit.pool][limit.resource]
            promised[limit.pool, limit.resource] += limit.guarantee
            if limit.cap > most:
                problems.append(
                    Problem(
                        f"headroom:pipelines.{pipeline.name}.limits.{limit.pool}.{limit.resource}.cap",
                        f"is {format_amount(limit.resource, limit.cap)}, and the whole pool has "
                        f"{format_amount(limit.resource, most)}; lower the cap or raise the pool's max",
                    )
                )
    for (pool, resource), total in promised.items():
        most = amounts[pool][resource]
        if total > most:
            problems.append(
                Problem(
                    f"headroom:pools.{pool}",
                    f"the guarantees of {resource} add up to {format_amount(resource, total)}, and the pool "
                    f"has {format_amount(resource, most)}; lower guarantees or raise the pool's max",
                )
            )
    return problems


def _kind(pool: PoolPlan) -> str:
    return pool.accelerator.kind if pool.accelerator else "cpu"


def _check_limits(pool: PoolPlan, asked: Limits) -> list[tuple[str, str]]:
    device = _DEVICE[_kind(pool)]
    complaints = [
        (f".{resource}", f"the pool {pool.name} has no {resource}; remove it")
        for resource in ("gpus", "chips")
        if getattr(asked, resource) is not None and resource != device
    ]
    required = ("cpu", "memory") if device is None else (device,)
    complaints += [
        (
            f".{resource}",
            "is required, such as {guarantee: 8, cap: 16}"
            if resource != "memory"
            else "is required, such as {guarantee: 32Gi, cap: 64Gi}",
        )
        for resource in required
        if getattr(asked, resource) is None
    ]
    return complaints


def _plan_limits(pool: PoolPlan, asked: Limits) -> list[LimitPlan]:
    device = _DEVICE[_kind(pool)]
    stated: dict[Resource, object] = {"cpu": asked.cpu, "memory": asked.memory}
    limits = [
        LimitPlan(pool.name, resource, limit.guarantee, limit.cap, derived=False)
        for resource, limit in (("cpu", asked.cpu), ("memory", asked.memory))
        if limit is not None
    ]
    if device is None:
        return limits
    devices = getattr(asked, device)
    limits.append(LimitPlan(pool.name, device, devices.guarantee, devices.cap, derived=False))
    for resource, per_node in (("cpu", pool.cpu_millis_per_node), ("memory", pool.memory_bytes_per_node)):
        if stated[resource] is None:
            guarantee, cap = (
                amount * per_node // pool.devices_per_node for amount in (devices.guarantee, devices.cap)
            )
            limits.append(LimitPlan(pool.name, resource, guarantee, cap, derived=True))
    return limits
