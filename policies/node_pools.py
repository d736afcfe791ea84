"""Reads node pools back into the plans that they were made from, for planning's arithmetic to hold.

Counts of autoscaling and `nodeCount` are for each zone unless they are totals
(cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools, 2026-08).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.machines import CapacityKind, Machine, find_machine
from headroom.catalog.quotas import disk_quota
from headroom.catalog.topologies import hosts, is_multi_host, parse_topology
from headroom.planning.cluster import SYSTEM_TAINT
from headroom.planning.node_pools import DEFAULT_SURGE, Attachment, NodePlan, NodePoolPlan, PoolPlan
from headroom.spec.base import POOL_LABEL
from headroom.spec.pools import BlueGreen, Surge
from headroom.spec.quota import SystemPods
from policies.resources import ABSENT, UNKNOWN, Resource, each, has_unknown

NODE_POOL = "gcp:container/nodePool:NodePool"
_FIELDS = (
    ("nodeConfig", "machineType"),
    ("nodeConfig", "labels"),
    ("nodeConfig", "guestAccelerators"),
    ("nodeConfig", "spot"),
    ("nodeConfig", "preemptible"),
    ("nodeConfig", "flexStart"),
    ("nodeConfig", "reservationAffinity"),
    ("nodeConfig", "diskType"),
    ("nodeConfig", "diskSizeGb"),
    ("nodeConfig", "ephemeralStorageLocalSsdConfig"),
    ("nodeConfig", "localNvmeSsdBlockConfig"),
    ("autoscaling",),
    ("nodeCount",),
    ("nodeLocations",),
    ("placementPolicy", "tpuTopology"),
    ("queuedProvisioning",),
    ("upgradeSettings",),
)
"""What decides how much a pool offers and draws."""


class UnreadableError(ValueError):
    """Why it cannot be said what a node pool offers, in a sentence's second half."""


@dataclass(frozen=True, slots=True)
class ReadPool:
    """The node pools with one value of the pool label; `plan` None: `reasons` say why it is not known."""

    label: str
    resources: tuple[Resource, ...]
    plan: PoolPlan | None
    reasons: tuple[tuple[Resource, str], ...]
    is_system: bool
    """Whether pipelines' pods are kept off its nodes."""


def pool_label(resource: Resource) -> Any:
    """Return the value by which queues find the nodes of a node pool."""
    return resource.read("nodeConfig", "labels", POOL_LABEL)


def read_pools(
    resources: Iterable[Resource], zones: tuple[str, ...], pods: SystemPods
) -> tuple[ReadPool, ...]:
    """Return the pools that the node pools make up; `zones` are those of node pools that name none."""
    by_label: dict[str, list[Resource]] = {}
    for resource in resources:
        label = pool_label(resource)
        # What cannot be grouped is a pool by itself, so that nothing is left out.
        key = label if isinstance(label, str) else f"({resource.name})"
        by_label.setdefault(key, []).append(resource)
    return tuple(_read_pool(label, tuple(group), zones, pods) for label, group in by_label.items())


def _read_pool(label: str, group: tuple[Resource, ...], zones: tuple[str, ...], pods: SystemPods) -> ReadPool:
    plans: list[PoolPlan] = []
    reasons: list[tuple[Resource, str]] = []
    for resource in group:
        try:
            plans.append(_read_plan(label, resource, zones, pods))
        except UnreadableError as error:
            reasons.append((resource, str(error)))
    odd = [
        (resource, f"has other nodes than {group[0].name}, and both are {label}")
        for resource, plan in zip(group, plans, strict=False)
        if not reasons and (plan.node, plan.hosts_per_slice) != (plans[0].node, plans[0].hosts_per_slice)
    ]
    reasons += odd
    plan = _join(plans) if plans and not reasons else None
    return ReadPool(label, group, plan, tuple(reasons), all(map(_is_system, group)))


def _join(plans: list[PoolPlan]) -> PoolPlan:
    return replace(plans[0], node_pools=tuple(each for plan in plans for each in plan.node_pools))


def _read_plan(label: str, resource: Resource, zones: tuple[str, ...], pods: SystemPods) -> PoolPlan:
    for path in _FIELDS:
        if has_unknown(resource.read(*path)):
            raise UnreadableError(f"has {'.'.join(path)} that is not known before the update")
    machine = _read_machine(resource)
    attachment = _read_attachment(resource)
    accelerator = find_accelerator(machine.accelerator or (attachment.accelerator if attachment else ""))
    if attachment and accelerator is None:
        raise UnreadableError(f"has GPUs of a type that the catalog does not know, {attachment.accelerator}")
    own = _read_zones(resource) or zones
    if not own:
        raise UnreadableError("names no nodeLocations, nor does its cluster")
    slice_hosts = _read_slice(resource, machine)
    node = _read_node(resource, machine, attachment)
    plan = PoolPlan(
        name=label,
        machine=machine,
        accelerator=accelerator,
        capacity=_read_capacity(resource),
        node=node,
        node_pools=(_read_counts(resource, own),),
        hosts_per_slice=slice_hosts,
        location_policy="ANY",
        placement=None,
        upgrade=_read_upgrade(resource, slice_hosts),
        auto_repair=True,
        labels=(),
        taints=(),
        gke_labels=(),
        gke_taints=(),
        system_cpu_millis=pods.cpu,
        system_memory_bytes=pods.memory,
    )
    _require_devices(plan)
    return plan


