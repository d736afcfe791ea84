"""Labels and taints that GKE itself puts on nodes: what flavors and tolerations have to match.

Sources: GoogleCloudPlatform/cluster-autoscaler pkg/cloudprovider/gke/labels/system_labels.go and
GoogleCloudPlatform/cluster-toolkit examples, 2026-08; of Arm nodes, GKE "Prepare an Arm workload".
"""

from typing import Literal

from headroom.catalog.accelerators import Accelerator
from headroom.catalog.machines import CapacityKind, Machine

Labels = tuple[tuple[str, str], ...]

_PREFIX = "cloud.google.com/gke-"
_LABELLED: tuple[CapacityKind, ...] = ("spot", "flex-start", "queued")


def node_labels(
    *,
    accelerator: Accelerator | None,
    capacity: CapacityKind,
    topology: str | None = None,
    partition: str | None = None,
    sharing: Literal["time-sharing", "mps"] | None = None,
    clients: int = 1,
    reservation: str | None = None,
) -> Labels:
    """Return the labels, sorted, that GKE puts on the nodes of a pool.

    `topology` is the pool's, single-host ones included; `clients` counts only with `sharing`.
    """
    labels = _accelerator_labels(accelerator, topology)
    if partition:
        labels[f"{_PREFIX}gpu-partition-size"] = partition
    if sharing:
        labels[f"{_PREFIX}gpu-sharing-strategy"] = sharing
        labels[f"{_PREFIX}max-shared-clients-per-gpu"] = str(clients)
    if capacity in _LABELLED:
        labels[f"{_PREFIX}{capacity}"] = "true"
    if reservation:
        labels["cloud.google.com/reservation-name"] = reservation
    return tuple(sorted(labels.items()))


def node_taints(
    machine: Machine, accelerator: Accelerator | None, capacity: CapacityKind = "on-demand"
) -> tuple[str, ...]:
    """Return the taints that GKE puts on the nodes of a pool, as `key=value:effect`."""
    taints = []
    if accelerator:
        key = "nvidia.com/gpu" if accelerator.kind == "gpu" else "google.com/tpu"
        taints.append(f"{key}=present:NoSchedule")
    if machine.architecture == "arm":
        taints.append("kubernetes.io/arch=arm64:NoSchedule")
    if capacity == "queued":
        taints.append(f"{_PREFIX}queued=true:NoSchedule")
    return tuple(taints)


def _accelerator_labels(accelerator: Accelerator | None, topology: str | None) -> dict[str, str]:
    if accelerator is None:
        return {}
    if accelerator.kind == "gpu":
        return {f"{_PREFIX}accelerator": accelerator.name}
    labels = {f"{_PREFIX}tpu-accelerator": accelerator.name}
    if topology:
        labels[f"{_PREFIX}tpu-topology"] = topology
    return labels
