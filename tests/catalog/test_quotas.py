"""Which quotas a node draws from, and how much."""

from fractions import Fraction

import pytest

from headroom.catalog.facts import load_facts
from headroom.catalog.machines import (
    CapacityKind,
    Machine,
    capacities_with,
    find_machine,
    machine_names,
)
from headroom.catalog.quotas import QuotaLine, disk_quota, local_ssd_quota, machine_quotas

REGION = "us-central1"


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None, name
    return found


def drawn(
    name: str, capacity: CapacityKind, gpu: str | None = None, count: int = 0
) -> dict[str, int | Fraction]:
    return {
        "/".join([line.quota_id, *(value for _, value in line.dimensions)]): amount
        for line, amount in machine_quotas(machine(name), capacity, gpu, count, REGION)
    }


CASES: list[tuple[str, CapacityKind, dict[str, int]]] = [
    (
        "e2-standard-4",
        "on-demand",
        {
            "INSTANCES-per-project-region": 1,
            "CPUS-ALL-REGIONS-per-project": 4,
            "CPUS-per-project-region": 4,
        },
    ),
    (
        "n2-standard-16",
        "on-demand",
        {
            "INSTANCES-per-project-region": 1,
            "CPUS-ALL-REGIONS-per-project": 16,
            "N2-CPUS-per-project-region": 16,
        },
    ),
    (
        "n2-standard-16",
        "spot",
        {"INSTANCES-per-project-region": 1, "PREEMPTIBLE-CPUS-per-project-region": 16},
    ),
    (
        "c4-standard-8",
        "on-demand",
        {
            "INSTANCES-per-project-region": 1,
            "CPUS-ALL-REGIONS-per-project": 8,
            "CPUS-PER-VM-FAMILY-per-project-region/C4": 8,
        },
    ),
    (
        "g2-standard-48",
        "on-demand",
        {
            "INSTANCES-per-project-region": 1,
            "CPUS-ALL-REGIONS-per-project": 48,
            "CPUS-PER-VM-FAMILY-per-project-region/G2": 48,
            "GPUS-ALL-REGIONS-per-project": 4,
            "NVIDIA-L4-GPUS-per-project-region": 4,
        },
    ),
    (
        "g2-standard-48",
        "spot",
        {
            "INSTANCES-per-project-region": 1,
            "PREEMPTIBLE-CPUS-per-project-region": 48,
            "PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region": 4,
        },
    ),
    (
        "a3-highgpu-8g",
        "on-demand",
        {
            "INSTANCES-per-project-region": 1,
            "CPUS-ALL-REGIONS-per-project": 208,
            "CPUS-PER-VM-FAMILY-per-project-region/A3": 208,
            "GPUS-ALL-REGIONS-per-project": 8,
            "GPUS-PER-GPU-FAMILY-per-project-region/NVIDIA_H100": 8,
        },
    ),
    (
        "a3-highgpu-8g",
        "flex-start",
        {
            "INSTANCES-per-project-region": 1,
            "PREEMPTIBLE-CPUS-per-project-region": 208,
            "PREEMPTIBLE-NVIDIA-H100-GPUS-per-project-region": 8,
        },
    ),
    (
        "ct5lp-hightpu-4t",
        "on-demand",
        {"INSTANCES-per-project-region": 1, "TPU-LITE-PODSLICE-V5-per-project-region": 4},
    ),
    (
        "ct6e-standard-8t",
        "on-demand",
        {"INSTANCES-per-project-region": 1, "TPUS-PER-TPU-FAMILY-per-project-region/CT6E": 8},
    ),
    (
        "ct6e-standard-8t",
        "queued",
        {"INSTANCES-per-project-region": 1, "PREEMPTIBLE-TPU-V6E-per-project-region": 8},
    ),
    (
        "tpu7x-standard-4t",
        "on-demand",
        {"INSTANCES-per-project-region": 1, "TPUS-PER-TPU-FAMILY-per-project-region/tpu7x": 4},
    ),
]


@pytest.mark.parametrize(("name", "capacity", "expected"), CASES)
def test_a_node_draws_from_the_quotas_of_its_machine(
    name: str, capacity: CapacityKind, expected: dict[str, int]
) -> None:
    assert drawn(name, capacity) == expected


def test_a_gpu_attached_to_an_n1_machine_draws_beside_its_cores() -> None:
    assert drawn("n1-standard-8", "on-demand", "nvidia-tesla-t4", 2) == {
        "INSTANCES-per-project-region": 1,
        "CPUS-ALL-REGIONS-per-project": 8,
        "CPUS-per-project-region": 8,
        "GPUS-ALL-REGIONS-per-project": 2,
        "NVIDIA-T4-GPUS-per-project-region": 2,
    }


def test_repeating_what_the_machine_brings_changes_nothing() -> None:
    assert drawn("a3-highgpu-8g", "spot", "nvidia-h100-80gb", 8) == drawn("a3-highgpu-8g", "spot")


