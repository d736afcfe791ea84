"""The cluster: where it runs, how it is protected, when it may be upgraded, and its system pool."""

from dataclasses import dataclass, replace

from headroom.catalog.machines import find_machine
from headroom.catalog.zones import offers, zones_in
from headroom.planning.node_pools import PoolPlan, plan_pool
from headroom.spec.base import Range
from headroom.spec.cluster import Cluster, Maintenance
from headroom.spec.errors import Problem
from headroom.spec.platform import Platform
from headroom.spec.pools import OnDemand, Pool, Surge

SYSTEM_POOL = "system"
SYSTEM_TAINT = ("components.gke.io/gke-managed-components", "true", "NO_SCHEDULE")
"""GKE's own components tolerate this taint, pipelines do not."""

_FIRST_WINDOW = "2026-01-05"
_WEEKS_IN_32_DAYS = 4
_HOURS_IN_32_DAYS = 48


@dataclass(frozen=True, slots=True)
class MaintenancePlan:
    """A recurring window: first start and end in UTC, and the rule of RFC 5545 by which it recurs."""

    start: str
    end: str
    recurrence: str


@dataclass(frozen=True, slots=True)
class RegistryPlan:
    """A private image registry, and the secret that holds its certificate (never printed)."""

    host: str
    secret: str

    def __repr__(self) -> str:
        return f"RegistryPlan(host={self.host!r})"


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """The environment's cluster, regional and private."""

    zones: tuple[str, ...]
    release_channel: str
    maintenance: MaintenancePlan | None
    security_group: str | None
    registries: tuple[RegistryPlan, ...]
    protected: bool


def plan_cluster(platform: Platform) -> ClusterPlan:
    """Return the cluster as it will be."""
    cluster = platform.cluster
    return ClusterPlan(
        zones=cluster.zones,
        release_channel=cluster.release_channel.upper(),
        maintenance=_plan_maintenance(cluster.maintenance) if cluster.maintenance else None,
        security_group=cluster.security_group,
        registries=tuple(
            RegistryPlan(host, secret.get_secret_value())
            for host, secret in sorted(cluster.private_registries.items())
        ),
        protected=platform.environment.tier == "production",
    )


def plan_system_pool(platform: Platform) -> PoolPlan:
    """Return the pool that the cluster's own services run on."""
    cluster, disk_key = platform.cluster, platform.encryption.protection
    planned = plan_pool(
        SYSTEM_POOL,
        _system_pool(cluster),
        cluster.zones,
        serves=False,
        disk_key=disk_key,
        system_pods=platform.quota.system_pods,
    )
    return replace(planned, taints=(SYSTEM_TAINT,))


def check_cluster(platform: Platform) -> list[Problem]:
    """Return what is wrong with the cluster's settings."""
    cluster, region = platform.cluster, platform.region
    problems = [
        Problem(
            f"headroom:cluster.zones[{number}]",
            f"is not in {region}, whose zones are {', '.join(zones_in(region))}",
        )
        for number, zone in enumerate(cluster.zones)
        if zone not in zones_in(region)
    ]
    if len(set(cluster.zones)) != len(cluster.zones):
        problems.append(Problem("headroom:cluster.zones", "names a zone twice"))
    problems += _check_system_pool(cluster)
    if cluster.maintenance is not None:
        problems += _check_maintenance(cluster.maintenance)
    if platform.environment.tier == "production":
        problems += _check_production(cluster)
    return problems


def _check_production(cluster: Cluster) -> list[Problem]:
    problems = []
    if len(set(cluster.zones)) < 2:
        problems.append(
            Problem("headroom:cluster.zones", "production needs at least two zones, to outlive one")
        )
    if cluster.maintenance is None:
        problems.append(
            Problem(
                "headroom:cluster.maintenance",
                'is required in production, such as {days: [sat, sun], start: "03:00", hours: 8}',
            )
        )
    return problems


def _check_system_pool(cluster: Cluster) -> list[Problem]:
    pool = cluster.system_pool
    machine, path = find_machine(pool.machine), "headroom:cluster.system_pool"
    problems = []
    if machine is not None and (machine.kind != "cpu" or machine.architecture != "x86" or machine.vcpus < 2):
        problems.append(
            Problem(
                f"{path}.machine",
                "must be an x86 machine with 2 vCPUs or more and no accelerators, such as e2-standard-4",
            )
        )
    problems += [
        Problem(f"{path}.machine", f"is not offered in {zone}, one of the cluster's zones; choose another")
        for zone in cluster.zones
        if machine is not None and offers(zone, machine) is False
    ]
    if machine is not None and "on-demand" not in machine.capacities:
        problems.append(
            Problem(f"{path}.machine", "is not offered on demand, and the system pool must stay up")
        )
    return problems


def _check_maintenance(maintenance: Maintenance) -> list[Problem]:
    hours = maintenance.hours * len(maintenance.days) * _WEEKS_IN_32_DAYS
    if hours >= _HOURS_IN_32_DAYS:
        return []
    return [
        Problem(
            "headroom:cluster.maintenance",
            f"is open {hours} hours in 32 days, and GKE wants {_HOURS_IN_32_DAYS}; "
            f"lengthen the hours or add a day",
        )
    ]


def _plan_maintenance(maintenance: Maintenance) -> MaintenancePlan:
    days = ",".join(day[:2].upper() for day in maintenance.days)
    hour, minute = map(int, maintenance.start.split(":"))
    end = hour + maintenance.hours
    end_day = int(_FIRST_WINDOW[-2:]) + end // 24
    return MaintenancePlan(
        start=f"{_FIRST_WINDOW}T{hour:02}:{minute:02}:00Z",
        end=f"{_FIRST_WINDOW[:-2]}{end_day:02}T{end % 24:02}:{minute:02}:00Z",
        recurrence=f"FREQ=WEEKLY;BYDAY={days}",
    )


def _system_pool(cluster: Cluster) -> Pool:
    nodes = cluster.system_pool.nodes
    return Pool(
        machine=cluster.system_pool.machine,
        nodes=Range(min=nodes.min, max=nodes.max),
        capacity=OnDemand(),
        upgrade=Surge(max_surge=1, max_unavailable=0),
    )
