"""The rules that a pool must obey (each with cause and fix), from GKE's documentation and the catalog."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from headroom.catalog.accelerators import Accelerator, find_accelerator
from headroom.catalog.machines import Machine, capacities_with, find_machine
from headroom.catalog.topologies import is_multi_host, parse_topology, topology_problem, valid_topologies
from headroom.catalog.zones import offers, zones_in, zones_with
from headroom.planning.node_pools import PoolPlan, accelerator_name
from headroom.spec.errors import Problem, did_you_mean
from headroom.spec.pools import BlueGreen, Pool

NODES_PER_ZONE = 1000
"""GKE's limit of nodes in a node pool, for each zone (cloud.google.com/kubernetes-engine/quotas, 2026-08)."""

Complaints = Iterator[tuple[str, str]]
"""Pairs of a key below the pool and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class PoolCase:
    """A pool with what the catalog knows about it."""

    pool: Pool
    machine: Machine
    accelerator: Accelerator | None
    region: str
    zones: tuple[str, ...]

    @property
    def is_sliced(self) -> bool:
        """Whether the pool is made of multi-host TPU slices."""
        if self.machine.kind != "tpu" or self.pool.topology is None:
            return False
        topology = parse_topology(self.pool.topology)
        return topology_problem(self.machine, topology) is None and is_multi_host(self.machine, topology)

    @property
    def has_wrong_topology(self) -> bool:
        """Whether the topology is refused, so that nothing can be said about what it takes."""
        if self.pool.topology is None:
            return False
        return topology_problem(self.machine, parse_topology(self.pool.topology)) is not None


def check_pool(name: str, pool: Pool, region: str, default_zones: tuple[str, ...]) -> list[Problem]:
    """Return every rule that the pool breaks, as problems with its key in the stack file."""
    machine = find_machine(pool.machine)
    if machine is None:
        return [Problem(f"headroom:pools.{name}.machine", "is no machine type that headroom knows")]
    accelerator = find_accelerator(accelerator_name(pool, machine) or "")
    case = PoolCase(pool, machine, accelerator, region, pool.zones or default_zones)
    return [
        Problem(f"headroom:pools.{name}.{key}" if key else f"headroom:pools.{name}", message)
        for rule in RULES
        for key, message in rule(case)
    ]


def _zones(case: PoolCase) -> Complaints:
    has_devices = case.machine.devices > 0 or bool(case.machine.attachable)
    if case.accelerator is not None and has_devices and not case.pool.zones:
        known = [zone for zone in zones_with(case.machine.family) or () if zone in zones_in(case.region)]
        where = f"; in {case.region}: {', '.join(known)}" if known else ""
        yield "zones", f"is required: {case.machine.name} is offered in few zones{where}"
    if len(set(case.pool.zones)) != len(case.pool.zones):
        yield "zones", "names a zone twice"
    for number, zone in enumerate(case.pool.zones):
        if zone not in zones_in(case.region):
            yield (
                f"zones[{number}]",
                f"is not in {case.region}, whose zones are {', '.join(zones_in(case.region))}",
            )


def _offer(case: PoolCase) -> Complaints:
    attached = case.accelerator.name if case.machine.attachable and case.accelerator else None
    for number, zone in enumerate(case.zones):
        if zone in zones_in(case.region) and offers(zone, case.machine, attached) is False:
            offered = [z for z in zones_with(case.machine.name) or () if offers(z, case.machine, attached)]
            nearby = [z for z in offered if z in zones_in(case.region)] or offered
            where = f"{_shown(case)}; it is offered in {', '.join(nearby[:6])}"
            if case.pool.zones:
                yield f"zones[{number}]", f"does not have {where}"
            else:
                yield "zones", f"is required: {zone}, one of the cluster's zones, does not have {where}"
    capacities = capacities_with(case.machine, attached)
    if case.pool.capacity.kind not in capacities:
        yield (
            "capacity",
            f"{case.machine.name} is not offered as {case.pool.capacity.kind}; "
            f"it is offered as {', '.join(capacities)}",
        )


def _shown(case: PoolCase) -> str:
    attached = case.accelerator if case.machine.attachable else None
    return f"{case.machine.name} with {attached.name}" if attached else case.machine.name


def _size(case: PoolCase) -> Complaints:
    pool = case.pool
    if case.has_wrong_topology:
        return
    if case.machine.slices and pool.topology is None and pool.slices is not None:
        yield "topology", f"is missing: slices have one, such as {_multi_host_example(case.machine)}"
        return
    if case.is_sliced:
        if pool.slices is None:
            yield "slices", "is required: a multi-host topology is counted in slices, such as {max: 1}"
        if pool.nodes is not None:
            yield (
                "nodes",
                "has no meaning for a multi-host topology, which scales by whole slices; use slices",
            )
        return
    if pool.nodes is None:
        yield "nodes", "is required, such as {min: 0, max: 4}; max is the total over all zones"
    elif pool.nodes.max > NODES_PER_ZONE * len(case.zones):
        most = NODES_PER_ZONE * len(case.zones)
        yield (
            "nodes.max",
            f"is above {most}, GKE's limit of {NODES_PER_ZONE} in each of {len(case.zones)} zones",
        )
    if pool.slices is not None:
        yield "slices", "is for multi-host TPU topologies only; use nodes"


def _multi_host_example(machine: Machine) -> str:
    topologies = valid_topologies(machine)
    return next(text for text in topologies if is_multi_host(machine, parse_topology(text)))


def _topology(case: PoolCase) -> Complaints:
    if case.pool.topology is None:
        return
    if case.machine.kind != "tpu":
        yield "topology", f"is for TPUs only, and {case.machine.name} has none; remove it"
    elif problem := topology_problem(case.machine, parse_topology(case.pool.topology)):
        yield "topology", problem


def _bursty_capacity(case: PoolCase) -> Complaints:
    kind, pool = case.pool.capacity.kind, case.pool
    if kind not in ("flex-start", "queued"):
        return
    sizes = pool.slices if case.is_sliced else pool.nodes
    if sizes is not None and sizes.min > 0:
        key = "slices.min" if case.is_sliced else "nodes.min"
        yield key, f"must be 0: {kind} machines come when they are asked for and go when they are done"
    if kind == "queued" and pool.placement == "compact" and case.machine.kind != "tpu":
        yield "placement", "cannot be compact with queued capacity; remove it"
    if pool.upgrade is not None:
        yield (
            "upgrade",
            f"has no effect on {kind} machines, which are upgraded as they come and go; remove it",
        )


def _placement(case: PoolCase) -> Complaints:
    if case.pool.placement != "compact":
        return
    if len(case.zones) != 1:
        yield (
            "placement",
            f"compact means exactly one zone, and the pool has {len(case.zones)}; name one in zones",
        )
    if case.is_sliced:
        yield "placement", "the hosts of a multi-host slice are close together anyway; remove it"
    elif case.machine.kind != "tpu" and case.machine.compact_nodes == 0:
        yield "placement", f"{case.machine.family} machines cannot be placed compactly; remove it"
    elif case.pool.nodes and 0 < case.machine.compact_nodes < case.pool.nodes.max:
        yield (
            "nodes.max",
            f"is above {case.machine.compact_nodes}, the most {case.machine.family} placed compactly",
        )
    if case.machine.family == "tpu7x-standard":
        yield "placement", "TPU 7x rejects compact placement; remove it, its slices are close together anyway"


def _attached_gpu(case: PoolCase) -> Complaints:
    gpu, machine = case.pool.gpu, case.machine
    if gpu is None:
        return
    if case.accelerator is None or case.accelerator.kind != "gpu":
        if machine.attachable:
            yield "gpu.type", f"is required, such as {next(iter(machine.attachable))}"
        else:
            yield (
                "gpu",
                f"{machine.name} takes no GPU; choose a machine that has some, such as g2-standard-4",
            )
        return
    if not machine.attachable and machine.devices == 0:
        yield "gpu", f"{machine.name} takes no GPU; choose an N1 machine, or one that has some"
        return
    if not machine.attachable:
        for key, value in (("type", gpu.type), ("count", gpu.count)):
            if value is not None:
                yield f"gpu.{key}", f"is for N1 machines; {machine.name} brings {machine.devices} of its own"
        return
    counts = machine.attachable.get(case.accelerator.name, ())
    if not counts:
        yield "gpu.type", f"cannot be attached to {machine.name}, which takes {', '.join(machine.attachable)}"
    elif gpu.count not in counts:
        yield "gpu.count", f"must be one of {', '.join(map(str, counts))} on {machine.name}"


def _gpu_sharing(case: PoolCase) -> Complaints:
    gpu, accelerator = case.pool.gpu, case.accelerator
    if gpu is None or gpu.partition is None or accelerator is None or accelerator.kind != "gpu":
        return
    if not accelerator.partitions:
        yield "gpu.partition", f"{accelerator.name} cannot be partitioned; remove it, or share it in time"
    elif case.machine.device_fraction < 1:
        yield (
            "gpu.partition",
            f"{case.machine.name} has a part of a GPU, which is not divided further; remove it",
        )
    elif gpu.partition not in accelerator.partitions:
        valid = tuple(accelerator.partitions)
        yield (
            "gpu.partition",
            f"must be one of {', '.join(valid)} on {accelerator.name}" + did_you_mean(gpu.partition, valid),
        )
    if gpu.sharing is not None and gpu.sharing.strategy == "mps":
        yield "gpu.sharing", "MPS does not work on MIG partitions; use time-sharing or drop the partition"


def _disks(case: PoolCase) -> Complaints:
    disk, machine = case.pool.boot_disk, case.machine
    if disk.type is not None and disk.type not in machine.boot_disks:
        yield (
            "boot_disk.type",
            f"{machine.name} starts from {' or '.join(machine.boot_disks)} only"
            + did_you_mean(disk.type, machine.boot_disks),
        )
    if disk.size % 2**30 or not 10 * 2**30 <= disk.size <= 65_536 * 2**30:
        yield "boot_disk.size", "must be a whole number of Gi, from 10Gi to 65536Gi"
    if case.pool.local_ssd is None:
        return
    if machine.local_ssds:
        yield "local_ssd", f"{machine.name} brings {machine.local_ssds} local SSDs of its own; remove it"
    elif case.pool.local_ssd not in machine.local_ssd_choices:
        choices = ", ".join(map(str, machine.local_ssd_choices))
        takes = f"takes {choices}" if choices else "takes none; remove it"
        yield "local_ssd", f"{machine.name} {takes}"


def _upgrade(case: PoolCase) -> Complaints:
    upgrade = case.pool.upgrade
    if upgrade is None or case.pool.capacity.kind in ("flex-start", "queued"):
        return
    if case.is_sliced:
        yield "upgrade", "a multi-host slice is upgraded as a whole; remove it"
    elif isinstance(upgrade, BlueGreen) and case.pool.capacity.kind == "spot":
        yield "upgrade", "blue-green keeps a second set of nodes, which spot cannot promise; use surge"
    elif isinstance(upgrade, BlueGreen) and case.pool.placement == "compact":
        yield "upgrade", "blue-green does not go with compact placement; use surge"


RULES: tuple[Callable[[PoolCase], Complaints], ...] = (
    _zones,
    _offer,
    _size,
    _topology,
    _bursty_capacity,
    _placement,
    _attached_gpu,
    _gpu_sharing,
    _disks,
    _upgrade,
)


def check_keys(pools: Iterable[PoolPlan]) -> list[Problem]:
    """Return the pools that are called as a slice of another, which is called after its pool and a number."""
    owners: dict[str, str] = {}
    problems = []
    for pool in pools:
        for node_pool in pool.node_pools:
            other = owners.setdefault(node_pool.key, pool.name)
            if other != pool.name:
                named = max(pool.name, other, key=len)
                problems.append(
                    Problem(
                        f"headroom:pools.{named}",
                        f"has the name of a slice of {min(pool.name, other, key=len)}; choose another",
                    )
                )
    return problems
