"""Accelerators, MIG partitions and what pods can ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.catalog.accelerators import (
    Accelerator,
    accelerator_names,
    attachable_counts,
    attachable_gpus,
    find_accelerator,
)


def accelerator(name: str) -> Accelerator:
    found = find_accelerator(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize(
    ("name", "partitions"),
    [
        ("nvidia-l4", {}),
        ("nvidia-gb300", {}),
        ("tpu-v6e-slice", {}),
        ("nvidia-tesla-a100", {"1g.5gb": 7, "2g.10gb": 3, "3g.20gb": 2, "7g.40gb": 1}),
        ("nvidia-a100-80gb", {"1g.10gb": 7, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1}),
        ("nvidia-h100-80gb", {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1}),
        ("nvidia-h200-141gb", {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "7g.141gb": 1}),
        ("nvidia-b200", {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "7g.180gb": 1}),
    ],
)
def test_a_gpu_has_the_mig_partitions_that_gke_knows(name: str, partitions: dict[str, int]) -> None:
    assert accelerator(name).partitions == partitions


@pytest.mark.parametrize(
    ("name", "kind", "generation", "memory_gib"),
    [
        ("nvidia-h100-80gb", "gpu", "", 80),
        ("tpu-v4-podslice", "tpu", "v4", 32),
        ("tpu-v5-lite-podslice", "tpu", "v5e", 16),
        ("tpu-v5p-slice", "tpu", "v5p", 95),
        ("tpu-v6e-slice", "tpu", "v6e", 32),
        ("tpu7x", "tpu", "v7x", 192),
    ],
)
def test_an_accelerator_has_kind_generation_and_memory(
    name: str, kind: str, generation: str, memory_gib: int
) -> None:
    found = accelerator(name)
    assert (found.kind, found.generation, found.memory_gib) == (kind, generation, memory_gib)


@pytest.mark.parametrize("name", accelerator_names())
def test_partitions_never_take_more_than_the_gpu_has(name: str) -> None:
    found = accelerator(name)
    for partition, count in found.partitions.items():
        slices, memory = partition.removesuffix("gb").split("g.")
        assert count * int(slices) <= 7, partition
        assert int(memory) <= found.memory_gib, partition


def test_allocatable_devices_are_physical_times_partitions_times_clients() -> None:
    a100 = accelerator("nvidia-a100-80gb")
    assert a100.allocatable_devices(4) == 4
    assert a100.allocatable_devices(4, "2g.20gb") == 12
    assert a100.allocatable_devices(4, "2g.20gb", clients=5) == 60
    assert accelerator("nvidia-l4").allocatable_devices(2, clients=8) == 16


@given(st.sampled_from(accelerator_names()), st.integers(1, 16), st.integers(1, 48))
def test_dividing_gpus_never_loses_any(name: str, physical: int, clients: int) -> None:
    found = accelerator(name)
    for partition in (None, *found.partitions):
        assert found.allocatable_devices(physical, partition, clients) >= physical * clients


def test_a_partition_that_the_gpu_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"nvidia-l4 has no partition 1g\.5gb; it has none"):
        accelerator("nvidia-l4").allocatable_devices(1, "1g.5gb")
    with pytest.raises(ValueError, match=r"it has 1g\.5gb, 2g\.10gb"):
        accelerator("nvidia-tesla-a100").allocatable_devices(1, "1g.10gb")


def test_four_gpus_attach_to_n1_machines() -> None:
    assert set(attachable_gpus()) == {
        "nvidia-tesla-t4",
        "nvidia-tesla-v100",
        "nvidia-tesla-p100",
        "nvidia-tesla-p4",
    }
    assert all(accelerator(name).kind == "gpu" for name in attachable_gpus())


def test_machines_of_other_families_take_no_gpu() -> None:
    assert attachable_counts("n2", 8) == {}
    assert attachable_counts("n1", 97) == {}


def test_an_unknown_accelerator_is_not_found() -> None:
    assert find_accelerator("tpu-v5e-slice") is None
    assert find_accelerator("") is None