def _require_devices(plan: PoolPlan) -> None:
    try:
        _ = plan.devices_per_node
    except ValueError as error:
        raise UnreadableError(f"has GPUs that cannot be cut like that: {error}") from None


def _read_machine(resource: Resource) -> Machine:
    name = resource.read("nodeConfig", "machineType")
    machine = find_machine(name) if isinstance(name, str) else None
    if machine is None:
        shown = name if isinstance(name, str) else "none"
        raise UnreadableError(f"has a machine type that the catalog does not know, {shown}")
    return machine


def _read_zones(resource: Resource) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each(resource.read("nodeLocations"))))


def _read_counts(resource: Resource, zones: tuple[str, ...]) -> NodePoolPlan:
    most = max_nodes(resource, len(zones))
    if most is None:
        raise UnreadableError("has no limit: neither a maximum of autoscaling nor a fixed nodeCount")
    return NodePoolPlan(
        key=resource.name,
        name=resource.name,
        zones=zones,
        min_nodes=0,
        max_nodes=most,
        fixed=resource.read("nodeCount") is not ABSENT,
        total_limits=resource.read("autoscaling", "totalMaxNodeCount") is not ABSENT,
    )


def max_nodes(resource: Resource, zones: int) -> int | None:
    """Return the most nodes over so many zones; None: nothing bounds them, or it is not known what does."""
    total, each_zone = (resource.read("autoscaling", key) for key in ("totalMaxNodeCount", "maxNodeCount"))
    fixed = resource.read("nodeCount")
    for amount, times in ((total, 1), (each_zone, zones), (fixed, zones)):
        if isinstance(amount, int | float) and (amount > 0 or amount is fixed):
            return int(amount) * times
    return None


def _read_capacity(resource: Resource) -> CapacityKind:
    config = "nodeConfig"
    if resource.read("queuedProvisioning", "enabled") is True:
        return "queued"
    if resource.read(config, "flexStart") is True:
        return "flex-start"
    if resource.read(config, "spot") is True or resource.read(config, "preemptible") is True:
        return "spot"
    affinity = resource.read(config, "reservationAffinity", "consumeReservationType")
    return "reservation" if affinity == "SPECIFIC_RESERVATION" else "on-demand"


def _read_attachment(resource: Resource) -> Attachment | None:
    attached = list(each(resource.read("nodeConfig", "guestAccelerators")))
    if not attached:
        return None
    sharing = attached[0].get("gpuSharingConfig") or {}
    return Attachment(
        accelerator=str(attached[0].get("type")),
        count=int(attached[0].get("count") or 0),
        driver="default",
        partition=attached[0].get("gpuPartitionSize") or None,
        sharing=None,
        clients=int(sharing.get("maxSharedClientsPerGpu") or 1),
    )


def _read_node(resource: Resource, machine: Machine, attachment: Attachment | None) -> NodePlan:
    capacity = _read_capacity(resource)
    disk, size = (resource.read("nodeConfig", key) for key in ("diskType", "diskSizeGb"))
    disk_type = disk if isinstance(disk, str) else machine.boot_disks[0]
    try:
        disk_quota(disk_type, 1, "")
    except ValueError as error:
        raise UnreadableError(f"has a boot disk whose quota is not known: {error}") from None
    return NodePlan(
        machine=machine.name,
        boot_disk_type=disk_type,
        boot_disk_gb=int(size) if isinstance(size, int | float) else _DEFAULT_DISK_GB,
        local_ssds=_read_local_ssds(resource, machine),
        attachment=attachment,
        spot=capacity == "spot",
        flex_start=capacity == "flex-start",
        queued=capacity == "queued",
        max_run_seconds=None,
        reservation=None,
        max_pods=0,
    )


_DEFAULT_DISK_GB = 100
"""What GKE gives a node whose disk has no size
(cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodeConfig, 2026-08)."""


def _read_local_ssds(resource: Resource, machine: Machine) -> int:
    counts = (
        resource.read("nodeConfig", key, "localSsdCount")
        for key in ("ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig")
    )
    asked = next((int(count) for count in counts if isinstance(count, int | float)), 0)
    return machine.local_ssds or asked


def _read_slice(resource: Resource, machine: Machine) -> int:
    text = resource.read("placementPolicy", "tpuTopology")
    if not isinstance(text, str) or not text:
        return 1
    try:
        topology = parse_topology(text)
        return hosts(machine, topology) if is_multi_host(machine, topology) else 1
    except ValueError as error:
        raise UnreadableError(f"has a TPU topology that cannot be: {error}") from None


def _read_upgrade(resource: Resource, slice_hosts: int) -> Surge | BlueGreen | None:
    if resource.read("upgradeSettings", "strategy") == "BLUE_GREEN":
        return BlueGreen()
    surge = resource.read("upgradeSettings", "maxSurge")
    if isinstance(surge, int | float):
        # Whatever GKE would accept: only the nodes that an upgrade adds are counted.
        return Surge.model_construct(max_surge=int(surge), max_unavailable=1)
    return None if slice_hosts > 1 or _read_capacity(resource) in ("flex-start", "queued") else DEFAULT_SURGE


def _is_system(resource: Resource) -> bool:
    taints = resource.read("nodeConfig", "taints")
    if taints is UNKNOWN:
        return False
    held = {(taint.get("key"), taint.get("value"), taint.get("effect")) for taint in each(taints)}
    return SYSTEM_TAINT in held
