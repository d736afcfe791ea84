"""What a node leaves for pods: the documented reservations, from both sides."""

import pytest

from headroom.catalog.allocatable import Allocatable, allocatable
from headroom.catalog.machines import Machine, find_machine, machine_names


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize(
    ("name", "cpu_millis"),
    [
        ("n1-standard-1", 940),
        ("e2-standard-2", 1930),
        ("e2-standard-4", 3920),
        ("n2-standard-16", 15890),
        ("g2-standard-48", 47810),
        ("a3-highgpu-8g", 207410),
    ],
)
def test_gke_keeps_6_1_half_and_a_quarter_percent_of_the_cores(name: str, cpu_millis: int) -> None:
    assert allocatable(machine(name)).cpu_millis == cpu_millis


@pytest.mark.parametrize(
    ("name", "kernel", "kubelet"),
    [
        # 1/64 + 0.175 % + 16 + 64 (+ 8 up to 8 GiB); 25 % of 4 GiB, 20 % of the next 4, 10 % of 8, 6 % of 112, 2 %
        ("e2-standard-2", 128 + 14.4 + 16 + 64 + 8, 1024 + 819.2),
        ("e2-standard-4", 256 + 28.7 + 16 + 64, 1024 + 819.2 + 819.2),
        ("n2-standard-16", 1024 + 114.7 + 16 + 64, 1024 + 819.2 + 819.2 + 2949.1),
        ("a3-highgpu-8g", 29952 + 248 + 16 + 64, 1024 + 819.2 + 819.2 + 6881.3 + 35717.1),
    ],
)
def test_kernel_kubelet_and_eviction_keep_memory(name: str, kernel: float, kubelet: float) -> None:
    kept = machine(name).memory_mib - allocatable(machine(name)).memory_mib
    assert kept == pytest.approx(kernel + kubelet + 100, abs=2)


@pytest.mark.parametrize("name", machine_names())
def test_something_is_left_on_every_machine_and_less_than_there_is(name: str) -> None:
    found = machine(name)
    left = allocatable(found)
    assert 0 < left.cpu_millis < found.vcpus * 1000
    assert 0 < left.memory_mib < found.memory_mib
    assert left.cpu_millis > 0.9 * found.vcpus * 1000
    assert left == Allocatable(left.cpu_millis, left.memory_mib)


def test_a_larger_machine_leaves_more() -> None:
    sizes = [allocatable(machine(f"n2-standard-{vcpus}")) for vcpus in (2, 4, 8, 16, 32, 64, 128)]
    assert [left.cpu_millis for left in sizes] == sorted(left.cpu_millis for left in sizes)
    assert [left.memory_mib for left in sizes] == sorted(left.memory_mib for left in sizes)
