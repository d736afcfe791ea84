"""Amounts as the audit's page shows them: in cores, GiB and devices, at most one decimal, `?` for unknown."""

from dataclasses import dataclass
from typing import Final

from headroom.audit.forecast import Forecast
from headroom.planning.grants import UNLIMITED
from headroom.planning.pipelines import Resource

UNKNOWN: Final = "?"
_LEAST_SHOWN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Unit:
    """What amounts are shown in, and how many of the ledger's own units that is."""

    name: str
    size: int

    def show(self, amount: float | None) -> str:
        """Return a ledger's amount for people, without the unit's name."""
        return show_number(None if amount is None else amount / self.size)


UNITS: Final[dict[Resource, Unit]] = {
    "cpu": Unit("cores", 1_000),
    "memory": Unit("GiB", 2**30),
    "gpus": Unit("GPUs", 1),
    "chips": Unit("TPU chips", 1),
}
QUOTA_UNIT: Final = Unit("", 1)


def show_number(amount: float | None) -> str:
    """Return a number for people: `?` where it is not known, and `0` only for what is none."""
    if amount is None:
        return UNKNOWN
    if 0 < amount < _LEAST_SHOWN:
        return "<0.1"
    return f"{amount:,.1f}".removesuffix(".0")


def show_grant(granted: int | None) -> str:
    """Return what is granted of a cloud quota for people."""
    return "unlimited" if granted == UNLIMITED else show_number(granted)


def show_hours(forecast: Forecast | None) -> str:
    """Return when a limit is reached; empty where nothing says that it will be."""
    return "" if forecast is None else f"{forecast.hours:,.0f} h"
