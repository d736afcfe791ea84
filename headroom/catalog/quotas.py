"""Which of Google Cloud's quotas a node or a disk draws from, in physical units."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.facts import load_facts, parse_pairs
from headroom.catalog.machines import CapacityKind, Machine


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """One quota: what `QuotaInfo` lists under an id, for one region and set of dimensions."""

    quota_id: str
    region: str | None
    """None: the quota is of the project as a whole."""
    dimensions: tuple[tuple[str, str], ...] = ()
    """What else tells it from others of the same id, such as gpu_family."""
    verified: bool = True
    """False: only users report the id, so a limit that cannot be read is unknown."""
    service: str = "compute.googleapis.com"


@dataclass(frozen=True, slots=True)
class _QuotaRule:
    """One row of `data/quotas.yaml`: who draws from a quota, and by what unit."""

    quota_id: str
    unit: str
    is_global: bool
    capacities: frozenset[str]
    families: frozenset[str]
    accelerators: frozenset[str]
    kinds: frozenset[str]
    dimensions: tuple[tuple[str, str], ...]
    series_dimension: str
    """Name of the dimension that holds the machine series, such as vm_family; empty: there is none."""
    verified: bool

    def applies(self, family: str, accelerator: str | None, kind: str, capacity: str) -> bool:
        """Return whether machines of that kind, obtained that way, draw from the quota."""
        return (
            (not self.capacities or capacity in self.capacities)
            and (not self.families or family in self.families)
            and (not self.accelerators or accelerator in self.accelerators)
            and (not self.kinds or kind in self.kinds)
        )

    def line(self, region: str) -> QuotaLine:
        """Return the quota itself, in that region."""
        return QuotaLine(self.quota_id, None if self.is_global else region, self.dimensions, self.verified)


def machine_quotas(
    machine: Machine, capacity: CapacityKind, accelerator: str | None, count: int, region: str
) -> tuple[tuple[QuotaLine, int | Fraction], ...]:
    """Return every quota that one node draws from, and how much of it.

    `accelerator` and `count` are the GPUs attached to an N1 machine; on a machine with its own they may
    repeat what the catalog says. Machines with accelerators of their own need no CPU quota. Part of a GPU
    counts as that part, for the caller to add up over the pool and round up once. A pool on a reservation
    draws nothing.
    """
    if capacity == "reservation":
        return ()
    found = find_accelerator(machine.accelerator or accelerator or "")
    name, kind = (found.name, found.kind) if found else (None, "cpu")
    amounts = {
        "instances": 1,
        "vcpus": 0 if _is_exempt(machine, "vcpus") else machine.vcpus,
        "devices": _whole(machine.device_fraction * (machine.devices or count)) if found else 0,
    }
    return tuple(
        (rule.line(region), amounts[rule.unit])
        for rule in _rules()
        if amounts.get(rule.unit) and rule.applies(machine.family, name, kind, capacity)
    )


def disk_quota(disk_type: str, size_gb: int, region: str) -> tuple[QuotaLine, int]:
    """Return the quota that a disk draws from, and how many GB of it.

    Raises ValueError for a disk type that the catalog does not have.
    """
    for rule in _rules("disks"):
        if disk_type in rule.families:
            return rule.line(region), size_gb
    known = ", ".join(sorted({name for rule in _rules("disks") for name in rule.families}))
    raise ValueError(f"{disk_type} is no disk type that headroom knows; it knows {known}")


def local_ssd_quota(
    machine: Machine, count: int, region: str, capacity: CapacityKind = "on-demand"
) -> tuple[QuotaLine, int]:
    """Return the quota that so many local SSDs of one node draw from, and how many GB of it."""
    series = machine.family.split("-")[0].upper()
    rule = next(rule for rule in _rules("local_ssds") if capacity in rule.capacities)
    line = rule.line(region)
    if rule.series_dimension:
        line = replace(line, dimensions=((rule.series_dimension, series),))
    return line, count * machine.local_ssd_gb


def _is_exempt(machine: Machine, unit: str) -> bool:
    return any(rule.unit == unit and machine.family in rule.families for rule in _rules("exempt"))


def _whole(amount: Fraction) -> int | Fraction:
    return amount.numerator if amount.denominator == 1 else amount


@cache
def _rules(table: str = "quotas") -> tuple[_QuotaRule, ...]:
    return tuple(_read_rules(table))


def _read_rules(table: str) -> Iterator[_QuotaRule]:
    for group in load_facts("quotas"):
        for row in group.get(table, ()):
            yield _read_rule(row, group["verified"])


def _read_rule(row: dict[str, Any], verified: bool) -> _QuotaRule:
    return _QuotaRule(
        quota_id=row.get("quota", ""),
        unit=row.get("unit", "gb"),
        is_global=row.get("scope") == "global",
        capacities=frozenset(row.get("capacities", "").split()),
        families=frozenset(row.get("families", "").split()),
        accelerators=frozenset(row.get("accelerators", "").split()),
        kinds=frozenset(row.get("kind", "").split()),
        dimensions=tuple(sorted(parse_pairs(row.get("dimensions", "")).items())),
        series_dimension=row.get("series", ""),
        verified=verified,
    )
