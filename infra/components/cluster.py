"""The environment's one cluster: regional, private, with every protection that a property can give."""

from typing import Any

import pulumi
import pulumi_gcp as gcp

from headroom.planning.cluster import ClusterPlan
from infra.components.base import Component, Scope
from infra.components.encryption import Encryption
from infra.components.network import PODS_RANGE, SERVICES_RANGE, Network
from infra.components.node_identity import NodeIdentity

LOGGED = ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "SCHEDULER", "CONTROLLER_MANAGER"]
MEASURED = [
    "SYSTEM_COMPONENTS",
    "APISERVER",
    "SCHEDULER",
    "CONTROLLER_MANAGER",
    "STORAGE",
    "HPA",
    "POD",
    "DAEMONSET",
    "DEPLOYMENT",
    "STATEFULSET",
    "JOBSET",
    "KUBELET",
    "CADVISOR",
    "DCGM",
]


class Cluster(Component):
    """A GKE cluster without nodes of its own: the pools bring them."""

    def __init__(
        self,
        scope: Scope,
        plan: ClusterPlan,
        network: Network,
        encryption: Encryption,
        identity: NodeIdentity,
        depends_on: list[pulumi.Resource],
    ) -> None:
        super().__init__("Cluster", scope)
        self.cluster = self.own(
            gcp.container.Cluster(
                scope.name("cluster"),
                self._arguments(plan, network, encryption, identity),
                self.options(
                    depends_on=[network.nat, *encryption.grants, *identity.grants, *depends_on],
                    protect=True,
                    # The first pool is removed at once and Google upgrades versions: neither is drift.
                    ignore=["initial_node_count", "node_config", "node_version", "min_master_version"],
                    secret=["master_auth"],
                    minutes=90,
                ),
            )
        )
        self.endpoint = self.cluster.control_plane_endpoints_config.apply(_dns_endpoint)
        self.register_outputs({})

    def _arguments(
        self, plan: ClusterPlan, network: Network, encryption: Encryption, identity: NodeIdentity
    ) -> gcp.container.ClusterArgs:
        container = gcp.container
        return container.ClusterArgs(
            name=self.scope.name("cluster"),
            project=self.scope.project,
            location=self.scope.region,
            node_locations=list(plan.zones),
            deletion_protection=plan.protected,
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=_first_node(identity, encryption),
            release_channel=container.ClusterReleaseChannelArgs(channel=plan.release_channel),
            maintenance_policy=_maintenance(plan),
            **_network_arguments(network),
            **_security_arguments(plan, self.scope.project, encryption),
            **_observability_arguments(),
            addons_config=container.ClusterAddonsConfigArgs(
                dns_cache_config=container.ClusterAddonsConfigDnsCacheConfigArgs(enabled=True),
                gce_persistent_disk_csi_driver_config=(
                    container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(enabled=True)
                ),
                gcs_fuse_csi_driver_config=container.ClusterAddonsConfigGcsFuseCsiDriverConfigArgs(
                    enabled=True
                ),
            ),
            cost_management_config=container.ClusterCostManagementConfigArgs(enabled=True),
            resource_labels={"environment": self.scope.environment, "managed-by": "headroom"},
        )


def _dns_endpoint(config: gcp.container.outputs.ClusterControlPlaneEndpointsConfig) -> str:
    dns = config.dns_endpoint_config
    if dns is None or dns.endpoint is None:
        raise ValueError("the cluster has no DNS endpoint, by which people and this program reach it")
    return dns.endpoint


def _first_node(identity: NodeIdentity, encryption: Encryption) -> gcp.container.ClusterNodeConfigArgs:
    """The node of the pool that GKE insists on creating; it lives for minutes, not as the default account."""
    return gcp.container.ClusterNodeConfigArgs(
        machine_type="e2-medium",
        disk_type="pd-standard",
        disk_size_gb=30,
        service_account=identity.account.email,
        oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
        boot_disk_kms_key=encryption.disk_key.id,
        shielded_instance_config=gcp.container.ClusterNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
        workload_metadata_config=gcp.container.ClusterNodeConfigWorkloadMetadataConfigArgs(
            mode="GKE_METADATA"
        ),
    )


