"""All resources of a stack, read once into what rules ask about."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headroom.planning.grants import Grants
from headroom.planning.promises import Promise
from headroom.planning.regions import SitePlan
from policies.node_pools import NODE_POOL, ReadPool, read_pools
from policies.queues import (
    CLUSTER_QUEUE,
    COHORT,
    FLAVOR,
    Flavor,
    Queue,
    read_cohort,
    read_flavor,
    read_queue,
)
from policies.resources import Resource, each, stack_of
from policies.tenancy import Namespace, read_namespaces

if TYPE_CHECKING:
    from policies.settings import Settings

CLUSTER = "gcp:container/cluster:Cluster"
DELIVERY_PIPELINE = "gcp:clouddeploy/deliveryPipeline:DeliveryPipeline"
DELIVERY_TARGET = "gcp:clouddeploy/target:Target"
BINDING = re.compile(r"[iI][aA][mM](Member|Binding|Policy)$")
"""The types that give roles to members end so."""
_ZONE = re.compile(r"-[a-z]$")


@dataclass(frozen=True, slots=True)
class Records:
    """What is committed beside the program: what the cloud has granted, and what was promised before."""

    grants: Grants | None = None
    """None: nobody knows what is granted."""
    promises: tuple[Promise, ...] | None = None
    """None: nobody knows what was promised."""
    regions: tuple[SitePlan, ...] = ()
    """The stacks of further regions, which follow this one."""
    asking: frozenset[str] = frozenset()
    """The targets of those for which their stack files ask that somebody approves."""
    lead: SitePlan | None = None
    """The stack from which releases come to this one."""


@dataclass(frozen=True, slots=True)
class Model:
    """A stack as rules see it."""

    stack: str
    region: str
    """Of the cluster; empty where there is none, or it is not known."""
    resources: tuple[Resource, ...] = field(repr=False)
    by_type: Mapping[str, tuple[Resource, ...]] = field(repr=False)
    pools: tuple[ReadPool, ...]
    flavors: tuple[Flavor, ...]
    queues: tuple[Queue, ...]
    cohorts: tuple[Queue, ...]
    namespaces: tuple[Namespace, ...]
    records: Records = field(repr=False)
    is_production: bool = False
    """As the settings have it, or as its cluster is protected."""

    def of(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of the types named."""
        return tuple(resource for kind in types for resource in self.by_type.get(kind, ()))

    @property
    def project(self) -> str:
        """The Google Cloud project in which the stack's nodes are; empty where that is not known."""
        return project_of(self.resources)

    @property
    def home(self) -> SitePlan:
        """Where releases begin: here, or in the stack that leads this one."""
        return self.records.lead or SitePlan(self.stack, self.project, self.region)

    @property
    def clusters(self) -> tuple[Resource, ...]:
        """GKE clusters."""
        return self.of(CLUSTER)

    @property
    def node_pools(self) -> tuple[Resource, ...]:
        """GKE node pools."""
        return self.of(NODE_POOL)

    @property
    def quota_preferences(self) -> tuple[Resource, ...]:
        """Requests for quota."""
        return self.of("gcp:cloudquota/sQuotaPreference:SQuotaPreference")

    @property
    def alert_policies(self) -> tuple[Resource, ...]:
        """Alert policies."""
        return self.of("gcp:monitoring/alertPolicy:AlertPolicy")

    @property
    def notification_channels(self) -> tuple[Resource, ...]:
        """Where alerts go."""
        return self.of("gcp:monitoring/notificationChannel:NotificationChannel")

    @property
    def log_buckets(self) -> tuple[Resource, ...]:
        """Log buckets of the project."""
        return self.of("gcp:logging/projectBucketConfig:ProjectBucketConfig")

    @property
    def log_views(self) -> tuple[Resource, ...]:
        """Views of log buckets."""
        return self.of("gcp:logging/logView:LogView")

    @property
    def delivery_targets(self) -> tuple[Resource, ...]:
        """Where Cloud Deploy delivers to."""
        return self.of(DELIVERY_TARGET)

    @property
    def delivery_pipelines(self) -> tuple[Resource, ...]:
        """Cloud Deploy's delivery pipelines."""
        return self.of(DELIVERY_PIPELINE)

    @property
    def delivery_automations(self) -> tuple[Resource, ...]:
        """Cloud Deploy's automations."""
        return self.of("gcp:clouddeploy/automation:Automation")

    @property
    def service_accounts(self) -> tuple[Resource, ...]:
        """Google service accounts."""
        return self.of("gcp:serviceaccount/account:Account")

    @property
    def bindings(self) -> tuple[Resource, ...]:
        """Roles given to members, on whatever they are given."""
        return tuple(each for each in self.resources if BINDING.search(each.type))


def build_model(resources: Iterable[Resource], records: Records, settings: "Settings") -> Model:
    """Return the model of a stack's resources, each of them looked at once."""
    resources = tuple(resources)
    by_type: dict[str, list[Resource]] = {}
    for resource in resources:
        by_type.setdefault(resource.type, []).append(resource)
    grouped = {kind: tuple(found) for kind, found in by_type.items()}
    clusters = grouped.get(CLUSTER, ())
    return Model(
        stack=stack_of(resources),
        region=_region_of((*clusters, *grouped.get(NODE_POOL, ()))),
        resources=resources,
        by_type=grouped,
        pools=read_pools(grouped.get(NODE_POOL, ()), _zones_of(clusters), settings.system_pods),
        flavors=tuple(map(read_flavor, grouped.get(FLAVOR, ()))),
        queues=tuple(map(read_queue, grouped.get(CLUSTER_QUEUE, ()))),
        cohorts=tuple(map(read_cohort, grouped.get(COHORT, ()))),
        namespaces=read_namespaces(grouped),
        records=records,
        is_production=settings.is_production(stack_of(resources))
        or any(cluster.read("deletionProtection") is True for cluster in clusters),
    )


def project_of(resources: Iterable[Resource]) -> str:
    """Return the Google Cloud project in which the nodes are; empty where that is not known."""
    named = (each.read("project") for each in resources if each.type in (CLUSTER, NODE_POOL))
    return next((project for project in named if isinstance(project, str)), "")


def _region_of(located: Iterable[Resource]) -> str:
    places = (resource.read("location") for resource in located)
    return next((_ZONE.sub("", place) for place in places if isinstance(place, str)), "")


def _zones_of(clusters: Iterable[Resource]) -> tuple[str, ...]:
    """The zones of node pools that name none: those of the cluster, as there is one for each environment."""
    zones = [zone for cluster in clusters for zone in each(cluster.read("nodeLocations"))]
    return tuple(dict.fromkeys(zone for zone in zones if isinstance(zone, str)))
