"""Kueue's objects: one shared pool, a guarantee and a cap for each pipeline, headroom for experiments.

The cohort `pool` holds the cohort `pipelines` and the queue `experiments`. A pipeline's queue has its
guarantee as nominal quota and may borrow up to its cap; the cohort of the pipelines has what is neither
guaranteed nor headroom and may itself borrow nothing, so that all pipelines together never reach into the
headroom, which the queue of the experiments never lends.
"""

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from headroom.planning.allocation import Share
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import LimitPlan, PipelinePlan, Resource, kubernetes_amount
from headroom.spec.errors import Problem
from headroom.spec.quota import Experiments

POOL_COHORT = "pool"
PIPELINES_COHORT = "pipelines"
EXPERIMENTS = "experiments"

RESOURCE_NAMES: dict[Resource, str] = {
    "cpu": "cpu",
    "memory": "memory",
    "gpus": "nvidia.com/gpu",
    "chips": "google.com/tpu",
}
"""What pods call the resources, in the order in which every queue lists them."""

PRIORITIES = (("serving", 1000), ("validation", 800), ("training", 600), ("data", 400), ("experiment", 200))
"""Who is evicted last when a guarantee is taken back from those that borrowed it."""

PROVISIONING = "queued-provisioning"
"""The check, and its configuration, that waits until GKE has all the nodes of a workload at once."""

MOST_POOLS = 64
"""Flavors that a queue can list (Kueue 0.19, ClusterQueue.spec.resourceGroups[].flavors, maxItems)."""

_STOP: dict[str, Literal["None", "Hold", "HoldAndDrain"]] = {
    "open": "None",
    "held": "Hold",
    "draining": "HoldAndDrain",
}


@dataclass(frozen=True, slots=True)
class FlavorPlan:
    """A pool as queues see it: the label of its nodes, and the taints (key, value, effect) to tolerate."""

    name: str
    pool_label: str
    tolerations: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """A resource's quota in Kubernetes notation; None: no limit."""

    resource: str
    nominal: str
    borrowing: str | None
    lending: str | None


@dataclass(frozen=True, slots=True)
class FlavorQuotas:
    """The quotas of one pool, every covered resource in the same order."""

    flavor: str
    quotas: tuple[QuotaPlan, ...]


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """Queues that share."""

    name: str
    parent: str | None
    flavors: tuple[FlavorQuotas, ...]


@dataclass(frozen=True, slots=True)
class ClusterQueuePlan:
    """The queue of one namespace of the same name; `checked` are the flavors that wait for provisioning."""

    name: str
    cohort: str
    flavors: tuple[FlavorQuotas, ...]
    checked: tuple[str, ...]
    stop_policy: Literal["None", "Hold", "HoldAndDrain"]


@dataclass(frozen=True, slots=True)
class QueuesPlan:
    """All that Kueue is told."""

    flavors: tuple[FlavorPlan, ...]
    cohorts: tuple[CohortPlan, ...]
    queues: tuple[ClusterQueuePlan, ...]


def plan_queues(
    pools: Iterable[PoolPlan],
    pipelines: Iterable[PipelinePlan],
    shares: Iterable[Share],
    experiments: Experiments,
) -> QueuesPlan:
    """Return the queues for pipelines whose promises fit into `shares`."""
    pools, shares = tuple(pools), tuple(shares)
    queued = tuple(pool.name for pool in pools if pool.node.queued)
    by_pool = {name: tuple(group) for name, group in groupby(shares, key=lambda share: share.pool)}
    return QueuesPlan(
        flavors=tuple(_plan_flavor(pool) for pool in pools),
        cohorts=(
            CohortPlan(POOL_COHORT, None, ()),
            CohortPlan(PIPELINES_COHORT, POOL_COHORT, _share_quotas(by_pool, experiments.lend)),
        ),
        queues=(
            _experiments_queue(by_pool, queued, experiments),
            *(_pipeline_queue(pipeline, queued) for pipeline in pipelines),
        ),
    )


