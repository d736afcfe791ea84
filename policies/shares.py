"""What the pools of a model offer and how it is shared, by planning's own arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from headroom.planning.allocation import Share, check_shares, share_out
from headroom.planning.collection import plan_volume_quota
from headroom.planning.grant_bounds import NodeBound, bound_nodes
from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import PipelinePlan
from headroom.planning.queues import EXPERIMENTS
from headroom.planning.quota import QuotaDraw, plan_pool_quota, sum_quota
from headroom.spec.errors import Problem
from headroom.spec.quota import Experiments, Quota
from policies.model import Model
from policies.node_pools import ReadPool
from policies.queues import Queue, to_pipeline
from policies.resources import ABSENT
from policies.settings import Settings


@dataclass(frozen=True, slots=True)
class Sharing:
    """The pools that queues know, and how much of each resource can be promised."""

    pools: tuple[PoolPlan, ...]
    pipelines: tuple[PipelinePlan, ...]
    bounds: Mapping[str, NodeBound]
    shares: tuple[Share, ...]
    """With what the cloud has granted."""
    ungranted: tuple[Share, ...]
    """As if it had granted every node."""

    def overdrawn(self) -> list[Problem]:
        """Return the pools whose promises do not fit, were they granted whole, as planning words it."""
        return [each for each in self._check(self.ungranted) if not each.path.endswith(".cap")]

    def caps_too_high(self) -> list[Problem]:
        """Return the caps that reach into the headroom, as planning words it."""
        return [each for each in self._check(self.shares) if each.path.endswith(".cap")]

    def _check(self, shares: tuple[Share, ...]) -> list[Problem]:
        offered = {(share.pool, share.resource) for share in shares}
        known = [
            replace(
                pipeline,
                limits=tuple(limit for limit in pipeline.limits if (limit.pool, limit.resource) in offered),
            )
            for pipeline in self.pipelines
        ]
        return check_shares(shares, known)


def read_sharing(model: Model, settings: Settings) -> Sharing:
    """Return how the pools of a model are shared, with the least headroom that the settings ask for.

    What is granted bounds the pools as in a plan; a pool that cannot be read, or that no flavor selects,
    offers nothing.
    """
    pools = flavored_pools(model)
    pipelines = read_pipelines(model)
    least = Experiments.model_construct(share=settings.headroom.share, pools=settings.headroom.pools)
    bounds = (
        bound_nodes(_system_pool(model, pools), pools, model.region, model.records.grants) if pools else {}
    )
    quota = Quota.model_construct(experiments=least)
    return Sharing(
        pools,
        pipelines,
        bounds,
        shares=share_out(pools, pipelines, quota, bounds),
        ungranted=share_out(pools, pipelines, quota),
    )


def flavored_pools(model: Model) -> tuple[PoolPlan, ...]:
    """Return the pools that flavors select, each under its flavor's name and once."""
    by_label = {pool.label: pool for pool in model.pools}
    taken: dict[str, PoolPlan] = {}
    for flavor in model.flavors:
        pool = by_label.get(flavor.label) if isinstance(flavor.label, str) else None
        if pool and pool.plan and pool.label not in taken and isinstance(flavor.name, str):
            taken[pool.label] = replace(pool.plan, name=flavor.name)
    return tuple(taken.values())


def unflavored_pools(model: Model) -> tuple[ReadPool, ...]:
    """Return the pools that no flavor selects."""
    labels = {flavor.label for flavor in model.flavors}
    return tuple(pool for pool in model.pools if pool.label not in labels)


def read_pipelines(model: Model) -> tuple[PipelinePlan, ...]:
    """Return the pipelines that the queues stand for: all but that of the experiments."""
    namespaces = {space.name: space for space in model.namespaces}
    found = []
    for queue in model.queues:
        if queue.name != EXPERIMENTS:
            space = namespaces.get(queue.name)
            kind, label = (space.kind, space.model) if space else (ABSENT, ABSENT)
            found.append(to_pipeline(queue, kind, label))
    return tuple(found)


def experiments_queue(model: Model) -> Queue | None:
    """Return the queue whose quota is the headroom."""
    return next((queue for queue in model.queues if queue.name == EXPERIMENTS), None)


def draw_quota(model: Model) -> tuple[QuotaDraw, ...]:
    """Return what all pools that can be read draw from the cloud's quotas at their peak."""
    plans = [pool.plan for pool in model.pools if pool.plan]
    draws = [draw for plan in plans for draw in plan_pool_quota(plan, model.region)]
    return sum_quota([*draws, plan_volume_quota(model.region)]) if draws else ()


def _system_pool(model: Model, pools: tuple[PoolPlan, ...]) -> PoolPlan:
    """The pool that is served first; where there is none, one without nodes, which draws nothing."""
    system = (pool.plan for pool in unflavored_pools(model) if pool.is_system and pool.plan)
    return next(system, replace(pools[0], node_pools=()))
