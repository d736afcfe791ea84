"""From a validated platform to everything that is decided about it: a table of contents that only calls."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from headroom.planning.alerting_rules import check_alerting, find_unheard
from headroom.planning.allocation import Share, check_shares, find_shortfalls, fit_promises, share_out
from headroom.planning.cloud_quotas import CloudQuotasPlan, check_contact, plan_cloud_quotas
from headroom.planning.cluster import (
    SYSTEM_POOL,
    SYSTEM_TAINT,
    ClusterPlan,
    check_cluster,
    plan_cluster,
    plan_system_pool,
)
from headroom.planning.collection import CollectionPlan, plan_collection, plan_volume_quota
from headroom.planning.dashboards import DashboardPlan, plan_dashboards
from headroom.planning.delivery import DeliveryPlan, plan_delivery, plan_rollouts
from headroom.planning.demand import relocate, settle
from headroom.planning.encryption import EncryptionPlan, plan_encryption
from headroom.planning.grant_bounds import bound_nodes
from headroom.planning.grants import Grants
from headroom.planning.images import find_foreign
from headroom.planning.kueue_release import KueuePlan, plan_kueue
from headroom.planning.logging import LoggingPlan, check_logging, logging_traits, plan_logging
from headroom.planning.models import check_models
from headroom.planning.names import check_environment
from headroom.planning.network import NetworkPlan, check_network, plan_network
from headroom.planning.node_pools import PoolPlan, plan_pool
from headroom.planning.notifications import AlertingPlan, alerting_traits, plan_alerting
from headroom.planning.operations import OperationsPlan, check_operations, find_waiting, plan_operations
from headroom.planning.pipelines import PipelinePlan, check_pipeline, plan_pipeline
from headroom.planning.pool_rules import check_keys, check_pool
from headroom.planning.queues import check_pools
from headroom.planning.quota import QuotaDraw, plan_pool_quota, sum_quota
from headroom.planning.regions import (
    ALONE,
    Lead,
    Neighbours,
    check_regions,
    find_followers,
    find_lead,
    find_left_out,
    find_unled,
)
from headroom.planning.rollout_rules import check_deliveries, find_undelivered
from headroom.planning.rollouts import RolloutPlan
from headroom.planning.services import plan_services
from headroom.planning.serving_hardware import compare_hardware
from headroom.planning.slos import ServicePlan, check_objectives, plan_services_with_objectives
from headroom.planning.staging import (
    add_staging,
    check_staging,
    find_delivered,
    find_staged,
    name_staging,
    relocate_staging,
)
from headroom.planning.tenancy import TenancyPlan, check_names, plan_tenancy
from headroom.spec.errors import Problem, StackFileError, suggest
from headroom.spec.pipelines import Pipeline, ServingPipeline
from headroom.spec.platform import Platform
from headroom.spec.references import check_references, is_of_reference
from headroom.spec.stack_file import parse_config


@dataclass(frozen=True, slots=True)
class Plan:
    """An environment as it will be; components turn it into resources and decide nothing."""

    environment: str
    project: str
    region: str
    labels: tuple[tuple[str, str], ...]
    traits: tuple[str, ...]
    """What is out of the ordinary and so needs an API or a role of its own."""
    services: tuple[str, ...]
    network: NetworkPlan
    encryption: EncryptionPlan
    cluster: ClusterPlan
    system_pool: PoolPlan
    pools: tuple[PoolPlan, ...]
    pipelines: tuple[PipelinePlan, ...]
    shares: tuple[Share, ...]
    """How each resource is shared with what the cloud has granted."""
    shortfalls: tuple[Problem, ...]
    """Promises that fit into the pools and not into what the cloud has granted."""
    awaits_grants: bool
    """Whether shortfalls are waited out, with promises cut in proportion, rather than refused."""
    logging: LoggingPlan
    alerting: AlertingPlan
    notes: tuple[Problem, ...]
    """What is allowed, and worth a second look."""
    kueue: KueuePlan
    tenancy: TenancyPlan
    collection: CollectionPlan
    dashboards: tuple[DashboardPlan, ...]
    objectives: tuple[ServicePlan, ...]
    delivery: DeliveryPlan | None
    """How new models reach their users; None where no pipeline is delivered."""
    operations: OperationsPlan | None
    """What the platform runs for itself; None: nothing."""
    pool_quota: tuple[QuotaDraw, ...]
    quota: tuple[QuotaDraw, ...]
    quota_requests: CloudQuotasPlan | None
    """What is asked of the cloud beyond what it has granted; None: the stack asks for nothing."""

    @property
    def all_pools(self) -> tuple[PoolPlan, ...]:
        """The system pool and the pools of the stack file."""
        return (self.system_pool, *self.pools)


def plan_config(
    config: Mapping[str, Any],
    environment: str,
    file: str,
    grants: Grants | None = None,
    neighbours: Neighbours = ALONE,
) -> Plan:
    """Return the plan for the `config:` of a stack file, within `grants` as far as these are known, beside
    the `neighbours` that it names.

    Raises StackFileError with every problem of the file: those of its form and, of the entries that are well
    formed, those of its substance.
    """
    try:
        platform = parse_config(config, file)
    except StackFileError as error:
        left = assess(error.remainder, environment, neighbours).problems if error.remainder else ()
        substance = [*check_references(config), *(each for each in left if not is_of_reference(each))]
        raise StackFileError([*error.problems, *substance], file) from None
    try:
        return plan(platform, environment, grants, neighbours)
    except StackFileError as error:
        raise StackFileError(error.problems, file) from None


def plan(
    platform: Platform, environment: str, grants: Grants | None = None, neighbours: Neighbours = ALONE
) -> Plan:
    """Return everything that is decided about `platform`, for the stack called `environment`.

    Raises StackFileError with every rule that the platform breaks.
    """
    found = assess(platform, environment, neighbours)
    if found.problems:
        raise StackFileError(found.problems)
    operations = plan_operations(platform, environment, SYSTEM_POOL, SYSTEM_TAINT[:2], grants, neighbours)
    asked, platform, all_pools = platform, found.platform, (found.system_pool, *found.pools)
    traits = _find_traits(platform, found.pools)
    bounds = bound_nodes(found.system_pool, found.pools, platform.region, grants)
    shares = share_out(found.pools, found.pipelines, platform.quota, bounds)
    fitted = fit_promises(found.pipelines, shares)
    pool_quota = (
        *(draw for pool in all_pools for draw in plan_pool_quota(pool, platform.region)),
        plan_volume_quota(platform.region),
    )
    quota = sum_quota(pool_quota)
    delivery = plan_delivery(platform, environment, found.rollouts, find_lead(platform, neighbours))
    return Plan(
        environment=environment,
        project=platform.project,
        region=platform.region,
        labels=tuple(sorted((platform.environment.labels | _own_labels(environment)).items())),
        traits=tuple(sorted(traits)),
        services=plan_services(traits),
        network=plan_network(platform.network, balanced=bool(found.delivered)),
        encryption=plan_encryption(platform.encryption),
        cluster=plan_cluster(platform),
        system_pool=found.system_pool,
        pools=found.pools,
        pipelines=found.pipelines,
        shares=shares,
        shortfalls=tuple(find_shortfalls(shares, bounds)),
        awaits_grants=platform.quota.grants == "awaited",
        logging=plan_logging(platform, environment),
        alerting=plan_alerting(platform, environment),
        notes=(
            *compare_hardware(found.pipelines, {pool.name: pool for pool in found.pools}),
            *find_unheard(platform.alerting),
            *find_undelivered(platform),
            *find_unled(platform, environment, neighbours),
            *find_left_out(asked, environment, neighbours),
            *find_foreign(asked, environment),
            *find_waiting(platform.operations, delivery.rollouts if delivery and not delivery.lead else ()),
        ),
        kueue=plan_kueue(sum(pool.peak_nodes for pool in all_pools), SYSTEM_POOL, SYSTEM_TAINT[:2]),
        tenancy=plan_tenancy(
            platform, found.pools, fitted, share_out(found.pools, fitted, platform.quota, bounds)
        ),
        collection=plan_collection(platform, environment, SYSTEM_POOL, SYSTEM_TAINT[:2]),
        dashboards=plan_dashboards(environment),
        objectives=plan_services_with_objectives(platform, environment),
        delivery=delivery,
        operations=operations,
        pool_quota=pool_quota,
        quota=quota,
        quota_requests=plan_cloud_quotas(platform.quota.requests, environment, quota, grants),
    )


def _find_traits(platform: Platform, pools: Iterable[PoolPlan]) -> set[str]:
    traits = logging_traits(platform.logging) | alerting_traits(platform.alerting)
    if platform.cluster.private_registries:
        traits.add("registries")
    if platform.quota.requests:
        traits.add("quota_requests")
    if not platform.cluster.security_group:
        traits.add("no_security_group")
    if find_delivered(platform.pipelines):
        traits.add("delivery")
    if platform.operations:
        traits.add("operations")
    if any(pool.placement and pool.placement.workload_policy for pool in pools):
        traits.add("workload_policy")
    return traits


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every rule that a platform breaks, and the plans of what breaks none."""

    problems: tuple[Problem, ...]
    platform: Platform
    """The platform with the staging copies of its pipelines."""
    delivered: Mapping[str, ServingPipeline]
    """The delivered pipelines with their limits, by name."""
    followers: Mapping[str, "Assessment"]
    """The stacks to which releases go on, by name, in that order."""
    lead: Lead | None
    """The stack from which releases come."""
    environment: str
    system_pool: PoolPlan
    pools: tuple[PoolPlan, ...]
    pipelines: tuple[PipelinePlan, ...]

    @property
    def rollouts(self) -> tuple[RolloutPlan, ...]:
        """How a sound platform's pipelines are delivered, here and in further regions."""
        pools = {pool.name: pool for pool in self.pools}
        here = plan_rollouts(self.platform, self.environment, self.delivered, pools, self.lead)
        far = [rollout for each in self.followers.values() for rollout in each.rollouts]
        return tuple(
            replace(each, further=tuple(other for other in far if other.pipeline == each.pipeline))
            for each in here
        )


