"""Machine types against the tables of Google's own autoscaler."""

from fractions import Fraction

import pytest

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.facts import load_facts
from headroom.catalog.machines import Machine, capacities_with, find_machine, machine_names

ON_DEMAND = ("on-demand", "spot", "flex-start", "queued", "reservation")
NOT_ON_DEMAND = ("spot", "flex-start", "queued", "reservation")
PLAIN = ("on-demand", "spot", "reservation")

SHAPES: dict[str, tuple[str | None, int, int, int]] = {
    "g2-standard-4": ("nvidia-l4", 1, 4, 16),
    "g2-standard-24": ("nvidia-l4", 2, 24, 96),
    "g2-standard-96": ("nvidia-l4", 8, 96, 384),
    "g4-standard-6": ("nvidia-rtx-pro-6000", 1, 6, 22),
    "g4-standard-384": ("nvidia-rtx-pro-6000", 8, 384, 1440),
    "a2-highgpu-1g": ("nvidia-tesla-a100", 1, 12, 85),
    "a2-megagpu-16g": ("nvidia-tesla-a100", 16, 96, 1360),
    "a2-ultragpu-8g": ("nvidia-a100-80gb", 8, 96, 1360),
    "a3-highgpu-1g": ("nvidia-h100-80gb", 1, 26, 234),
    "a3-highgpu-8g": ("nvidia-h100-80gb", 8, 208, 1872),
    "a3-edgegpu-8g": ("nvidia-h100-80gb", 8, 208, 1872),
    "a3-megagpu-8g": ("nvidia-h100-mega-80gb", 8, 208, 1872),
    "a3-ultragpu-8g": ("nvidia-h200-141gb", 8, 224, 2952),
    "a4-highgpu-8g": ("nvidia-b200", 8, 224, 3968),
    "a4x-highgpu-4g": ("nvidia-gb200", 4, 140, 884),
    "a4x-maxgpu-4g-metal": ("nvidia-gb300", 4, 144, 960),
    "ct4p-hightpu-4t": ("tpu-v4-podslice", 4, 240, 407),
    "ct5lp-hightpu-1t": ("tpu-v5-lite-podslice", 1, 24, 48),
    "ct5lp-hightpu-8t": ("tpu-v5-lite-podslice", 8, 224, 384),
    "ct5p-hightpu-4t": ("tpu-v5p-slice", 4, 208, 448),
    "ct6e-standard-4t": ("tpu-v6e-slice", 4, 180, 720),
    "ct6e-standard-8t": ("tpu-v6e-slice", 8, 180, 1440),
    "tpu7x-standard-4t": ("tpu7x", 4, 224, 992),
    "n2-standard-16": (None, 0, 16, 64),
    "n2d-highmem-96": (None, 0, 96, 768),
    "c4-standard-8": (None, 0, 8, 30),
    "c4a-highmem-72": (None, 0, 72, 576),
    "t2a-standard-48": (None, 0, 48, 192),
}


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_a_machine_has_the_shape_that_google_lists(name: str) -> None:
    accelerator, devices, vcpus, memory_gib = SHAPES[name]
    found = machine(name)
    assert (found.accelerator, found.devices) == (accelerator, devices)
    assert (found.vcpus, found.memory_mib) == (vcpus, memory_gib * 1024)


@pytest.mark.parametrize("name", machine_names())
def test_a_machine_is_found_by_its_name_and_is_whole(name: str) -> None:
    found = machine(name)
    assert found.name == name
    assert name.startswith(found.family)
    assert found.vcpus > 0
    assert found.memory_mib > 0
    assert found.boot_disks
    assert found.capacities
    assert not (found.local_ssds and found.local_ssd_choices)
    assert (found.accelerator is None) == (found.devices == 0) == (found.kind == "cpu")
    assert bool(found.single_host) == (found.kind == "tpu")
    if found.accelerator:
        accelerator = find_accelerator(found.accelerator)
        assert accelerator is not None
        assert accelerator.kind == found.kind


def test_no_two_rows_name_the_same_machine() -> None:
    names = [
        line.split()[0]
        for file in ("cpu_machines", "gpu_machines", "tpu_machines")
        for group in load_facts(file)
        for line in group["machines"].splitlines()
    ]
    assert sorted(names) == sorted(set(names))
    assert set(names) == set(machine_names())


def test_an_unknown_machine_is_not_found() -> None:
    assert find_machine("a3-highgpu-3g") is None
    assert find_machine("") is None


@pytest.mark.parametrize(
    ("name", "fraction"),
    [
        ("g4-standard-6", Fraction(1, 8)),
        ("g4-standard-12", Fraction(1, 4)),
        ("g4-standard-24", Fraction(1, 2)),
        ("g4-standard-48", Fraction(1)),
        ("a3-highgpu-1g", Fraction(1)),
    ],
)
def test_small_g4_machines_have_part_of_a_gpu(name: str, fraction: Fraction) -> None:
    assert machine(name).device_fraction == fraction


