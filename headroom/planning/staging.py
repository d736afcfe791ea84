"""Staging: for each delivered pipeline a copy beside it, with a namespace and a queue of its own.

The copy is a pipeline like any other, so that its queue is counted, its logs are its owner's and its
namespace is closed. Its series say that they are of another environment: nobody is paged for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from headroom.alerts.rules import Rule
from headroom.planning.alerting import AlertPolicyPlan, PromqlCondition
from headroom.planning.node_pools import PoolPlan
from headroom.planning.workloads import Part, read_serving
from headroom.spec.errors import Problem
from headroom.spec.pipelines import (
    CpuLimit,
    DeviceLimit,
    Limits,
    MemoryLimit,
    Pipeline,
    ServingPipeline,
)
from headroom.spec.platform import Platform

SUFFIX = "-staging"

SURGE = 1
"""Replicas beyond the wanted number while a Deployment is rolled over: what released Deployments ask for."""

_MODELS = {"cpu": CpuLimit, "memory": MemoryLimit, "gpus": DeviceLimit, "chips": DeviceLimit}


def name_staging(name: str) -> str:
    """Return what a pipeline's staging copy, or an environment's staging, is called."""
    return f"{name}{SUFFIX}"


def find_delivered(pipelines: Mapping[str, Pipeline]) -> dict[str, ServingPipeline]:
    """Return the pipelines that are delivered, by name, in the order of their names."""
    return {
        name: pipeline
        for name, pipeline in sorted(pipelines.items())
        if isinstance(pipeline, ServingPipeline) and pipeline.delivery is not None
    }


def find_staged(platform: Platform) -> dict[str, ServingPipeline]:
    """Return the pipelines that have a staging copy here: none where releases come from another stack."""
    return {} if platform.delivery.follows else find_delivered(platform.pipelines)


def add_staging(platform: Platform, pools: Mapping[str, PoolPlan]) -> Platform:
    """Return the platform with a staging copy of each delivered pipeline whose demand can be read."""
    copies = {
        name_staging(name): _copy(pipeline, pools[pipeline.demand.pool])
        for name, pipeline in find_staged(platform).items()
        if pipeline.demand and pipeline.demand.pool in pools
    }
    return (
        platform.model_copy(update={"pipelines": copies | dict(platform.pipelines)}) if copies else platform
    )


def check_staging(platform: Platform) -> list[Problem]:
    """Return the pipelines that are called as another's staging copy."""
    return [
        Problem(
            f"headroom:pipelines.{name_staging(name)}",
            f"is the name of the staging of {name}; choose another",
        )
        for name in find_staged(platform)
        if name_staging(name) in platform.pipelines
    ]


def relocate_staging(problems: Iterable[Problem], delivered: Iterable[str]) -> list[Problem]:
    """Return the problems, those of staging copies, which stand in no file, as problems of deliveries."""
    keys = {
        f"headroom:pipelines.{name_staging(name)}": f"headroom:pipelines.{name}.delivery.staging.replicas"
        for name in delivered
    }
    moved = []
    for problem in problems:
        pipeline, found, limit = problem.path.partition(".limits.")
        if found and pipeline in keys:
            problem = Problem(keys[pipeline], f"{limit} of the staging copy {problem.message}")
        moved.append(problem)
    return moved


def narrow_to_environment(policy: AlertPolicyPlan, rule: Rule, environment: str) -> AlertPolicyPlan:
    """Return the policy without what fires in staging; those that judge canaries are left as they are, as no
    canary is in staging."""
    if rule.gates_canary:
        return policy
    here = f'label_replace(vector(1), "environment", "{environment}", "", "")'
    conditions = tuple(
        replace(condition, query=f"(\n{condition.query})\nand on (environment) {here}\n")
        if isinstance(condition, PromqlCondition) and not condition.labels
        else condition
        for condition in policy.conditions
    )
    return replace(policy, conditions=conditions)


def _copy(pipeline: ServingPipeline, pool: PoolPlan) -> ServingPipeline:
    demand, delivery = pipeline.demand, pipeline.delivery
    if demand is None or delivery is None:
        raise ValueError("only a delivered pipeline with a demand has a staging copy")
    limits = _limits(read_serving(demand, pool).parts, delivery.staging.replicas)
    return pipeline.model_copy(update={"limits": {pool.name: limits}, "demand": None, "delivery": None})


def _limits(parts: Iterable[Part], replicas: int) -> Limits:
    """What the replicas take is guaranteed; one more may run while a new model takes their place."""
    return Limits.model_construct(
        **{
            resource: _MODELS[resource].model_construct(
                guarantee=replicas * amount, cap=(replicas + SURGE) * amount
            )
            for resource, amount in parts
        }
    )