def assess(platform: Platform, environment: str, neighbours: Neighbours = ALONE) -> Assessment:
    """Judge a platform by every rule; what depends on a broken pool is not judged."""
    problems = [*check_environment(environment), *check_cluster(platform), *_check_names(platform)]
    pools, broken = _assess_pools(platform)
    problems += [problem for found in broken.values() for problem in found]
    planned = {pool.name: pool for pool in pools}
    asked, platform = platform, add_staging(platform, planned)
    staged = {name_staging(name): name for name in find_staged(asked)}
    pipelines: list[PipelinePlan] = []
    sound: dict[str, Pipeline] = {}
    for name, pipeline in sorted(platform.pipelines.items()):
        settled = settle(name, _without_pools(pipeline, broken), planned, platform.baselines)
        if found := [*settled.problems, *check_pipeline(name, settled.pipeline, planned)]:
            problems += found
        else:
            sound[name] = settled.pipeline
            complete = plan_pipeline(name, settled.pipeline, planned, settled.estimate)
            pipelines.append(replace(complete, staging_of=staged.get(name)))
    # Where the demand's pool is broken, nobody knows what a canary takes.
    delivered = {name: pipeline for name, pipeline in find_delivered(sound).items() if pipeline.demand}
    lead, followers = find_lead(platform, neighbours), _assess_followers(asked, environment, neighbours)
    problems += [
        *check_models(platform),
        *check_logging(platform, environment),
        *check_alerting(platform),
        *check_pools(platform.pools),
        *check_names(platform.pipelines),
        *check_staging(asked),
        *check_regions(asked, environment, neighbours),
        *_check_followers(asked, followers),
        *check_deliveries(asked, environment, delivered, planned, lead),
        *check_objectives(platform),
    ]
    problems += [*_check_experiments(platform), *check_contact(platform)]
    problems += check_operations(asked, environment, neighbours)
    estimated = [name for name, pipeline in platform.pipelines.items() if not pipeline.limits]
    problems += relocate(check_shares(share_out(pools, pipelines, platform.quota), pipelines), estimated)
    system_pool = plan_system_pool(platform)
    problems += check_keys(pools)
    problems += check_network(
        platform.network, (system_pool, *pools), balanced=bool(find_delivered(asked.pipelines))
    )
    problems = relocate_staging(problems, staged.values())
    return Assessment(
        problems=tuple(problems),
        platform=platform,
        delivered=delivered,
        followers=followers,
        lead=lead,
        environment=environment,
        system_pool=system_pool,
        pools=pools,
        pipelines=tuple(pipelines),
    )


