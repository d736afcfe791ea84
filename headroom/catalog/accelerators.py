"""GPUs and TPUs: what one device is, and how it can be divided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from headroom.catalog.facts import load_facts, parse_pairs

FEWEST_CLIENTS, MOST_CLIENTS = 2, 48
"""Containers that can share one GPU (GoogleCloudPlatform/cluster-autoscaler machinetypes/gpu.go, 2026-08)."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One kind of GPU or TPU chip, as nodes name it."""

    name: str
    """Value of the node label `cloud.google.com/gke-accelerator` or `gke-tpu-accelerator`."""
    kind: Literal["gpu", "tpu"]
    memory_gib: int
    """Memory of one device."""
    partitions: Mapping[str, int] = field(hash=False)
    """MIG partition -> how many of it one GPU gives; empty: it cannot be partitioned."""
    generation: str
    """TPU: "v5e" and the like; GPU: empty."""

    def allocatable_devices(self, physical: int, partition: str | None = None, clients: int = 1) -> int:
        """Return the devices that pods can ask for: physical x MIG partitions x shared clients.

        Raises ValueError when the accelerator has no such partition.
        """
        if partition is None:
            return physical * clients
        if partition not in self.partitions:
            known = ", ".join(self.partitions) or "none"
            raise ValueError(f"{self.name} has no partition {partition}; it has {known}")
        return physical * self.partitions[partition] * clients


def find_accelerator(name: str) -> Accelerator | None:
    """Return the accelerator of that label value, or None where the catalog has none."""
    return _accelerators().get(name)


def accelerator_names() -> tuple[str, ...]:
    """Return the names of all accelerators, GPUs first, each by age."""
    return tuple(_accelerators())


def attachable_gpus() -> tuple[str, ...]:
    """Return the GPUs that are attached to N1 machines instead of coming with a machine type."""
    return tuple(name for row in load_facts("attachable_gpus") for name in row["most_vcpus"])


def attachable_counts(family: str, vcpus: int) -> dict[str, tuple[int, ...]]:
    """Return, for each GPU that a machine of that size accepts, how many of it can be attached."""
    rows = [row for row in load_facts("attachable_gpus") if row["family"] == family]
    counts = {
        name: tuple(int(count) for count, most in parse_pairs(limits).items() if vcpus <= int(most))
        for row in rows
        for name, limits in row["most_vcpus"].items()
    }
    return {name: accepted for name, accepted in counts.items() if accepted}


@cache
def _accelerators() -> dict[str, Accelerator]:
    return {
        name: Accelerator(
            name=name,
            kind=group["kind"],
            memory_gib=row["memory_gib"],
            partitions={size: int(n) for size, n in parse_pairs(row.get("partitions", "")).items()},
            generation=row.get("generation", ""),
        )
        for group in load_facts("accelerators")
        for name, row in group["accelerators"].items()
    }
