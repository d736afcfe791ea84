"""The environment's network: private nodes, one way out, and one door for the control plane's webhooks."""

import pulumi
import pulumi_gcp as gcp

from headroom.planning.network import NetworkPlan
from infra.components.base import Component, Scope

PODS_RANGE = "pods"
SERVICES_RANGE = "services"


class Network(Component):
    """A VPC without default openness; nodes reach the internet through NAT and are not reached from it."""

    def __init__(
        self,
        scope: Scope,
        plan: NetworkPlan,
        node_account: pulumi.Input[str],
        depends_on: list[pulumi.Resource],
    ) -> None:
        super().__init__("Network", scope)
        self.vpc = self.own(
            gcp.compute.Network(
                scope.name("network"),
                name=scope.name("network"),
                project=scope.project,
                auto_create_subnetworks=False,
                routing_mode="REGIONAL",
                # What Google puts into a network it removes late: load balancers, endpoint groups.
                opts=self.options(depends_on=depends_on, protect=True, minutes=30),
            )
        )
        self.nodes = self.own(self._node_subnet(plan))
        self.control_plane = self.own(self._control_plane_subnet(plan))
        self.proxies = self.own(self._proxy_subnet(plan.proxies)) if plan.proxies else None
        self.nat = self._nat()
        self.webhooks = self.own(self._webhook_door(plan, node_account))
        self.register_outputs({})

    def _node_subnet(self, plan: NetworkPlan) -> gcp.compute.Subnetwork:
        secondary = gcp.compute.SubnetworkSecondaryIpRangeArgs
        return gcp.compute.Subnetwork(
            self.scope.name("nodes"),
            name=self.scope.name("nodes"),
            project=self.scope.project,
            region=self.scope.region,
            network=self.vpc.id,
            ip_cidr_range=plan.nodes,
            secondary_ip_ranges=[
                secondary(range_name=PODS_RANGE, ip_cidr_range=plan.pods),
                secondary(range_name=SERVICES_RANGE, ip_cidr_range=plan.services),
            ],
            private_ip_google_access=True,
            log_config=gcp.compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_10_MIN", flow_sampling=0.5, metadata="INCLUDE_ALL_METADATA"
            ),
            opts=self.options(protect=True),
        )

    def _control_plane_subnet(self, plan: NetworkPlan) -> gcp.compute.Subnetwork:
        return gcp.compute.Subnetwork(
            self.scope.name("control-plane"),
            name=self.scope.name("control-plane"),
            project=self.scope.project,
            region=self.scope.region,
            network=self.vpc.id,
            ip_cidr_range=plan.control_plane,
            private_ip_google_access=True,
            log_config=gcp.compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_10_MIN", flow_sampling=0.5, metadata="INCLUDE_ALL_METADATA"
            ),
            opts=self.options(protect=True),
        )

    def _proxy_subnet(self, addresses: str) -> gcp.compute.Subnetwork:
        """Where the load balancer of models speaks from; a network has one in each region."""
        return gcp.compute.Subnetwork(
            self.scope.name("proxies"),
            name=self.scope.name("proxies"),
            project=self.scope.project,
            region=self.scope.region,
            network=self.vpc.id,
            ip_cidr_range=addresses,
            purpose="REGIONAL_MANAGED_PROXY",
            role="ACTIVE",
            opts=self.options(protect=True),
        )

    def _nat(self) -> gcp.compute.RouterNat:
        router = self.own(
            gcp.compute.Router(
                self.scope.name("router"),
                name=self.scope.name("router"),
                project=self.scope.project,
                region=self.scope.region,
                network=self.vpc.id,
                opts=self.options(),
            )
        )
        return self.own(
            gcp.compute.RouterNat(
                self.scope.name("nat"),
                name=self.scope.name("nat"),
                project=self.scope.project,
                region=self.scope.region,
                router=router.name,
                nat_ip_allocate_option="AUTO_ONLY",
                source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
                enable_dynamic_port_allocation=True,
                enable_endpoint_independent_mapping=False,
                min_ports_per_vm=64,
                log_config=gcp.compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
                opts=self.options(),
            )
        )

    def _webhook_door(self, plan: NetworkPlan, node_account: pulumi.Input[str]) -> gcp.compute.Firewall:
        return gcp.compute.Firewall(
            self.scope.name("control-plane-to-webhooks"),
            name=self.scope.name("control-plane-to-webhooks"),
            project=self.scope.project,
            network=self.vpc.id,
            direction="INGRESS",
            source_ranges=[plan.control_plane],
            target_service_accounts=[node_account],
            allows=[
                gcp.compute.FirewallAllowArgs(
                    protocol="tcp", ports=[str(port) for port in plan.webhook_ports]
                )
            ],
            log_config=gcp.compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
            opts=self.options(),
        )
