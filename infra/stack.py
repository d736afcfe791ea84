"""An environment's components, in the order in which they depend on each other."""

import asyncio
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from headroom.planning.delivery import DeliveryPlan
from headroom.planning.plan import Plan
from infra.components.alerting import Alerting
from infra.components.base import Component, Scope
from infra.components.cloud_quotas import CloudQuotas
from infra.components.cluster import Cluster
from infra.components.cluster_access import ClusterAccess
from infra.components.collection import Collection
from infra.components.dashboards import Dashboards
from infra.components.delivery import Delivery
from infra.components.delivery_access import DeliveryAccess, RegionAccess
from infra.components.encryption import Encryption
from infra.components.gateway import Gateway
from infra.components.logging import Logging
from infra.components.model_images import ModelImages
from infra.components.network import Network
from infra.components.node_identity import NodeIdentity
from infra.components.node_pools import NodePools
from infra.components.operations import Operations
from infra.components.queues import Queues
from infra.components.region_gates import GATES
from infra.components.services import Services
from infra.components.tenancy import Tenancy
from infra.retries import retry_hook


@dataclass(frozen=True, slots=True)
class Stack:
    """What was built, and what its users may know of it."""

    components: tuple[Component, ...]
    outputs: dict[str, pulumi.Input[object]]

    async def registered(self) -> None:
        """Wait until the engine knows every resource."""
        await asyncio.gather(*(component.registered() for component in self.components))


def build(plan: Plan) -> Stack:
    """Register the resources of `plan` and return them by component."""
    scope = Scope(
        environment=plan.environment,
        project=plan.project,
        region=plan.region,
        protected=plan.cluster.protected,
        provider=gcp.Provider(
            f"{plan.environment}-google",
            project=plan.project,
            region=plan.region,
            default_labels=dict(plan.labels),
            # Cloud Quotas refuses people's own credentials unless a request says whose it is.
            billing_project=plan.project,
            user_project_override=True,
        ),
        retry=retry_hook(),
    )
    services = Services(scope, plan.services)
    identity = NodeIdentity(scope, plan.cluster.registries, services)
    network = Network(scope, plan.network, identity.account.email, [services.apis["compute"]])
    encryption = Encryption(scope, plan.encryption, services)
    quotas = CloudQuotas(scope, plan.quota_requests, services) if plan.quota_requests else None
    logging = Logging(scope, plan.logging, encryption, services)
    alerting = Alerting(scope, plan.alerting, services)
    cluster = Cluster(scope, plan.cluster, network, encryption, identity, list(services.apis.values()))
    pools = NodePools(
        scope, plan.system_pool, plan.pools, plan.cluster.registries, cluster, encryption, identity
    )
    access = ClusterAccess(scope, cluster, pools)
    queues = Queues(scope, plan.kueue, plan.tenancy.queues, access)
    tenancy = Tenancy(
        scope, plan.tenancy.namespaces, services.project_number, access, queues, plan.network.proxies
    )
    delivering: list[Component] = []
    delivery = None
    if plan.delivery and plan.delivery.lead:
        delivering = [
            RegionAccess(scope, plan.delivery, services),
            ModelImages(scope, plan.delivery.images, services, {}),
            Gateway(scope, plan.delivery, network, access, tenancy, {}),
        ]
    elif plan.delivery:
        runners = DeliveryAccess(scope, plan.delivery, services)
        delivering = [
            runners,
            ModelImages(scope, plan.delivery.images, services, runners.runners),
            Gateway(scope, plan.delivery, network, access, tenancy, runners.runners),
            delivery := Delivery(scope, plan.delivery, services, cluster, alerting, runners),
        ]
    dashboards = Dashboards(scope, plan.dashboards, plan.objectives, services)
    collection = Collection(scope, plan.collection, encryption, access, queues)
    operations = Operations(scope, plan.operations, services, access, delivery) if plan.operations else None
    return Stack(
        components=(
            services,
            identity,
            network,
            *([quotas] if quotas else []),
            encryption,
            logging,
            alerting,
            cluster,
            pools,
            access,
            queues,
            tenancy,
            collection,
            dashboards,
            *delivering,
            *([operations] if operations else []),
        ),
        outputs={
            "cluster": cluster.cluster.name,
            "endpoint": cluster.endpoint,
            "network": network.vpc.name,
            "nodeAccount": identity.account.email,
            "nodePools": {
                node_pool.key: node_pool.name for pool in plan.pools for node_pool in pool.node_pools
            },
            "region": plan.region,
            **({GATES: _name_gates(plan.delivery, alerting)} if plan.delivery and plan.delivery.lead else {}),
            **({"quotaRequests": quotas.answers} if quotas else {}),
            **(operations.outputs if operations else {}),
        },
    )


def _name_gates(plan: DeliveryPlan, alerting: Alerting) -> dict[str, pulumi.Output[str]]:
    """What the stack from which releases come has to know of the alerts that judge them here."""
    gates = {gate.policy for rollout in plan.rollouts for gate in rollout.gates}
    return {name: alerting.policies[name].name for name in sorted(gates)}