def test_part_of_a_gpu_counts_as_that_part() -> None:
    quota = "GPUS-PER-GPU-FAMILY-per-project-region/NVIDIA_RTX_PRO_6000"
    assert drawn("g4-standard-6", "on-demand")[quota] == Fraction(1, 8)
    assert drawn("g4-standard-24", "on-demand")[quota] == Fraction(1, 2)
    assert drawn("g4-standard-48", "on-demand")[quota] == 1
    assert drawn("g4-standard-384", "on-demand")[quota] == 8


@pytest.mark.parametrize("name", machine_names())
def test_a_reservation_draws_nothing_and_every_other_way_draws_something(name: str) -> None:
    found = machine(name)
    assert drawn(name, "reservation") == {}
    for gpu in (None, *found.attachable):
        for capacity in capacities_with(found, gpu):
            if capacity != "reservation":
                _assert_devices_and_cores_are_counted(found, capacity, gpu)


def _assert_devices_and_cores_are_counted(found: Machine, capacity: CapacityKind, gpu: str | None) -> None:
    count = found.attachable[gpu][0] if gpu else 0
    lines = machine_quotas(found, capacity, gpu, count, REGION)
    regional = [(line, amount) for line, amount in lines if line.region]
    devices = found.device_fraction * (found.devices or count)
    models = [amount for line, amount in regional if "GPU" in line.quota_id or "TPU" in line.quota_id]
    cores = [amount for line, amount in regional if "CPU" in line.quota_id]
    assert models == ([devices] if devices else [])
    assert cores == ([found.vcpus] if found.kind != "tpu" else [])
    assert len({line for line, _ in lines}) == len(lines)
    assert all(amount > 0 for _, amount in lines)


def test_global_quotas_have_no_region() -> None:
    lines = [line for line, _ in machine_quotas(machine("a3-highgpu-8g"), "on-demand", None, 0, REGION)]
    assert {line.quota_id for line in lines if line.region is None} == {
        "CPUS-ALL-REGIONS-per-project",
        "GPUS-ALL-REGIONS-per-project",
    }
    assert {line.region for line in lines} == {None, REGION}


def test_ids_that_only_users_report_are_marked() -> None:
    def verified(name: str, capacity: CapacityKind, quota: str) -> bool:
        lines = machine_quotas(machine(name), capacity, None, 0, REGION)
        return next(line.verified for line, _ in lines if line.quota_id == quota)

    assert verified("g2-standard-4", "on-demand", "NVIDIA-L4-GPUS-per-project-region")
    assert not verified("a3-highgpu-8g", "spot", "PREEMPTIBLE-NVIDIA-H100-GPUS-per-project-region")
    assert not verified("ct5p-hightpu-4t", "on-demand", "TPU-V5P-per-project-region")
    assert not verified("ct4p-hightpu-4t", "on-demand", "TPU-PODSLICE-V4-per-project-region")


def test_no_quota_is_stated_twice_for_the_same_machines() -> None:
    rows = [
        tuple(
            sorted((key, value) for key, value in row.items() if key in ("quota", "dimensions", "capacities"))
        )
        for group in load_facts("quotas")
        for row in group.get("quotas", ())
    ]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    ("disk", "quota"),
    [
        ("pd-balanced", "SSD-TOTAL-GB-per-project-region"),
        ("pd-ssd", "SSD-TOTAL-GB-per-project-region"),
        ("pd-standard", "DISKS-TOTAL-GB-per-project-region"),
        ("hyperdisk-balanced", "HDB-TOTAL-GB-per-project-region"),
    ],
)
def test_a_boot_disk_draws_by_its_type(disk: str, quota: str) -> None:
    assert disk_quota(disk, 100, REGION) == (QuotaLine(quota, REGION), 100)


def test_every_boot_disk_of_every_machine_has_a_quota() -> None:
    for disk in {disk for name in machine_names() for disk in machine(name).boot_disks}:
        assert disk_quota(disk, 1, REGION)[1] == 1


def test_an_unknown_disk_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"pd-extreme is no disk type.*hyperdisk-balanced, pd-balanced"):
        disk_quota("pd-extreme", 100, REGION)


def test_local_ssds_draw_by_machine_series_and_size() -> None:
    line, amount = local_ssd_quota(machine("a3-highgpu-8g"), 16, REGION)
    assert (line.dimensions, amount) == ((("vm_family", "A3"),), 6000)
    assert not line.verified
    line, amount = local_ssd_quota(machine("n2-standard-8"), 2, REGION)
    assert (line.dimensions, amount) == ((("vm_family", "N2"),), 750)
    assert local_ssd_quota(machine("a4x-highgpu-4g"), 4, REGION)[1] == 12000


def test_local_ssds_of_spot_machines_draw_from_the_preemptible_quota() -> None:
    line, amount = local_ssd_quota(machine("n2-standard-8"), 2, REGION, "spot")
    assert (line.quota_id, line.dimensions, amount) == (
        "PREEMPTIBLE-LOCAL-SSD-GB-per-project-region",
        (),
        750,
    )
