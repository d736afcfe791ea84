"""Regions, their zones, and which zones have which machines."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from headroom.catalog.facts import load_facts
from headroom.catalog.machines import Machine, find_machine, machine_names


@dataclass(frozen=True, slots=True)
class ZoneList:
    """Zones in which something is offered, as far as the catalog knows."""

    zones: tuple[str, ...]
    complete: bool
    """False: the list leaves zones out, so one that is not on it is unknown."""


def regions() -> tuple[str, ...]:
    """Return the names of all regions."""
    return tuple(_zones_by_region())


def zones_in(region: str) -> tuple[str, ...]:
    """Return the zones of a region; none where there is no such region."""
    return _zones_by_region().get(region, ())


def find_zones(name: str) -> ZoneList | None:
    """Return where a machine type, a family, or an accelerator is offered; None: not known.

    An accelerator that comes with machines is where any of their families is.
    """
    machine = find_machine(name)
    family = machine.family if machine else name
    if family in _offers():
        return _offers()[family]
    return _join([_offers()[carrier] for carrier in _carriers(name) if carrier in _offers()])


def zones_with(name: str) -> tuple[str, ...] | None:
    """Return all zones that offer a machine type, a family, or an accelerator.

    None: not known, or known only in part; `find_zones` has what is known.
    """
    found = find_zones(name)
    return found.zones if found and found.complete else None


def offers(zone: str, machine: Machine, gpu: str | None = None) -> bool | None:
    """Return whether the zone has the machine and the GPU attached to it; None: not known."""
    names = (machine.family, gpu) if gpu and machine.attachable else (machine.family,)
    answers = [_offers_one(zone, name) for name in names]
    if False in answers:
        return False
    return None if None in answers else True


def _offers_one(zone: str, name: str) -> bool | None:
    found = _offers().get(name)
    if found is None:
        return None
    if zone in found.zones:
        return True
    return False if found.complete else None


def _carriers(accelerator: str) -> list[str]:
    """Return the families whose machines come with that accelerator."""
    machines = (find_machine(name) for name in machine_names())
    return sorted({machine.family for machine in machines if machine and machine.accelerator == accelerator})


def _join(lists: list[ZoneList]) -> ZoneList | None:
    if not lists:
        return None
    zones = {zone for found in lists for zone in found.zones}
    return ZoneList(tuple(sorted(zones)), all(found.complete for found in lists))


@cache
def _zones_by_region() -> dict[str, tuple[str, ...]]:
    return {
        region: tuple(f"{region}-{letter}" for letter in letters.split())
        for row in load_facts("regions")
        for region, letters in row["zones"].items()
    }


@cache
def _offers() -> dict[str, ZoneList]:
    lists: dict[str, list[ZoneList]] = defaultdict(list)
    for row in load_facts("zones"):
        for name, places in row["offered"].items():
            lists[name].append(ZoneList(tuple(_spell(places)), row["complete"]))
    return {name: joined for name, found in lists.items() if (joined := _join(found))}


def _spell(places: str) -> Iterator[str]:
    """Yield the zones of a text such as `us-central1-a,b us-east4-c`."""
    for place in places.split():
        region, letters = place.rsplit("-", 1)
        yield from (f"{region}-{letter}" for letter in letters.split(","))
