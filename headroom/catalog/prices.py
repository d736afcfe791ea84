"""What machines cost: list prices by region, each with its source and its day."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from headroom.catalog.facts import load_facts
from headroom.catalog.machines import CapacityKind, Machine, find_machine

_SAME_SHAPE = 0.03
"""How far the shapes of machines may be apart that cost in proportion: g4-standard-6 has 22 GB, not 22.5."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one machine costs in a region, in USD an hour; None: not known."""

    machine: str
    region: str
    on_demand: float | None
    spot: float | None
    flex_start: float | None
    confirmed: bool
    """False: sources contradict each other."""
    source: str
    date: datetime.date | None
    """None: the stack file says so itself."""
    scaled_from: str = ""
    """Machine type of the same shape whose price this is in proportion; empty: its own."""

    def __post_init__(self) -> None:
        """Refuse what can only be a wrong row: spot above on demand, or nothing to pay."""
        stated = (self.on_demand, self.spot, self.flex_start)
        if any(price is not None and price <= 0 for price in stated):
            raise ValueError(f"{self.machine} in {self.region}: a price of nothing is an unknown price")
        if self.on_demand is not None and self.spot is not None and self.spot > self.on_demand:
            raise ValueError(f"{self.machine} in {self.region}: spot is above the price on demand")

    def hourly(self, capacity: CapacityKind) -> float | None:
        """Return USD an hour for a machine that is obtained that way; None: not known.

        A reserved machine costs what it costs on demand; no source for the price of flex-start and queued
        machines was read, so that only a stack file can state it.
        """
        if capacity in ("on-demand", "reservation"):
            return self.on_demand
        return self.spot if capacity == "spot" else self.flex_start


def find_price(machine: Machine, region: str) -> Price | None:
    """Return the list price of a machine in a region, or None where the catalog has none.

    A machine that is not listed costs in proportion to a listed one of the same family and shape.
    """
    if machine.name in (listed := _listed(region)):
        return listed[machine.name]
    for name, price in listed.items():
        other = find_machine(name)
        if other and (scale := _scale(machine, other)):
            return _scaled(price, machine.name, scale)
    return None


def priced_regions() -> tuple[str, ...]:
    """Return the regions for which there are prices."""
    return tuple(dict.fromkeys(row["region"] for row in load_facts("prices")))


def _scale(machine: Machine, other: Machine) -> Fraction | None:
    """Return how many times `other` the machine is, or None where their shapes differ."""
    if machine.family != other.family:
        return None
    if machine.kind == "tpu":
        return Fraction(machine.devices, other.devices)
    amounts = [(_devices(machine), _devices(other)), (machine.vcpus, other.vcpus)]
    amounts.append((machine.memory_mib, other.memory_mib))
    ratios = [Fraction(ours, theirs) for ours, theirs in amounts if theirs]
    return ratios[0] if max(ratios) - min(ratios) <= _SAME_SHAPE * max(ratios) else None


def _devices(machine: Machine) -> Fraction:
    return machine.devices * machine.device_fraction


def _scaled(price: Price, machine: str, scale: Fraction) -> Price:
    on_demand, spot = (
        amount * float(scale) if amount is not None else None for amount in (price.on_demand, price.spot)
    )
    return replace(price, machine=machine, on_demand=on_demand, spot=spot, scaled_from=price.machine)


@cache
def _listed(region: str) -> dict[str, Price]:
    return {
        price.machine: price
        for group in load_facts("prices")
        if group["region"] == region
        for price in _read_prices(group)
    }


def _read_prices(group: dict[str, Any]) -> Iterator[Price]:
    for line in group["prices"].splitlines():
        machine, on_demand, spot = line.split()
        yield Price(
            machine=machine,
            region=group["region"],
            on_demand=float(on_demand),
            spot=float(spot),
            flex_start=None,
            confirmed=group.get("confirmed", True),
            source=group["source"],
            date=group["date"],
        )
