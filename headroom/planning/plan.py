"""From a validated platform to everything that is decided about it: a table of contents that only calls."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headroom.planning.cluster import (
    SYSTEM_POOL,
    ClusterPlan,
    check_cluster,
    plan_cluster,
    plan_system_pool,
)
from headroom.planning.encryption import EncryptionPlan, plan_encryption
from headroom.planning.names import check_environment
from headroom.planning.network import NetworkPlan, check_network, plan_network
from headroom.planning.node_pools import PoolPlan, plan_pool
from headroom.planning.pipelines import PipelinePlan, check_pipeline, check_promises, plan_pipeline
from headroom.planning.pool_rules import check_pool
from headroom.planning.quota import QuotaDraw, plan_pool_quota, sum_quota
from headroom.planning.services import plan_services
from headroom.spec.errors import Problem, StackFileError
from headroom.spec.platform import Platform
from headroom.spec.stack_file import parse_config


@dataclass(frozen=True, slots=True)
class Plan:
    """An environment as it will be; components turn it into resources and decide nothing."""

    environment: str
    project: str
    region: str
    labels: tuple[tuple[str, str], ...]
    services: tuple[str, ...]
    network: NetworkPlan
    encryption: EncryptionPlan
    cluster: ClusterPlan
    system_pool: PoolPlan
    pools: tuple[PoolPlan, ...]
    pipelines: tuple[PipelinePlan, ...]
    pool_quota: tuple[QuotaDraw, ...]
    quota: tuple[QuotaDraw, ...]

    @property
    def all_pools(self) -> tuple[PoolPlan, ...]:
        """The system pool and the pools of the stack file."""
        return (self.system_pool, *self.pools)


def plan_config(config: Mapping[str, Any], environment: str, file: str) -> Plan:
    """Return the plan for the `config:` of a stack file.

    Raises StackFileError with every problem of the file: those of its form and, of the entries that are well
    formed, those of its substance.
    """
    try:
        platform = parse_config(config, file)
    except StackFileError as error:
        substance = assess(error.remainder, environment).problems if error.remainder else ()
        raise StackFileError([*error.problems, *substance], file) from None
    try:
        return plan(platform, environment)
    except StackFileError as error:
        raise StackFileError(error.problems, file) from None


def plan(platform: Platform, environment: str) -> Plan:
    """Return everything that is decided about `platform`, for the stack called `environment`.

    Raises StackFileError with every rule that the platform breaks.
    """
    found = assess(platform, environment)
    if found.problems:
        raise StackFileError(found.problems)
    all_pools = (found.system_pool, *found.pools)
    pool_quota = tuple(draw for pool in all_pools for draw in plan_pool_quota(pool, platform.region))
    return Plan(
        environment=environment,
        project=platform.project,
        region=platform.region,
        labels=tuple(sorted((platform.environment.labels | _own_labels(environment)).items())),
        services=plan_services({"registries"} if platform.cluster.private_registries else ()),
        network=plan_network(platform.network),
        encryption=plan_encryption(platform.encryption),
        cluster=plan_cluster(platform),
        system_pool=found.system_pool,
        pools=found.pools,
        pipelines=found.pipelines,
        pool_quota=pool_quota,
        quota=sum_quota(pool_quota),
    )


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every rule that a platform breaks, and the plans of what breaks none."""

    problems: tuple[Problem, ...]
    system_pool: PoolPlan
    pools: tuple[PoolPlan, ...]
    pipelines: tuple[PipelinePlan, ...]


def assess(platform: Platform, environment: str) -> Assessment:
    """Judge a platform by every rule; what depends on a broken pool is not judged."""
    problems = [*check_environment(environment), *check_cluster(platform), *_check_names(platform)]
    pools, broken = _assess_pools(platform)
    problems += [problem for found in broken.values() for problem in found]
    planned = {pool.name: pool for pool in pools}
    pipelines = []
    for name, pipeline in sorted(platform.pipelines.items()):
        sound = {pool: limit for pool, limit in pipeline.limits.items() if pool not in broken}
        judged = (
            pipeline if len(sound) == len(pipeline.limits) else pipeline.model_copy(update={"limits": sound})
        )
        if found := check_pipeline(name, judged, planned):
            problems += found
        else:
            pipelines.append(plan_pipeline(name, judged, planned))
    problems += check_promises(pipelines, planned)
    system_pool = plan_system_pool(platform)
    problems += _check_keys(pools)
    problems += check_network(platform.network, (system_pool, *pools))
    return Assessment(tuple(problems), system_pool, pools, tuple(pipelines))


def _assess_pools(platform: Platform) -> tuple[tuple[PoolPlan, ...], dict[str, list[Problem]]]:
    serving = {
        pool
        for pipeline in platform.pipelines.values()
        if pipeline.kind == "serving"
        for pool in pipeline.limits
    }
    zones, disk_key = platform.cluster.zones, platform.encryption.protection
    plans, broken = [], {}
    for name, pool in sorted(platform.pools.items()):
        if problems := check_pool(name, pool, platform.region, zones):
            broken[name] = problems
        else:
            plans.append(plan_pool(name, pool, zones, serves=name in serving, disk_key=disk_key))
    return tuple(plans), broken


def _check_keys(pools: Iterable[PoolPlan]) -> list[Problem]:
    """A slice is called after its pool and a number, so that another pool may not be called the same."""
    owners: dict[str, str] = {}
    problems = []
    for pool in pools:
        for node_pool in pool.node_pools:
            other = owners.setdefault(node_pool.key, pool.name)
            if other != pool.name:
                named = max(pool.name, other, key=len)
                problems.append(
                    Problem(
                        f"headroom:pools.{named}",
                        f"has the name of a slice of {min(pool.name, other, key=len)}; choose another",
                    )
                )
    return problems


def _check_names(platform: Platform) -> list[Problem]:
    problems = []
    if SYSTEM_POOL in platform.pools:
        problems.append(
            Problem(f"headroom:pools.{SYSTEM_POOL}", "is the name of the cluster's own pool; choose another")
        )
    problems += [
        Problem(
            f"headroom:environment.labels.{label}", "is a label that headroom sets itself; choose another"
        )
        for label in platform.environment.labels
        if label in _own_labels("")
    ]
    return problems


def _own_labels(environment: str) -> dict[str, str]:
    return {"environment": environment, "managed-by": "headroom"}
