"""TPU topologies: which a machine can have, and how many hosts they take."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from math import prod

from headroom.catalog.facts import load_facts
from headroom.catalog.machines import Machine, find_machine, machine_names

_TEXT = re.compile(r"[1-9][0-9]{0,2}(x[1-9][0-9]{0,2}){1,2}")
_CUBE = 4
_SUGGESTIONS = 3
_LISTED_DIMENSION = 16


@dataclass(frozen=True, slots=True)
class Topology:
    """How the chips of a slice are arranged: chips along each axis."""

    dims: tuple[int, ...]

    @property
    def chips(self) -> int:
        """Chips in the slice."""
        return prod(self.dims)

    def __str__(self) -> str:
        return "x".join(map(str, self.dims))


def parse_topology(text: str) -> Topology:
    """Return the topology written as `4x4` or `2x2x2`; raises ValueError for anything else."""
    if not _TEXT.fullmatch(text):
        raise ValueError(
            "is no TPU topology; write the chips along each of two or three axes, joined by x, "
            "such as 4x4 or 2x2x2"
        )
    return Topology(tuple(map(int, text.split("x"))))


def topology_problem(machine: Machine, topology: Topology) -> str | None:
    """Return why the machine cannot have that topology and what to write instead; None: it can."""
    if machine.kind != "tpu":
        return f"{machine.name} has no TPU; leave the topology out, or choose a TPU machine"
    if topology in _all_topologies(machine):
        return None
    return _refusal(machine, topology)


def hosts(machine: Machine, topology: Topology) -> int:
    """Return how many machines form one slice; raises ValueError where the chips don't divide evenly."""
    if machine.kind != "tpu" or topology.chips % machine.devices:
        raise ValueError(f"{topology} cannot be built of {machine.name} with {machine.devices} chips each")
    return topology.chips // machine.devices


def is_multi_host(machine: Machine, topology: Topology) -> bool:
    """Return whether a slice of that topology takes more chips than one such machine has."""
    return topology.chips != machine.devices


def single_host_topology(machine: Machine) -> Topology:
    """Return the topology that one such machine is; raises ValueError where it has no TPU."""
    if not machine.single_host:
        raise ValueError(f"{machine.name} has no TPU, hence no topology")
    return parse_topology(machine.single_host)


def valid_topologies(machine: Machine) -> tuple[str, ...]:
    """Return the topologies of pools of that machine, smallest first, for messages and suggestions.

    Of a cubic TPU only those up to 16 chips along an axis are listed; larger ones can be valid too.
    """
    listed = (t for t in _all_topologies(machine) if max(t.dims) <= _LISTED_DIMENSION)
    return tuple(map(str, sorted(listed, key=lambda t: (t.chips, t.dims))))


@cache
def _all_topologies(machine: Machine) -> frozenset[Topology]:
    if machine.kind != "tpu":
        return frozenset()
    return frozenset({single_host_topology(machine), *_multi_host_topologies(machine.slices)})


def _multi_host_topologies(slices: str) -> Iterator[Topology]:
    for row in load_facts("topologies"):
        if row["slices"] == slices:
            yield from map(parse_topology, row.get("flat", row.get("small", "")).split())
            yield from _cubic_topologies(row.get("max_cubes", 0))


def _cubic_topologies(max_cubes: int) -> Iterator[Topology]:
    """Yield AxBxC with A<=B<=C, all multiples of 4, of at most that many cubes of 4x4x4."""
    for a in count(1):
        if a**3 > max_cubes:
            return
        for b in range(a, max_cubes // a + 1):
            for c in range(b, max_cubes // (a * b) + 1):
                yield Topology((a * _CUBE, b * _CUBE, c * _CUBE))


def _refusal(machine: Machine, topology: Topology) -> str:
    single = single_host_topology(machine)
    if not machine.slices:
        return f"{machine.name} is a slice of its own: write {single}{_sliced_sibling(machine)}"
    ascending = Topology(tuple(sorted(topology.dims)))
    if ascending in _all_topologies(machine):
        return f"{topology} is written with its axes in ascending order: {ascending}"
    nearest = ", ".join(map(str, _nearest(machine, topology)))
    if len(single.dims) != len(topology.dims):
        axes = f"has {len(topology.dims)} axes, and {machine.name} has {len(single.dims)}"
    else:
        axes = f"is no topology of {machine.name}"
    return f"{topology} {axes}; the nearest are {nearest}"


def _sliced_sibling(machine: Machine) -> str:
    for name in machine_names():
        sibling = find_machine(name)
        if sibling and sibling.family == machine.family and sibling.slices:
            return f", or choose {name} for larger slices"
    return ""


def _nearest(machine: Machine, topology: Topology) -> list[Topology]:
    return sorted(
        _all_topologies(machine),
        key=lambda t: (len(t.dims) != len(topology.dims), abs(t.chips - topology.chips), t.dims),
    )[:_SUGGESTIONS]
