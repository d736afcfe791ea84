"""Node pools: each as the plan has it, the new one up before the old one goes.

There may be thousands, so their inputs are typed dictionaries, which cost the SDK less than its Args objects.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from headroom.planning.cluster import RegistryPlan
from headroom.planning.node_pools import (
    Attachment,
    NodePoolPlan,
    PlacementPlan,
    PoolPlan,
    ReservationPlan,
)
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
        return self.own(
            gcp.container.NodePool(
                self.scope.name(f"pool-{plan.key}"),
                name=plan.name,
                project=self.scope.project,
                location=self.scope.region,
                # The name is known. For an Output the SDK walks all that the cluster depends on, for each
                # pool again; the system pool, which comes first, depends on the cluster anyway.
                cluster=self.scope.name("cluster") if depends_on else self._cluster.name,
                node_locations=list(plan.zones),
                max_pods_per_node=pool.node.max_pods,
                node_count=plan.max_nodes if plan.fixed else None,
                initial_node_count=None if plan.fixed else plan.initial_nodes_per_zone,
                autoscaling=None if plan.fixed else _autoscaling(pool, plan),
                management={"auto_repair": pool.auto_repair, "auto_upgrade": True},
                upgrade_settings=_upgrade(pool.upgrade),
                network_config={"enable_private_nodes": True},
                placement_policy=self._placement(pool, plan),
                queued_provisioning={"enabled": True} if pool.node.queued else None,
                node_config=self._node_config(pool),
                opts=self.options(
                    depends_on=depends_on,
                    # The autoscaler sets counts and Google upgrades versions: neither is drift.
                    ignore=["initial_node_count", "version", *([] if plan.fixed else ["node_count"])],
                    minutes=60,
                    delete_before_replace=False,
                    guard=self._guard,
                ),
            )
        )

    def _node_config(self, pool: PoolPlan) -> gcp.container.NodePoolNodeConfigArgsDict:
        node = pool.node
        config: gcp.container.NodePoolNodeConfigArgsDict = {
            "machine_type": node.machine,
            "image_type": "COS_CONTAINERD",
            "disk_type": node.boot_disk_type,
            "disk_size_gb": node.boot_disk_gb,
            "boot_disk_kms_key": self._disk_key,
            "service_account": self._account,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "metadata": {"disable-legacy-endpoints": "true"},
            "labels": dict(pool.labels),
            "taints": [{"key": key, "value": value, "effect": effect} for key, value, effect in pool.taints],
            "reservation_affinity": _reservation(pool),
            "containerd_config": _containerd(self._registries),
            "gvnic": {"enabled": True},
            "kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE"},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            "workload_metadata_config": {"mode": "GKE_METADATA"},
        }
        if node.spot:
            config["spot"] = True
        if node.flex_start:
            config["flex_start"] = True
            config["max_run_duration"] = f"{node.max_run_seconds}s"
        if node.attachment is not None:
            config["guest_accelerators"] = [_accelerator(node.attachment)]
        if node.local_ssds:
            config["ephemeral_storage_local_ssd_config"] = {"local_ssd_count": node.local_ssds}
        return config

    def _placement(
        self, pool: PoolPlan, plan: NodePoolPlan
    ) -> gcp.container.NodePoolPlacementPolicyArgsDict | None:
        if pool.placement is None:
            return None
        policy = self._workload_policy(pool.placement, plan) if pool.placement.workload_policy else None
        return {
            "type": "COMPACT",
            "tpu_topology": pool.placement.topology,
            "policy_name": policy.name if policy else None,
        }

    def _workload_policy(self, placement: PlacementPlan, plan: NodePoolPlan) -> gcp.compute.ResourcePolicy:
        return self.own(
            gcp.compute.ResourcePolicy(
                self.scope.name(f"placement-{plan.key}"),
                name=self.scope.name(plan.name),
                project=self.scope.project,
                region=self.scope.region,
                workload_policy={"type": "HIGH_THROUGHPUT", "accelerator_topology": placement.topology},
                opts=self.options(),
            )
        )


def _autoscaling(pool: PoolPlan, plan: NodePoolPlan) -> gcp.container.NodePoolAutoscalingArgsDict:
    if plan.total_limits:
        return {
            "location_policy": pool.location_policy,
            "total_min_node_count": plan.min_nodes,
            "total_max_node_count": plan.max_nodes,
        }
    return {
        "location_policy": pool.location_policy,
        "min_node_count": plan.min_nodes,
        "max_node_count": plan.max_nodes,
    }


def _upgrade(upgrade: Surge | BlueGreen | None) -> gcp.container.NodePoolUpgradeSettingsArgsDict | None:
    if upgrade is None:
        return None
    if isinstance(upgrade, Surge):
        return {
            "strategy": "SURGE",
            "max_surge": upgrade.max_surge,
            "max_unavailable": upgrade.max_unavailable,
        }
    return {
        "strategy": "BLUE_GREEN",
        "blue_green_settings": {
            "node_pool_soak_duration": f"{upgrade.soak_seconds}s",
            "standard_rollout_policy": {"batch_percentage": upgrade.batch_percent / 100},
        },
    }


def _reservation(pool: PoolPlan) -> gcp.container.NodePoolNodeConfigReservationAffinityArgsDict | None:
    if pool.node.reservation is not None:
        return {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": _reservation_names(pool.node.reservation),
        }
    if pool.node.flex_start or pool.node.queued:
        return {"consume_reservation_type": "NO_RESERVATION"}
    return None


def _reservation_names(plan: ReservationPlan) -> list[str]:
    return [f"projects/{plan.project}/reservations/{name}" if plan.project else name for name in plan.names]


def _accelerator(attachment: Attachment) -> gcp.container.NodePoolNodeConfigGuestAcceleratorArgsDict:
    accelerator: gcp.container.NodePoolNodeConfigGuestAcceleratorArgsDict = {
        "type": attachment.accelerator,
        "count": attachment.count,
        "gpu_partition_size": attachment.partition,
        "gpu_driver_installation_config": {"gpu_driver_version": _DRIVER[attachment.driver]},
    }
    if attachment.sharing is not None:
        accelerator["gpu_sharing_config"] = {
            "gpu_sharing_strategy": _SHARING[attachment.sharing],
            "max_shared_clients_per_gpu": attachment.clients,
        }
    return accelerator


def _containerd(
    registries: Sequence[RegistryPlan],
) -> gcp.container.NodePoolNodeConfigContainerdConfigArgsDict | None:
    if not registries:
        return None
    return {
        "private_registry_access_config": {
            "enabled": True,
            "certificate_authority_domain_configs": [
                {
                    "fqdns": [registry.host],
                    "gcp_secret_manager_certificate_config": {"secret_uri": registry.secret},
                }
                for registry in registries
            ],
        }
    }
