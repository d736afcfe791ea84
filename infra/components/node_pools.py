"""Node pools: each as the plan has it, the new one up before the old one goes."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from headroom.planning.cluster import RegistryPlan
from headroom.planning.node_pools import Attachment, NodePoolPlan, PoolPlan, ReservationPlan
from headroom.spec.pools import BlueGreen, Surge
from infra.components.base import Component, Scope
from infra.components.cluster import Cluster
from infra.components.encryption import Encryption
from infra.components.node_identity import NodeIdentity
from infra.guard import deletion_guard

_SHARING = {"time-sharing": "TIME_SHARING", "mps": "MPS"}
_DRIVER = {"default": "DEFAULT", "latest": "LATEST", "disabled": "INSTALLATION_DISABLED"}


class NodePools(Component):
    """All node pools of the environment; the system pool comes up first."""

    def __init__(
        self,
        scope: Scope,
        system_pool: PoolPlan,
        pools: Sequence[PoolPlan],
        registries: Sequence[RegistryPlan],
        cluster: Cluster,
        encryption: Encryption,
        identity: NodeIdentity,
    ) -> None:
        super().__init__("NodePools", scope)
        self._cluster = cluster.cluster
        self._disk_key = encryption.disk_key.id
        self._account = identity.account.email
        self._registries = registries
        self._guard = self._make_guard((system_pool, *pools)) if scope.protected else None
        self.system = [self._node_pool(system_pool, node_pool, ()) for node_pool in system_pool.node_pools]
        self.pools = {
            node_pool.key: self._node_pool(pool, node_pool, self.system)
            for pool in pools
            for node_pool in pool.node_pools
        }
        self.register_outputs({})

    @staticmethod
    def _make_guard(pools: Sequence[PoolPlan]) -> pulumi.ResourceHook:
        return deletion_guard({node_pool.name for pool in pools for node_pool in pool.node_pools})

    def _node_pool(
        self, pool: PoolPlan, plan: NodePoolPlan, depends_on: Sequence[pulumi.Resource]
    ) -> gcp.container.NodePool:
        container = gcp.container
        return self.own(
            container.NodePool(
                self.scope.name(f"pool-{plan.key}"),
                container.NodePoolArgs(
                    name=plan.name,
                    project=self.scope.project,
                    location=self.scope.region,
                    cluster=self._cluster.name,
                    node_locations=list(plan.zones),
                    max_pods_per_node=pool.node.max_pods,
                    node_count=plan.max_nodes if plan.fixed else None,
                    initial_node_count=None if plan.fixed else plan.initial_nodes_per_zone,
                    autoscaling=None if plan.fixed else _autoscaling(pool, plan),
                    management=container.NodePoolManagementArgs(
                        auto_repair=pool.auto_repair, auto_upgrade=True
                    ),
                    upgrade_settings=_upgrade(pool.upgrade),
                    network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
                    placement_policy=self._placement(pool, plan),
                    queued_provisioning=(
                        container.NodePoolQueuedProvisioningArgs(enabled=True) if pool.node.queued else None
                    ),
                    node_config=self._node_config(pool),
                ),
                self.options(
                    depends_on=depends_on,
                    # The autoscaler sets counts and Google upgrades versions: neither is drift.
                    ignore=["initial_node_count", "version", *([] if plan.fixed else ["node_count"])],
                    minutes=60,
                    delete_before_replace=False,
                    guard=self._guard,
                ),
            )
        )

    def _node_config(self, pool: PoolPlan) -> gcp.container.NodePoolNodeConfigArgs:
        container, node = gcp.container, pool.node
        return container.NodePoolNodeConfigArgs(
            machine_type=node.machine,
            image_type="COS_CONTAINERD",
            disk_type=node.boot_disk_type,
            disk_size_gb=node.boot_disk_gb,
            boot_disk_kms_key=self._disk_key,
            service_account=self._account,
            oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
            metadata={"disable-legacy-endpoints": "true"},
            labels=dict(pool.labels),
            taints=[
                container.NodePoolNodeConfigTaintArgs(key=key, value=value, effect=effect)
                for key, value, effect in pool.taints
            ],
            spot=True if node.spot else None,
            flex_start=True if node.flex_start else None,
            max_run_duration=f"{node.max_run_seconds}s" if node.max_run_seconds else None,
            reservation_affinity=_reservation(pool),
            guest_accelerators=[_accelerator(node.attachment)] if node.attachment else None,
            ephemeral_storage_local_ssd_config=(
                container.NodePoolNodeConfigEphemeralStorageLocalSsdConfigArgs(
                    local_ssd_count=node.local_ssds
                )
                if node.local_ssds
                else None
            ),
            containerd_config=_containerd(self._registries),
            gvnic=container.NodePoolNodeConfigGvnicArgs(enabled=True),
            kubelet_config=container.NodePoolNodeConfigKubeletConfigArgs(
                insecure_kubelet_readonly_port_enabled="FALSE"
            ),
            shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
                mode="GKE_METADATA"
            ),
        )

    def _placement(
        self, pool: PoolPlan, plan: NodePoolPlan
    ) -> gcp.container.NodePoolPlacementPolicyArgs | None:
        if pool.placement is None:
            return None
        policy = self._workload_policy(pool, plan) if pool.placement.workload_policy else None
        return gcp.container.NodePoolPlacementPolicyArgs(
            type="COMPACT",
            tpu_topology=pool.placement.topology,
            policy_name=policy.name if policy else None,
        )

    def _workload_policy(self, pool: PoolPlan, plan: NodePoolPlan) -> gcp.compute.ResourcePolicy:
        return self.own(
            gcp.compute.ResourcePolicy(
                self.scope.name(f"placement-{plan.key}"),
                name=self.scope.name(plan.name),
                project=self.scope.project,
                region=self.scope.region,
                workload_policy=gcp.compute.ResourcePolicyWorkloadPolicyArgs(
                    type="HIGH_THROUGHPUT",
                    accelerator_topology=pool.placement.topology if pool.placement else None,
                ),
                opts=self.options(),
            )
        )


def _autoscaling(pool: PoolPlan, plan: NodePoolPlan) -> gcp.container.NodePoolAutoscalingArgs:
    if plan.total_limits:
        return gcp.container.NodePoolAutoscalingArgs(
            location_policy=pool.location_policy,
            total_min_node_count=plan.min_nodes,
            total_max_node_count=plan.max_nodes,
        )
    return gcp.container.NodePoolAutoscalingArgs(
        location_policy=pool.location_policy, min_node_count=plan.min_nodes, max_node_count=plan.max_nodes
    )


def _upgrade(upgrade: Surge | BlueGreen | None) -> gcp.container.NodePoolUpgradeSettingsArgs | None:
    if upgrade is None:
        return None
    if isinstance(upgrade, Surge):
        return gcp.container.NodePoolUpgradeSettingsArgs(
            strategy="SURGE", max_surge=upgrade.max_surge, max_unavailable=upgrade.max_unavailable
        )
    return gcp.container.NodePoolUpgradeSettingsArgs(
        strategy="BLUE_GREEN",
        blue_green_settings=gcp.container.NodePoolUpgradeSettingsBlueGreenSettingsArgs(
            node_pool_soak_duration=f"{upgrade.soak_seconds}s",
            standard_rollout_policy=(
                gcp.container.NodePoolUpgradeSettingsBlueGreenSettingsStandardRolloutPolicyArgs(
                    batch_percentage=upgrade.batch_percent / 100
                )
            ),
        ),
    )


def _reservation(pool: PoolPlan) -> gcp.container.NodePoolNodeConfigReservationAffinityArgs | None:
    affinity = gcp.container.NodePoolNodeConfigReservationAffinityArgs
    if pool.node.reservation is not None:
        return affinity(
            consume_reservation_type="SPECIFIC_RESERVATION",
            key="compute.googleapis.com/reservation-name",
            values=_reservation_names(pool.node.reservation),
        )
    if pool.node.flex_start or pool.node.queued:
        return affinity(consume_reservation_type="NO_RESERVATION")
    return None


def _reservation_names(plan: ReservationPlan) -> list[str]:
    return [f"projects/{plan.project}/reservations/{name}" if plan.project else name for name in plan.names]


def _accelerator(attachment: Attachment) -> gcp.container.NodePoolNodeConfigGuestAcceleratorArgs:
    container = gcp.container
    return container.NodePoolNodeConfigGuestAcceleratorArgs(
        type=attachment.accelerator,
        count=attachment.count,
        gpu_partition_size=attachment.partition,
        gpu_driver_installation_config=(
            container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
                gpu_driver_version=_DRIVER[attachment.driver]
            )
        ),
        gpu_sharing_config=(
            container.NodePoolNodeConfigGuestAcceleratorGpuSharingConfigArgs(
                gpu_sharing_strategy=_SHARING[attachment.sharing],
                max_shared_clients_per_gpu=attachment.clients,
            )
            if attachment.sharing
            else None
        ),
    )


def _containerd(
    registries: Sequence[RegistryPlan],
) -> gcp.container.NodePoolNodeConfigContainerdConfigArgs | None:
    if not registries:
        return None
    access = gcp.container.NodePoolNodeConfigContainerdConfigPrivateRegistryAccessConfigArgs
    domain = gcp.container.NodePoolNodeConfigContainerdConfigPrivateRegistryAccessConfigCertificateAuthorityDomainConfigArgs  # noqa: E501 - the provider's name
    certificate = gcp.container.NodePoolNodeConfigContainerdConfigPrivateRegistryAccessConfigCertificateAuthorityDomainConfigGcpSecretManagerCertificateConfigArgs  # noqa: E501 - the provider's name
    return gcp.container.NodePoolNodeConfigContainerdConfigArgs(
        private_registry_access_config=access(
            enabled=True,
            certificate_authority_domain_configs=[
                domain(
                    fqdns=[registry.host],
                    gcp_secret_manager_certificate_config=certificate(secret_uri=registry.secret),
                )
                for registry in registries
            ],
        )
    )
