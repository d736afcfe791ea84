"""Machine types: one frozen record each, from the tables in `data/*_machines.yaml`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, Literal

from headroom.catalog.accelerators import attachable_counts, find_accelerator
from headroom.catalog.facts import load_facts, parse_pairs

CapacityKind = Literal["on-demand", "spot", "flex-start", "queued", "reservation"]
"""Ways in which machines are obtained."""

LOCAL_SSD_GB = 375
"""Size of a local SSD, in GB, on all machine types but a few (`Machine.local_ssd_gb`)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine type, as Compute Engine offers it and as its nodes report themselves."""

    name: str
    family: str
    """What quota and zones go by: "a3-highgpu", "n2", "ct5lp"."""
    vcpus: int
    memory_mib: int
    architecture: Literal["x86", "arm"]
    accelerator: str | None
    """Name of the accelerator that comes with the machine; None: none does."""
    devices: int
    """GPUs or chips that the node reports; 0 on a machine without an accelerator."""
    device_fraction: Fraction
    """Share of a physical GPU that each reported device is: 1/8 on g4-standard-6, else 1."""
    local_ssds: int
    """Local SSDs that come with the machine."""
    local_ssd_choices: tuple[int, ...]
    """Counts of local SSDs that can be asked for instead; empty: none."""
    local_ssd_gb: int
    """Size of one local SSD."""
    boot_disks: tuple[str, ...]
    """Disk types that the machine starts from, the default first."""
    compact_nodes: int
    """Most nodes of a compact placement; 0: none is known. TPU slices are placed by their topology."""
    capacities: tuple[CapacityKind, ...]
    """Ways in which the machine is offered, without what an attached GPU adds (`capacities_with`)."""
    attachable: Mapping[str, tuple[int, ...]] = field(hash=False)
    """N1: accelerator -> how many of it this size accepts; empty on all others."""
    single_host: str
    """TPU: the topology that one machine is, such as "2x2"; else empty."""
    slices: str
    """TPU: key of the multi-host topologies (`data/topologies.yaml`); empty: single-host only."""

    @property
    def kind(self) -> Literal["cpu", "gpu", "tpu"]:
        """What pods come to this machine for, a GPU attached to it left aside."""
        accelerator = find_accelerator(self.accelerator or "")
        return accelerator.kind if accelerator else "cpu"


def find_machine(name: str) -> Machine | None:
    """Return the machine type of that name, or None where the catalog has none."""
    return _machines().get(name)


def machine_names() -> tuple[str, ...]:
    """Return the names of all machine types, those without an accelerator first."""
    return tuple(_machines())


def capacities_with(machine: Machine, accelerator: str | None) -> tuple[CapacityKind, ...]:
    """Return the ways in which the machine is offered with that GPU attached, if any."""
    if accelerator not in machine.attachable:
        return machine.capacities
    row = next(row for row in load_facts("attachable_gpus") if accelerator in row["most_vcpus"])
    return tuple(row["capacities"].split())


@cache
def _machines() -> dict[str, Machine]:
    return {machine.name: machine for machine in _read_machines()}


def _read_machines() -> Iterator[Machine]:
    for file in ("cpu_machines", "gpu_machines", "tpu_machines"):
        for group in load_facts(file):
            for line in group["machines"].splitlines():
                yield _read_machine(group, line)


def _read_machine(group: dict[str, Any], line: str) -> Machine:
    cells = line.split()
    figures = [cell for cell in cells if "=" not in cell]
    extras = parse_pairs(" ".join(cell for cell in cells if "=" in cell))
    name, vcpus, memory_gib = figures[0], int(figures[1]), float(figures[2])
    return Machine(
        name=name,
        family=group["family"],
        vcpus=vcpus,
        memory_mib=round(memory_gib * 1024),
        architecture=group.get("architecture", "x86"),
        accelerator=group.get("accelerator"),
        devices=int(figures[3]) if len(figures) > 3 else 0,
        device_fraction=Fraction(extras.get("fraction", "1")),
        local_ssds=int(extras.get("ssd", 0)),
        local_ssd_choices=tuple(int(count) for count in extras.get("choices", "").split(",") if count),
        local_ssd_gb=group.get("local_ssd_gb", LOCAL_SSD_GB),
        boot_disks=tuple(group["boot_disks"].split()),
        compact_nodes=group.get("compact_nodes", 0),
        capacities=tuple(group["capacities"].split()),
        attachable=attachable_counts(group["family"], vcpus),
        single_host=extras.get("single_host", ""),
        slices=extras.get("slices", ""),
    )
