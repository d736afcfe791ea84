"""Labels and taints that GKE puts on nodes by itself."""

import pytest

from headroom.catalog.accelerators import Accelerator, find_accelerator
from headroom.catalog.labels import node_labels, node_taints
from headroom.catalog.machines import CapacityKind, Machine, find_machine


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None, name
    return found


def accelerator(name: str) -> Accelerator:
    found = find_accelerator(name)
    assert found is not None, name
    return found


def test_nodes_without_accelerator_on_demand_get_no_labels_or_taints() -> None:
    assert node_labels(accelerator=None, capacity="on-demand") == ()
    assert node_taints(machine("n2-standard-4"), None) == ()


def test_a_gpu_is_labelled_and_tainted() -> None:
    labels = dict(node_labels(accelerator=accelerator("nvidia-l4"), capacity="spot"))
    assert labels == {
        "cloud.google.com/gke-accelerator": "nvidia-l4",
        "cloud.google.com/gke-spot": "true",
    }
    assert node_taints(machine("g2-standard-4"), accelerator("nvidia-l4")) == (
        "nvidia.com/gpu=present:NoSchedule",
    )


def test_partition_and_sharing_are_labelled() -> None:
    labels = dict(
        node_labels(
            accelerator=accelerator("nvidia-h100-80gb"),
            capacity="on-demand",
            partition="1g.10gb",
            sharing="mps",
            clients=3,
        )
    )
    assert labels == {
        "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
        "cloud.google.com/gke-gpu-partition-size": "1g.10gb",
        "cloud.google.com/gke-gpu-sharing-strategy": "mps",
        "cloud.google.com/gke-max-shared-clients-per-gpu": "3",
    }


def test_clients_are_labelled_only_where_a_gpu_is_shared() -> None:
    labels = dict(node_labels(accelerator=accelerator("nvidia-l4"), capacity="on-demand", clients=1))
    assert "cloud.google.com/gke-max-shared-clients-per-gpu" not in labels


def test_a_tpu_is_labelled_with_its_topology_and_tainted() -> None:
    v6e = accelerator("tpu-v6e-slice")
    assert dict(node_labels(accelerator=v6e, capacity="flex-start", topology="4x4")) == {
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
        "cloud.google.com/gke-tpu-topology": "4x4",
        "cloud.google.com/gke-flex-start": "true",
    }
    assert node_taints(machine("ct6e-standard-4t"), v6e) == ("google.com/tpu=present:NoSchedule",)


@pytest.mark.parametrize(
    ("capacity", "label"),
    [
        ("on-demand", None),
        ("reservation", None),
        ("spot", "cloud.google.com/gke-spot"),
        ("flex-start", "cloud.google.com/gke-flex-start"),
        ("queued", "cloud.google.com/gke-queued"),
    ],
)
def test_the_way_of_obtaining_machines_is_labelled(capacity: CapacityKind, label: str | None) -> None:
    assert node_labels(accelerator=None, capacity=capacity) == (((label, "true"),) if label else ())


def test_a_reservation_is_labelled_by_name() -> None:
    labels = node_labels(accelerator=None, capacity="reservation", reservation="h100-2026")
    assert labels == (("cloud.google.com/reservation-name", "h100-2026"),)


def test_arm_and_queued_nodes_are_tainted() -> None:
    assert node_taints(machine("c4a-standard-4"), None) == ("kubernetes.io/arch=arm64:NoSchedule",)
    assert node_taints(machine("a4x-highgpu-4g"), accelerator("nvidia-gb200")) == (
        "nvidia.com/gpu=present:NoSchedule",
        "kubernetes.io/arch=arm64:NoSchedule",
    )
    assert node_taints(machine("g2-standard-4"), accelerator("nvidia-l4"), "queued") == (
        "nvidia.com/gpu=present:NoSchedule",
        "cloud.google.com/gke-queued=true:NoSchedule",
    )


def test_labels_are_sorted() -> None:
    labels = node_labels(accelerator=accelerator("tpu7x"), capacity="spot", topology="2x2x1")
    assert list(labels) == sorted(labels)
