"""Who may use how much of which pool: limits made complete, and checked against what the pools have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from headroom.planning.node_pools import PoolPlan
from headroom.spec.errors import Problem, suggest
from headroom.spec.pipelines import DeviceLimit, Limits, Pipeline
from headroom.spec.quantities import format_cpu, format_memory

if TYPE_CHECKING:
    from headroom.planning.estimates import Estimate

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
class AccessPlan:
    """A cloud role that the pipeline's pods have: on one bucket or dataset, or on the project where both
    are None."""

    role: str
    bucket: str | None
    dataset: str | None


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """A pipeline and all its limits."""

    name: str
    kind: Literal["data", "training", "validation", "serving"]
    model: str
    owner: str
    admission: Literal["open", "held", "draining"]
    access: tuple[AccessPlan, ...]
    limits: tuple[LimitPlan, ...]
    estimate: "Estimate | None" = None
    """What its demand needs, if it states one; the limits are that where it states none."""
    staging_of: str | None = None
    """The pipeline that it is the staging copy of."""


def capacity(pool: PoolPlan, nodes: int | None = None) -> dict[Resource, int]:
    """Return what pods can ask for of that many nodes, by default of the pool at its maximum; upgrades are
    not counted."""
    nodes = pool.max_nodes if nodes is None else nodes
    device = _DEVICE[_kind(pool)]
    amounts: dict[Resource, int] = {
        "cpu": nodes * pool.cpu_millis_per_node,
        "memory": nodes * pool.memory_bytes_per_node,
    }
    return amounts if device is None else amounts | {device: nodes * pool.devices_per_node}


def format_amount(resource: Resource, amount: int) -> str:
    """Return an amount in the notation of stack files."""
    if resource == "cpu":
        return format_cpu(amount)
    return format_memory(amount) if resource == "memory" else str(amount)


def kubernetes_amount(resource: Resource, amount: int) -> str:
    """Return an amount as Kubernetes itself writes it, so that nothing differs when it is read back."""
    if resource == "cpu" and amount % 1_000:
        return f"{amount}m"
    return format_amount(resource, amount)


def plan_pipeline(
    name: str, pipeline: Pipeline, pools: Mapping[str, PoolPlan], estimate: "Estimate | None" = None
) -> PipelinePlan:
    """Return the complete plan of a pipeline for which `check_pipeline` finds nothing."""
    limits = (
        limit for pool, asked in sorted(pipeline.limits.items()) for limit in _plan_limits(pools[pool], asked)
    )
    return PipelinePlan(
        name,
        pipeline.kind,
        pipeline.model,
        pipeline.owner,
        pipeline.admission,
        tuple(AccessPlan(access.role, access.bucket, access.dataset) for access in pipeline.access),
        tuple(limits),
        estimate,
    )


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
    if device == "chips" and asked.chips is not None:
        complaints += _check_chips(pool, asked.chips)
    return complaints


def _check_chips(pool: PoolPlan, chips: DeviceLimit) -> list[tuple[str, str]]:
    """TPU pods take all chips of a host, and of a slice all hosts."""
    unit = pool.devices_per_unit
    what = "slices" if pool.hosts_per_slice > 1 else "hosts"
    complaints = []
    for key, amount, least in (("guarantee", chips.guarantee, 0), ("cap", chips.cap, unit)):
        if amount % unit:
            nearest = dict.fromkeys((max(least, amount // unit * unit), -(-amount // unit) * unit))
            complaints.append(
                (
                    f".chips.{key}",
                    f"is {amount}, and {pool.name} is scheduled by whole {what} of {unit} chips; write "
                    + " or ".join(map(str, nearest)),
                )
            )
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
