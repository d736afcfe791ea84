"""Turns a pool's few lines into complete node pools."""

from dataclasses import asdict, dataclass
from typing import Literal

from headroom.catalog.accelerators import Accelerator, find_accelerator
from headroom.catalog.allocatable import allocatable
from headroom.catalog.labels import node_labels, node_taints
from headroom.catalog.machines import CapacityKind, Machine, find_machine
from headroom.catalog.topologies import hosts, is_multi_host, parse_topology, single_host_topology
from headroom.planning.names import shape_hash
from headroom.spec.base import POOL_LABEL
from headroom.spec.pools import BlueGreen, FlexStart, Pool, Reservation, Surge
from headroom.spec.quota import SystemPods

DEFAULT_SURGE = Surge(max_surge=1, max_unavailable=0)
IN_PLACE = Surge(max_surge=0, max_unavailable=1)
"""How accelerators are upgraded by default: nobody has a spare one."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """GPUs on each node and how containers get at them."""

    accelerator: str
    count: int
    driver: Literal["default", "latest", "disabled"]
    partition: str | None
    sharing: Literal["time-sharing", "mps"] | None
    clients: int


@dataclass(frozen=True, slots=True)
class ReservationPlan:
    """Reservations that nodes are taken from, in turn; `project` is set where another project shares them."""

    names: tuple[str, ...]
    project: str | None


@dataclass(frozen=True, slots=True)
class NodePlan:
    """What one node is; any change of it replaces the node pool."""

    machine: str
    boot_disk_type: str
    boot_disk_gb: int
    local_ssds: int
    attachment: Attachment | None
    spot: bool
    flex_start: bool
    queued: bool
    max_run_seconds: int | None
    reservation: ReservationPlan | None
    max_pods: int


@dataclass(frozen=True, slots=True)
class PlacementPlan:
    """Nodes close together: `topology` for a multi-host TPU slice; `workload_policy` on machines that are
    placed by a policy of their own instead of compactly."""

    topology: str | None
    workload_policy: bool


@dataclass(frozen=True, slots=True)
class NodePoolPlan:
    """One GKE node pool. Counts are totals over its zones."""

    key: str
    name: str
    zones: tuple[str, ...]
    min_nodes: int
    max_nodes: int
    fixed: bool
    """A slice that is always there has a fixed size; all else is scaled by the autoscaler."""
    total_limits: bool
    """Whether limits count over all zones; a multi-host slice accepts only limits for each zone."""

    @property
    def initial_nodes_per_zone(self) -> int:
        """Nodes to start with, never more than the maximum: GKE creates as many in each zone, and the
        autoscaler does not fill a pool up to its minimum by itself."""
        zones = len(self.zones)
        return min(-(-self.min_nodes // zones), self.max_nodes // zones)


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """A pool of the stack file as it will be: what its nodes are, and the node pools that hold them."""

    name: str
    machine: Machine
    accelerator: Accelerator | None
    capacity: CapacityKind
    node: NodePlan
    node_pools: tuple[NodePoolPlan, ...]
    hosts_per_slice: int
    location_policy: Literal["BALANCED", "ANY"]
    placement: PlacementPlan | None
    upgrade: Surge | BlueGreen | None
    auto_repair: bool
    labels: tuple[tuple[str, str], ...]
    taints: tuple[tuple[str, str, str], ...]
    gke_labels: tuple[tuple[str, str], ...]
    gke_taints: tuple[str, ...]
    system_cpu_millis: int
    """What GKE's own pods ask for on every node, in thousandths of a core."""
    system_memory_bytes: int

    @property
    def max_nodes(self) -> int:
        """The most nodes that the pool has when nothing is being upgraded."""
        return sum(node_pool.max_nodes for node_pool in self.node_pools)

    @property
    def min_nodes(self) -> int:
        """The fewest nodes that the pool has."""
        return sum(node_pool.min_nodes for node_pool in self.node_pools)

    @property
    def peak_nodes(self) -> int:
        """The most nodes that exist at once, those of an upgrade included; quota must bear them."""
        if isinstance(self.upgrade, BlueGreen):
            return 2 * self.max_nodes
        return self.max_nodes + (self.upgrade.max_surge if self.upgrade else 0)

    @property
    def physical_devices(self) -> int:
        """GPUs or chips on each node, as the machine reports them."""
        return self.node.attachment.count if self.node.attachment else self.machine.devices

    @property
    def devices_per_node(self) -> int:
        """Devices that pods can ask for on each node: physical x MIG partitions x shared clients."""
        attachment = self.node.attachment
        if attachment is None or self.accelerator is None:
            return self.physical_devices
        return self.accelerator.allocatable_devices(
            attachment.count, attachment.partition, attachment.clients
        )

    @property
    def devices_per_unit(self) -> int:
        """Devices that are scheduled as a whole: the chips of a TPU slice or host, one GPU, none without."""
        if self.accelerator is None or self.accelerator.kind == "gpu":
            return 1
        return self.devices_per_node * self.hosts_per_slice

    @property
    def cpu_millis_per_node(self) -> int:
        """Thousandths of a core that pipelines' pods can ask for on each node."""
        return max(0, allocatable(self.machine).cpu_millis - self.system_cpu_millis)

    @property
    def memory_bytes_per_node(self) -> int:
        """Bytes of memory that pipelines' pods can ask for on each node."""
        return max(0, allocatable(self.machine).memory_mib * 2**20 - self.system_memory_bytes)