def _maintenance(plan: ClusterPlan) -> gcp.container.ClusterMaintenancePolicyArgs | None:
    if plan.maintenance is None:
        return None
    return gcp.container.ClusterMaintenancePolicyArgs(
        recurring_window=gcp.container.ClusterMaintenancePolicyRecurringWindowArgs(
            start_time=plan.maintenance.start,
            end_time=plan.maintenance.end,
            recurrence=plan.maintenance.recurrence,
        )
    )


def _network_arguments(network: Network) -> dict[str, Any]:
    container = gcp.container
    endpoints = container.ClusterControlPlaneEndpointsConfigArgs
    return {
        "network": network.vpc.id,
        "subnetwork": network.nodes.id,
        "networking_mode": "VPC_NATIVE",
        "datapath_provider": "ADVANCED_DATAPATH",
        "enable_intranode_visibility": True,
        "gateway_api_config": container.ClusterGatewayApiConfigArgs(channel="CHANNEL_STANDARD"),
        "ip_allocation_policy": container.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name=PODS_RANGE, services_secondary_range_name=SERVICES_RANGE
        ),
        "private_cluster_config": container.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=True,
            enable_private_endpoint=True,
            private_endpoint_subnetwork=network.control_plane.id,
        ),
        # People reach the API by its DNS name, which asks IAM. The private address stays, in a subnet of its
        # own, because webhooks are called from there: without it nobody could say from where.
        "control_plane_endpoints_config": endpoints(
            dns_endpoint_config=container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                allow_external_traffic=True
            ),
            ip_endpoints_config=container.ClusterControlPlaneEndpointsConfigIpEndpointsConfigArgs(
                enabled=True
            ),
        ),
        "master_authorized_networks_config": container.ClusterMasterAuthorizedNetworksConfigArgs(
            gcp_public_cidrs_access_enabled=False
        ),
    }


def _security_arguments(plan: ClusterPlan, project: str, encryption: Encryption) -> dict[str, Any]:
    container = gcp.container
    return {
        "workload_identity_config": container.ClusterWorkloadIdentityConfigArgs(
            workload_pool=f"{project}.svc.id.goog"
        ),
        "database_encryption": container.ClusterDatabaseEncryptionArgs(
            state="ENCRYPTED", key_name=encryption.cluster_key.id
        ),
        "authenticator_groups_config": (
            container.ClusterAuthenticatorGroupsConfigArgs(security_group=plan.security_group)
            if plan.security_group
            else None
        ),
        "binary_authorization": container.ClusterBinaryAuthorizationArgs(
            evaluation_mode="PROJECT_SINGLETON_POLICY_ENFORCE"
        ),
        "security_posture_config": container.ClusterSecurityPostureConfigArgs(mode="BASIC"),
        "rbac_binding_config": container.ClusterRbacBindingConfigArgs(
            enable_insecure_binding_system_authenticated=False,
            enable_insecure_binding_system_unauthenticated=False,
        ),
        "master_auth": container.ClusterMasterAuthArgs(
            client_certificate_config=container.ClusterMasterAuthClientCertificateConfigArgs(
                issue_client_certificate=False
            )
        ),
        "enable_shielded_nodes": True,
        "enable_legacy_abac": False,
        "enable_kubernetes_alpha": False,
    }


def _observability_arguments() -> dict[str, Any]:
    container = gcp.container
    return {
        "logging_config": container.ClusterLoggingConfigArgs(enable_components=LOGGED),
        "monitoring_config": container.ClusterMonitoringConfigArgs(
            enable_components=MEASURED,
            managed_prometheus=container.ClusterMonitoringConfigManagedPrometheusArgs(enabled=True),
        ),
    }