def check_pools(pools: Sized) -> list[Problem]:
    """Return a problem where there are more pools than a queue can list, as that of the experiments does."""
    if len(pools) <= MOST_POOLS:
        return []
    return [
        Problem(
            "headroom:pools",
            f"has {len(pools)} pools, and a queue can list {MOST_POOLS}; let pools have more nodes or "
            "slices, or make another environment",
        )
    ]


def _plan_flavor(pool: PoolPlan) -> FlavorPlan:
    return FlavorPlan(pool.name, pool.name, tuple(_split_taint(taint) for taint in pool.gke_taints))


def _split_taint(taint: str) -> tuple[str, str, str]:
    key, _, rest = taint.partition("=")
    value, _, effect = rest.partition(":")
    return key, value, effect


def _pipeline_queue(pipeline: PipelinePlan, queued: tuple[str, ...]) -> ClusterQueuePlan:
    limits: dict[str, dict[Resource, LimitPlan]] = {}
    for limit in pipeline.limits:
        limits.setdefault(limit.pool, {})[limit.resource] = limit
    covered = _covered(limits.values())
    return ClusterQueuePlan(
        name=pipeline.name,
        cohort=PIPELINES_COHORT,
        flavors=tuple(
            FlavorQuotas(pool, tuple(_limit_quota(resource, held.get(resource)) for resource in covered))
            for pool, held in limits.items()
        ),
        checked=tuple(pool for pool in queued if pool in limits),
        stop_policy=_STOP[pipeline.admission],
    )


def _limit_quota(resource: Resource, limit: LimitPlan | None) -> QuotaPlan:
    guarantee, cap = (limit.guarantee, limit.cap) if limit else (0, 0)
    return _quota(resource, guarantee, borrowing=cap - guarantee)


def _share_quotas(by_pool: Mapping[str, tuple[Share, ...]], lend: bool) -> tuple[FlavorQuotas, ...]:
    return _each_pool(
        by_pool,
        lambda share: _quota(share.resource, max(0, share.shared), borrowing=share.headroom if lend else 0),
    )


def _experiments_queue(
    by_pool: Mapping[str, tuple[Share, ...]], queued: tuple[str, ...], experiments: Experiments
) -> ClusterQueuePlan:
    return ClusterQueuePlan(
        name=EXPERIMENTS,
        cohort=POOL_COHORT,
        flavors=_each_pool(
            by_pool,
            lambda share: _quota(
                share.resource,
                share.headroom,
                borrowing=share.available if experiments.borrow else 0,
                lending=share.headroom if experiments.lend else 0,
            ),
        ),
        checked=queued,
        stop_policy="None",
    )


def _each_pool(
    by_pool: Mapping[str, tuple[Share, ...]], quota_of: Callable[[Share], QuotaPlan]
) -> tuple[FlavorQuotas, ...]:
    held = {pool: {share.resource: share for share in shares} for pool, shares in by_pool.items()}
    covered = _covered(held.values())
    return tuple(
        FlavorQuotas(
            pool,
            tuple(
                quota_of(shares[resource]) if resource in shares else _limit_quota(resource, None)
                for resource in covered
            ),
        )
        for pool, shares in held.items()
    )


def _covered(held: Iterable[Mapping[Resource, object]]) -> tuple[Resource, ...]:
    """Every resource of any flavor: Kueue wants all flavors of a group to list the same ones."""
    present = {resource for resources in held for resource in resources}
    return tuple(resource for resource in RESOURCE_NAMES if resource in present)


def _quota(resource: Resource, nominal: int, *, borrowing: int, lending: int | None = None) -> QuotaPlan:
    return QuotaPlan(
        RESOURCE_NAMES[resource],
        kubernetes_amount(resource, nominal),
        kubernetes_amount(resource, borrowing),
        None if lending is None else kubernetes_amount(resource, lending),
    )