def _assess_followers(platform: Platform, environment: str, neighbours: Neighbours) -> dict[str, Assessment]:
    return {
        name: assess(there, name, {environment: platform})
        for name, there in find_followers(platform, environment, neighbours).items()
    }


def _check_followers(platform: Platform, followers: Mapping[str, Assessment]) -> list[Problem]:
    return [
        Problem(
            f"headroom:delivery.regions[{platform.delivery.regions.index(name)}]",
            f"names {name}, with which something is wrong; see: headroom plan -s {name}",
        )
        for name, found in followers.items()
        if found.problems
    ]


def _without_pools(pipeline: Pipeline, broken: Collection[str]) -> Pipeline:
    """Leave out what a pipeline says of pools that cannot be judged."""
    if not pipeline.pools & set(broken):
        return pipeline
    limits = {pool: limit for pool, limit in pipeline.limits.items() if pool not in broken}
    demand = pipeline.demand if pipeline.demand and pipeline.demand.pool not in broken else None
    return pipeline.model_copy(update={"limits": limits, "demand": demand})


def _assess_pools(platform: Platform) -> tuple[tuple[PoolPlan, ...], dict[str, list[Problem]]]:
    serving = {
        pool
        for pipeline in platform.pipelines.values()
        if pipeline.kind == "serving"
        for pool in pipeline.pools
    }
    zones, disk_key = platform.cluster.zones, platform.encryption.protection
    plans, broken = [], {}
    for name, pool in sorted(platform.pools.items()):
        if problems := check_pool(name, pool, platform.region, zones):
            broken[name] = problems
        else:
            plans.append(
                plan_pool(
                    name,
                    pool,
                    zones,
                    serves=name in serving,
                    disk_key=disk_key,
                    system_pods=platform.quota.system_pods,
                )
            )
    return tuple(plans), broken


def _check_experiments(platform: Platform) -> list[Problem]:
    path = "headroom:quota.experiments.pools"
    return [
        Problem(f"{path}.{pool}", "names no pool of this stack" + suggest(pool, platform.pools))
        for pool in platform.quota.experiments.pools
        if pool not in platform.pools
    ]


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
