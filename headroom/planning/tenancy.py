"""A namespace for each pipeline and one for experiments: who may do what there, and how many objects."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from headroom.planning.allocation import Share
from headroom.planning.names import shape_hash
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import AccessPlan, PipelinePlan, Resource, kubernetes_amount
from headroom.planning.queues import EXPERIMENTS, RESOURCE_NAMES, QueuesPlan, plan_queues
from headroom.planning.staging import find_delivered
from headroom.spec.errors import Problem
from headroom.spec.platform import Platform

SERVICE_ACCOUNT = "pipeline"
"""The Kubernetes service account of every pipeline, in its own namespace."""

DELIVERY_LABEL = "headroom/delivery"
"""`staging` or `production`: marks namespaces that models are delivered to, where nothing else may run."""

KIND_LABEL = "headroom/kind"
"""Marks the namespaces that queues, admission policies and limits are for."""

EXPERIMENT_OBJECTS = (300, 1000)
"""Jobs and pods that the experiments of all teams may have at a time."""

_RESERVED = re.compile(r"(kube|gke|gmp|google|kueue|headroom)-.*|default|experiments|config-management-.*")
LEAST_OBJECTS = (50, 100)
"""Jobs and pods that every namespace may have at a time, however little it is promised."""

_MOST_OBJECTS = (300, 1000)
_OBJECTS_PER_UNIT = 4

Stage = Literal["staging", "production"]

NodeSize = tuple[int, int]
"""What pods can ask for of a node: thousandths of a core, bytes."""


@dataclass(frozen=True, slots=True)
class OwnerPlan:
    """A group or a person, as Kubernetes names them."""

    kind: Literal["Group", "User"]
    address: str


@dataclass(frozen=True, slots=True)
class BindingPlan:
    """A cloud role of a namespace's service account; `key` tells it from its others for good."""

    key: str
    access: AccessPlan


@dataclass(frozen=True, slots=True)
class NamespacePlan:
    """A namespace, which has the name of its queue. Amounts are in Kubernetes notation."""

    name: str
    kind: Literal["data", "training", "validation", "serving", "experiment"]
    labels: tuple[tuple[str, str], ...]
    quota: tuple[tuple[str, str], ...]
    """What a ResourceQuota bounds, objects among it: a flood of them delays everybody's admission."""
    largest_container: tuple[tuple[str, str], ...]
    """The largest node that it may use, by resource: what asks for more never starts."""
    owners: tuple[OwnerPlan, ...]
    bindings: tuple[BindingPlan, ...]
    stage: Stage | None = None
    """What a delivered model's namespace is; None: its owner deploys there."""


@dataclass(frozen=True, slots=True)
class TenancyPlan:
    """Namespaces and the queues that they feed."""

    queues: QueuesPlan
    namespaces: tuple[NamespacePlan, ...]


def check_names(pipelines: Iterable[str]) -> list[Problem]:
    """Return the pipelines whose namespace would be one of the cluster's own."""
    return [
        Problem(f"headroom:pipelines.{name}", "is a name that the cluster keeps for itself; choose another")
        for name in pipelines
        if _RESERVED.fullmatch(name)
    ]


def plan_tenancy(
    platform: Platform,
    pools: Iterable[PoolPlan],
    pipelines: Iterable[PipelinePlan],
    shares: Iterable[Share],
) -> TenancyPlan:
    """Return queues and namespaces for pipelines whose promises fit into `shares`."""
    pools, pipelines, shares = tuple(pools), tuple(pipelines), tuple(shares)
    sizes = {pool.name: (pool.cpu_millis_per_node, pool.memory_bytes_per_node) for pool in pools}
    stages: dict[str, Stage] = dict.fromkeys(find_delivered(platform.pipelines), "production")
    stages |= {each.name: "staging" for each in pipelines if each.staging_of}
    return TenancyPlan(
        queues=plan_queues(pools, pipelines, shares, platform.quota.experiments),
        namespaces=(
            _experiments_namespace(platform, shares, sizes),
            *(_pipeline_namespace(pipeline, sizes, stages.get(pipeline.name)) for pipeline in pipelines),
        ),
    )