@pytest.mark.parametrize(
    ("name", "bundled", "choices", "size"),
    [
        ("a2-ultragpu-4g", 4, (), 375),
        ("a3-highgpu-2g", 4, (), 375),
        ("a3-highgpu-8g", 16, (), 375),
        ("a3-megagpu-8g", 16, (), 375),
        ("a3-ultragpu-8g", 32, (), 375),
        ("a4-highgpu-8g", 32, (), 375),
        ("a4x-highgpu-4g", 4, (), 3000),
        ("c3-standard-8-lssd", 2, (), 375),
        ("n2-standard-16", 0, (2, 4, 8, 16, 24), 375),
        ("a2-highgpu-2g", 0, (2, 4, 8), 375),
        ("g2-standard-24", 0, (2,), 375),
        ("e2-standard-4", 0, (), 375),
        ("ct6e-standard-4t", 0, (), 375),
    ],
)
def test_local_ssds_are_bundled_or_a_choice(
    name: str, bundled: int, choices: tuple[int, ...], size: int
) -> None:
    found = machine(name)
    assert (found.local_ssds, found.local_ssd_choices, found.local_ssd_gb) == (bundled, choices, size)


HYPERDISK_ONLY = {"c4", "c4a", "g4", "a3-ultragpu", "a4-highgpu", "a4x-highgpu", "a4x-maxgpu"}
HYPERDISK_ONLY |= {"ct6e", "tpu7x-standard"}


@pytest.mark.parametrize("name", machine_names())
def test_hyperdisk_is_the_only_boot_disk_of_newer_machines(name: str) -> None:
    found = machine(name)
    if found.family in HYPERDISK_ONLY:
        assert found.boot_disks == ("hyperdisk-balanced",)
    else:
        assert found.boot_disks[0] == "pd-balanced"


@pytest.mark.parametrize(
    ("name", "capacities"),
    [
        ("a3-highgpu-8g", ON_DEMAND),
        ("a3-highgpu-4g", NOT_ON_DEMAND),
        ("a3-highgpu-1g", NOT_ON_DEMAND),
        ("a3-ultragpu-8g", NOT_ON_DEMAND),
        ("a4-highgpu-8g", NOT_ON_DEMAND),
        ("a4x-highgpu-4g", ("reservation",)),
        ("a3-edgegpu-8g", PLAIN),
        ("ct4p-hightpu-4t", PLAIN),
        ("ct5p-hightpu-4t", ON_DEMAND),
        ("g2-standard-4", ON_DEMAND),
        ("n2-standard-4", PLAIN),
    ],
)
def test_a_machine_is_offered_only_in_some_ways(name: str, capacities: tuple[str, ...]) -> None:
    assert machine(name).capacities == capacities


@pytest.mark.parametrize(
    ("name", "gpu", "counts"),
    [
        ("n1-standard-8", "nvidia-tesla-v100", (1, 2, 4, 8)),
        ("n1-standard-16", "nvidia-tesla-v100", (2, 4, 8)),
        ("n1-standard-96", "nvidia-tesla-v100", (8,)),
        ("n1-standard-32", "nvidia-tesla-t4", (1, 2, 4)),
        ("n1-standard-64", "nvidia-tesla-t4", (4,)),
        ("n1-standard-64", "nvidia-tesla-p100", (4,)),
        ("n1-standard-96", "nvidia-tesla-p100", ()),
        ("n1-standard-32", "nvidia-tesla-p4", (2, 4)),
    ],
)
def test_an_n1_machine_takes_only_as_few_gpus_as_its_size_allows(
    name: str, gpu: str, counts: tuple[int, ...]
) -> None:
    assert machine(name).attachable.get(gpu, ()) == counts


def test_only_n1_machines_take_gpus() -> None:
    assert {machine(name).family for name in machine_names() if machine(name).attachable} == {"n1"}


def test_a_gpu_attached_to_an_n1_machine_opens_flex_start() -> None:
    n1 = machine("n1-standard-8")
    assert n1.capacities == PLAIN
    assert capacities_with(n1, None) == PLAIN
    assert capacities_with(n1, "nvidia-tesla-t4") == ON_DEMAND
    assert capacities_with(machine("a3-edgegpu-8g"), "nvidia-h100-80gb") == PLAIN


def test_arm_machines_are_known_as_such() -> None:
    arm = {machine(name).family for name in machine_names() if machine(name).architecture == "arm"}
    assert arm == {"c4a", "t2a", "a4x-highgpu", "a4x-maxgpu"}


@pytest.mark.parametrize(
    ("name", "most"), [("a3-highgpu-8g", 96), ("a4-highgpu-8g", 1500), ("e2-standard-4", 0)]
)
def test_compact_placement_has_a_size(name: str, most: int) -> None:
    assert machine(name).compact_nodes == most


def test_memory_of_n1_machines_keeps_its_fraction() -> None:
    assert machine("n1-standard-1").memory_mib == 3840
    assert machine("n1-highcpu-2").memory_mib == 1843
    assert machine("n1-highmem-2").memory_mib == 13312
