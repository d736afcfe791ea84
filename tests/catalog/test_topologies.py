"""TPU topologies: the known ones pass, their neighbours don't, hosts x chips is the product."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.catalog.machines import Machine, find_machine, machine_names
from headroom.catalog.topologies import (
    Topology,
    hosts,
    is_multi_host,
    parse_topology,
    single_host_topology,
    topology_problem,
    valid_topologies,
)


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None, name
    return found


TPUS = [name for name in machine_names() if machine(name).kind == "tpu"]

VALID = {
    "ct4p-hightpu-4t": ["2x2x1", "2x2x2", "2x2x4", "2x4x4", "4x4x4", "4x8x8", "16x16x16", "4x4x256"],
    "ct5lp-hightpu-1t": ["1x1"],
    "ct5lp-hightpu-4t": ["2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16"],
    "ct5lp-hightpu-8t": ["2x4"],
    "ct5p-hightpu-4t": ["2x2x1", "4x4x4", "4x4x8", "8x16x16", "16x16x24"],
    "ct6e-standard-4t": ["2x2", "2x4", "16x16"],
    "ct6e-standard-8t": ["2x4"],
    "tpu7x-standard-1t": ["1x1x1"],
    "tpu7x-standard-4t": ["2x2x1", "2x2x2", "4x4x4", "16x24x24"],
}

REFUSED = [
    ("ct5lp-hightpu-4t", "3x3", "no topology of ct5lp-hightpu-4t; the nearest are 2x4, 2x2, 4x4"),
    ("ct5lp-hightpu-4t", "16x32", "the nearest are 16x16"),
    ("ct5lp-hightpu-4t", "4x2", "axes in ascending order: 2x4"),
    ("ct5lp-hightpu-4t", "2x2x2", "has 3 axes, and ct5lp-hightpu-4t has 2"),
    ("ct5lp-hightpu-8t", "4x4", "write 2x4, or choose ct5lp-hightpu-4t for larger slices"),
    ("ct5lp-hightpu-1t", "2x2", "write 1x1"),
    ("ct4p-hightpu-4t", "4x4x260", "no topology"),
    ("ct5p-hightpu-4t", "4x4", "has 2 axes, and ct5p-hightpu-4t has 3"),
    ("ct5p-hightpu-4t", "8x4x4", "ascending order: 4x4x8"),
    ("ct5p-hightpu-4t", "4x4x6", "the nearest are 4x4x4, 4x4x8"),
    ("ct5p-hightpu-4t", "2x2x8", "no topology"),
    ("ct5p-hightpu-4t", "24x24x24", "no topology"),
    ("tpu7x-standard-1t", "2x2x1", "write 1x1x1, or choose tpu7x-standard-4t"),
    ("n2-standard-16", "2x2", "n2-standard-16 has no TPU; leave the topology out"),
    ("a3-highgpu-8g", "2x2", "has no TPU"),
]


@pytest.mark.parametrize(("name", "text"), [(n, text) for n, texts in VALID.items() for text in texts])
def test_a_topology_that_gke_knows_is_accepted(name: str, text: str) -> None:
    assert topology_problem(machine(name), parse_topology(text)) is None


@pytest.mark.parametrize(("name", "text", "phrase"), REFUSED)
def test_a_topology_that_gke_lacks_is_refused_with_what_to_write(name: str, text: str, phrase: str) -> None:
    problem = topology_problem(machine(name), parse_topology(text))
    assert problem is not None
    assert phrase in problem


@pytest.mark.parametrize("name", TPUS)
def test_hosts_times_chips_is_the_product_of_every_valid_topology(name: str) -> None:
    tpu = machine(name)
    for text in valid_topologies(tpu):
        topology = parse_topology(text)
        assert topology_problem(tpu, topology) is None
        assert hosts(tpu, topology) * tpu.devices == topology.chips == prod(topology.dims)
        assert is_multi_host(tpu, topology) == (hosts(tpu, topology) > 1)
        assert list(topology.dims) == sorted(topology.dims) or topology == parse_topology("2x2x1")


@pytest.mark.parametrize("name", TPUS)
def test_a_single_host_topology_is_one_machine(name: str) -> None:
    tpu = machine(name)
    single = single_host_topology(tpu)
    assert hosts(tpu, single) == 1
    assert not is_multi_host(tpu, single)
    assert topology_problem(tpu, single) is None


def test_2x4_is_one_machine_or_two_as_the_machine_type_says() -> None:
    two_by_four = parse_topology("2x4")
    assert hosts(machine("ct6e-standard-8t"), two_by_four) == 1
    assert not is_multi_host(machine("ct6e-standard-8t"), two_by_four)
    assert hosts(machine("ct6e-standard-4t"), two_by_four) == 2
    assert is_multi_host(machine("ct6e-standard-4t"), two_by_four)


def test_an_inexact_division_into_hosts_is_an_error() -> None:
    assert hosts(machine("ct5lp-hightpu-4t"), parse_topology("4x4")) == 4
    with pytest.raises(ValueError, match="3x3 cannot be built of ct5lp-hightpu-4t with 4 chips each"):
        hosts(machine("ct5lp-hightpu-4t"), parse_topology("3x3"))
    with pytest.raises(ValueError, match="cannot be built of n2-standard-4"):
        hosts(machine("n2-standard-4"), parse_topology("2x2"))


def test_a_machine_without_a_tpu_has_no_topology() -> None:
    assert valid_topologies(machine("n2-standard-4")) == ()
    with pytest.raises(ValueError, match="has no TPU"):
        single_host_topology(machine("n2-standard-4"))


def test_listed_topologies_are_bounded_and_stand_smallest_first() -> None:
    listed = valid_topologies(machine("tpu7x-standard-4t"))
    assert listed[:4] == ("2x2x1", "2x2x2", "2x2x4", "2x4x4")
    assert len(listed) < 30
    chips = [parse_topology(text).chips for text in listed]
    assert chips == sorted(chips)


@pytest.mark.parametrize(
    ("cubes", "name"), [(64, "ct4p-hightpu-4t"), (140, "ct5p-hightpu-4t"), (144, "tpu7x-standard-4t")]
)
def test_a_cubic_tpu_is_bounded_by_its_cubes(cubes: int, name: str) -> None:
    assert topology_problem(machine(name), Topology((4, 4, 4 * cubes))) is None
    assert topology_problem(machine(name), Topology((4, 4, 4 * cubes + 4))) is not None


@given(st.lists(st.integers(1, 999), min_size=2, max_size=3))
def test_a_topology_reads_back_as_it_was_written(dims: list[int]) -> None:
    topology = Topology(tuple(dims))
    assert parse_topology(str(topology)) == topology


@given(st.sampled_from(TPUS), st.lists(st.integers(1, 300), min_size=2, max_size=3))
def test_every_topology_is_accepted_or_refused_with_one_that_is_accepted(name: str, dims: list[int]) -> None:
    tpu = machine(name)
    problem = topology_problem(tpu, Topology(tuple(dims)))
    if problem is None:
        assert hosts(tpu, Topology(tuple(dims))) >= 1
        return
    words = problem.replace(",", " ").split()
    suggested = [parse_topology(word) for word in words if word[0].isdigit() and "x" in word]
    assert any(topology_problem(tpu, topology) is None for topology in suggested)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "x4",
        "4x",
        "0x4",
        "4x0",
        "04x4",
        "4X4",
        "4 x 4",
        "4x4x4x4",
        "1000x1",
        "-4x4",
        "4×4",
        "٤x٤",
        "4x4\n",
    ],
)
def test_what_is_no_topology_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="such as 4x4 or 2x2x2") as refusal:
        parse_topology(text)
    assert not text.strip() or f"'{text}'" not in str(refusal.value)