def _pipeline_namespace(
    pipeline: PipelinePlan, sizes: Mapping[str, NodeSize], stage: Stage | None
) -> NamespacePlan:
    used = {limit.pool for limit in pipeline.limits}
    caps: dict[Resource, int] = {}
    for limit in pipeline.limits:
        caps[limit.resource] = caps.get(limit.resource, 0) + limit.cap
    return NamespacePlan(
        name=pipeline.name,
        kind=pipeline.kind,
        labels=(
            *([(DELIVERY_LABEL, stage)] if stage else []),
            ("headroom/model", pipeline.model),
            (KIND_LABEL, pipeline.kind),
        ),
        quota=_bound(caps, _count_objects(caps)),
        largest_container=_largest_container(sizes[pool] for pool in used),
        owners=(_plan_owner(pipeline.owner),),
        bindings=tuple(BindingPlan(_access_key(access), access) for access in pipeline.access),
        stage=stage,
    )


def _experiments_namespace(
    platform: Platform, shares: Iterable[Share], sizes: Mapping[str, NodeSize]
) -> NamespacePlan:
    experiments = platform.quota.experiments
    caps: dict[Resource, int] = {}
    for share in shares:
        most = share.headroom + (share.available if experiments.borrow else 0)
        caps[share.resource] = caps.get(share.resource, 0) + most
    return NamespacePlan(
        name=EXPERIMENTS,
        kind="experiment",
        labels=((KIND_LABEL, "experiment"),),
        quota=_bound(caps, EXPERIMENT_OBJECTS),
        largest_container=_largest_container(sizes.values()),
        owners=tuple(_plan_owner(owner) for owner in experiments.owners),
        bindings=(),
    )


def _bound(caps: Mapping[Resource, int], objects: tuple[int, int]) -> tuple[tuple[str, str], ...]:
    jobs, pods = objects
    amounts = {
        f"requests.{RESOURCE_NAMES[resource]}": kubernetes_amount(resource, amount)
        for resource, amount in caps.items()
    }
    counts = {
        "count/jobs.batch": jobs,
        "count/workloads.kueue.x-k8s.io": max(jobs, pods),
        "pods": pods,
        # Models are reached through the gateway: a service of these kinds would go past it.
        "services.loadbalancers": 0,
        "services.nodeports": 0,
    }
    return tuple(sorted(amounts.items())) + tuple((key, str(count)) for key, count in counts.items())


def _count_objects(caps: Mapping[Resource, int]) -> tuple[int, int]:
    """Jobs and pods by what can run at once: a few for each device, or for each core where there is none."""
    devices = caps.get("gpus", 0) + caps.get("chips", 0)
    wanted = _OBJECTS_PER_UNIT * (devices or caps.get("cpu", 0) // 1000)
    (least_jobs, least_pods), (most_jobs, most_pods) = LEAST_OBJECTS, _MOST_OBJECTS
    return min(most_jobs, max(least_jobs, wanted)), min(most_pods, max(least_pods, wanted))


def _largest_container(sizes: Iterable[NodeSize]) -> tuple[tuple[str, str], ...]:
    cpu_millis, memory_bytes = zip(*sizes, strict=True)
    return (
        ("cpu", kubernetes_amount("cpu", max(cpu_millis))),
        ("memory", kubernetes_amount("memory", max(memory_bytes))),
    )


def _plan_owner(owner: str) -> OwnerPlan:
    kind, _, address = owner.partition(":")
    return OwnerPlan("Group" if kind == "group" else "User", address)


def _access_key(access: AccessPlan) -> str:
    return shape_hash({"role": access.role, "bucket": access.bucket, "dataset": access.dataset})