def plan_pool(
    name: str,
    pool: Pool,
    default_zones: tuple[str, ...],
    *,
    serves: bool,
    disk_key: str,
    system_pods: SystemPods,
) -> PoolPlan:
    """Return the complete plan of a pool that breaks none of the rules of `pool_rules`.

    `default_zones` are those of a pool that names none, `serves` says whether a serving pipeline uses it, and
    `disk_key` is the protection level of the disks' key: another one means another key and so other nodes.
    """
    machine = _require_machine(pool)
    accelerator = find_accelerator(accelerator_name(pool, machine) or "")
    topology = parse_topology(pool.topology) if pool.topology else None
    sliced = topology is not None and is_multi_host(machine, topology)
    node = _plan_node(pool, machine, accelerator)
    placement = _plan_placement(pool, machine, sliced)
    zones = pool.zones or default_zones
    slice_hosts = hosts(machine, topology) if sliced and topology else 1
    shape = {
        "node": asdict(node),
        "placement": asdict(placement) if placement else None,
        "zones": zones if pool.slices else None,
        "disk_key": disk_key,
    }
    return PoolPlan(
        name=name,
        machine=machine,
        accelerator=accelerator,
        capacity=pool.capacity.kind,
        node=node,
        node_pools=_plan_node_pools(name, pool, zones, slice_hosts, shape_hash(shape)),
        hosts_per_slice=slice_hosts,
        location_policy="ANY" if machine.kind == "tpu" or pool.capacity.kind != "on-demand" else "BALANCED",
        placement=placement,
        upgrade=_plan_upgrade(pool, machine, sliced, serves),
        auto_repair=pool.capacity.kind != "flex-start",
        labels=tuple(sorted((pool.labels | {POOL_LABEL: name}).items())),
        taints=(),
        gke_labels=node_labels(
            accelerator=accelerator,
            topology=str(topology or single_host_topology(machine)) if machine.kind == "tpu" else None,
            capacity=pool.capacity.kind,
            partition=node.attachment.partition if node.attachment else None,
            sharing=node.attachment.sharing if node.attachment else None,
            clients=node.attachment.clients if node.attachment else 1,
        ),
        gke_taints=node_taints(machine, accelerator, pool.capacity.kind),
        system_cpu_millis=system_pods.cpu,
        system_memory_bytes=system_pods.memory,
    )


