"""What is left for pods on a node after the kernel, the kubelet and eviction have had their share."""

from dataclasses import dataclass
from math import ceil

from headroom.catalog.machines import Machine

# GKE, "Plan node sizes", 2026-08: CPU in millicores, memory in MiB; each rate holds up to its bound. From
# version 1.37 GKE reserves less on large nodes (cluster-autoscaler gke/reserved.go): these figures stay safe.
_CPU_RATES = ((1_000, 0.06), (2_000, 0.01), (4_000, 0.005), (None, 0.0025))
_MEMORY_RATES = ((4_096, 0.25), (8_192, 0.20), (16_384, 0.10), (131_072, 0.06), (None, 0.02))
_SMALL_NODE_MIB, _SMALL_NODE_RESERVED_MIB = 1_024, 255
_EVICTION_MIB = 100

# kubernetes/autoscaler cluster-autoscaler/cloudprovider/gce/reserved.go, 2026-08: the kernel's own share, not
# reported as capacity by the node. The correction is what its authors measured on Container-Optimized OS.
_KERNEL_SHARE, _KERNEL_FIXED_MIB = 1 / 64, 16
_BOUNCE_BUFFER_MIB, _BOUNCE_BUFFER_ABOVE_MIB = 64, 3_072
_CORRECTION_SHARE, _MOST_CORRECTION_MIB = 0.00175, 248
_SMALL_OFFSET_MIB, _SMALL_UP_TO_MIB = 8, 8_192


@dataclass(frozen=True, slots=True)
class Allocatable:
    """What the pods of one node can ask for together, GKE's own daemons included."""

    cpu_millis: int
    memory_mib: int


def allocatable(machine: Machine) -> Allocatable:
    """Return what a node of that machine offers to pods, rounded down, with the standard node image.

    Image streaming takes another 4 % of what the kubelet keeps of the memory.
    """
    cpu = machine.vcpus * 1_000
    memory = machine.memory_mib
    kept = _kernel_memory(memory) + _kube_memory(memory) + _EVICTION_MIB
    return Allocatable(cpu - _reserved(cpu, _CPU_RATES), memory - kept)


def _kube_memory(memory_mib: int) -> int:
    if memory_mib < _SMALL_NODE_MIB:
        return _SMALL_NODE_RESERVED_MIB
    return _reserved(memory_mib, _MEMORY_RATES)


def _kernel_memory(memory_mib: int) -> int:
    share = memory_mib * _KERNEL_SHARE + min(memory_mib * _CORRECTION_SHARE, _MOST_CORRECTION_MIB)
    buffer = _BOUNCE_BUFFER_MIB if memory_mib > _BOUNCE_BUFFER_ABOVE_MIB else 0
    offset = _SMALL_OFFSET_MIB if memory_mib <= _SMALL_UP_TO_MIB else 0
    return ceil(share) + _KERNEL_FIXED_MIB + buffer + offset


def _reserved(capacity: int, rates: tuple[tuple[int | None, float], ...]) -> int:
    """Return the sum of each rate over its part of the capacity, rounded up."""
    total, lower = 0.0, 0
    for bound, rate in rates:
        upper = capacity if bound is None else min(bound, capacity)
        total += max(upper - lower, 0) * rate
        lower = upper
    return ceil(round(total, 6))