def accelerator_name(pool: Pool, machine: Machine) -> str | None:
    """Return the accelerator of a pool: the machine's own, or the GPU attached to it."""
    return machine.accelerator or (pool.gpu.type if pool.gpu else None)


def _require_machine(pool: Pool) -> Machine:
    machine = find_machine(pool.machine)
    if machine is None:
        raise ValueError("the spec admits only machines that the catalog knows")
    return machine


def _plan_node(pool: Pool, machine: Machine, accelerator: Accelerator | None) -> NodePlan:
    capacity = pool.capacity
    return NodePlan(
        machine=machine.name,
        boot_disk_type=pool.boot_disk.type or machine.boot_disks[0],
        boot_disk_gb=pool.boot_disk.size // 2**30,
        local_ssds=machine.local_ssds or pool.local_ssd or 0,
        attachment=_plan_attachment(pool, machine, accelerator),
        spot=capacity.kind == "spot",
        flex_start=capacity.kind == "flex-start",
        queued=capacity.kind == "queued",
        max_run_seconds=capacity.max_run_seconds if isinstance(capacity, FlexStart) else None,
        reservation=(
            ReservationPlan(capacity.names, capacity.project) if isinstance(capacity, Reservation) else None
        ),
        max_pods=110 if accelerator is None or _is_shared(pool) else 64,
    )


def _is_shared(pool: Pool) -> bool:
    return pool.gpu is not None and (pool.gpu.sharing is not None or pool.gpu.partition is not None)


def _plan_attachment(pool: Pool, machine: Machine, accelerator: Accelerator | None) -> Attachment | None:
    if accelerator is None or accelerator.kind != "gpu":
        return None
    gpu = pool.gpu
    sharing = gpu.sharing if gpu else None
    return Attachment(
        accelerator=accelerator.name,
        count=machine.devices or (gpu.count if gpu and gpu.count else 1),
        driver=gpu.driver if gpu else "default",
        partition=gpu.partition if gpu else None,
        sharing=sharing.strategy if sharing else None,
        clients=sharing.clients if sharing else 1,
    )


def _plan_placement(pool: Pool, machine: Machine, sliced: bool) -> PlacementPlan | None:
    if sliced:
        return PlacementPlan(pool.topology, workload_policy=machine.family == "tpu7x-standard")
    return PlacementPlan(None, workload_policy=False) if pool.placement == "compact" else None


def _plan_upgrade(pool: Pool, machine: Machine, sliced: bool, serves: bool) -> Surge | BlueGreen | None:
    if sliced or pool.capacity.kind in ("flex-start", "queued"):
        return None
    if pool.upgrade is not None:
        return pool.upgrade
    if serves and pool.capacity.kind == "on-demand" and pool.placement is None:
        return BlueGreen()
    return DEFAULT_SURGE if machine.kind == "cpu" and not (pool.gpu and pool.gpu.type) else IN_PLACE


def _plan_node_pools(
    name: str, pool: Pool, zones: tuple[str, ...], slice_hosts: int, shape: str
) -> tuple[NodePoolPlan, ...]:
    if pool.slices is not None:
        return tuple(
            NodePoolPlan(
                key=f"{name}-{number}",
                name=f"{name}-{shape}-{number}",
                zones=(zones[number % len(zones)],),
                min_nodes=slice_hosts if number < pool.slices.min else 0,
                max_nodes=slice_hosts,
                fixed=number < pool.slices.min,
                total_limits=False,
            )
            for number in range(pool.slices.max)
        )
    if pool.nodes is None:
        raise ValueError("the rules admit no pool without nodes or slices")
    return (
        NodePoolPlan(
            key=name,
            name=f"{name}-{shape}",
            zones=zones,
            min_nodes=pool.nodes.min,
            max_nodes=pool.nodes.max,
            fixed=False,
            total_limits=True,
        ),
    )
