"""Amounts over time, in equal steps; what was not measured is None, and never zero."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, isfinite
from statistics import fmean

BUSY_SHARE = 0.95
UNLIMITED_FROM = 9_000_000_000_000_000_000
"""What Google shows for "no limit" where it does not show -1 is about 9.2e18."""

_LATEST_STEPS = 2
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Series:
    """Amounts that begin at `start` and follow each other by `step_s` seconds."""

    start: datetime
    step_s: int
    values: tuple[float | None, ...]

    @property
    def known(self) -> tuple[float, ...]:
        """The amounts that are known, in order."""
        return tuple(value for value in self.values if value is not None)

    @property
    def now(self) -> float | None:
        """The latest amount; None where neither of the last two steps has one."""
        latest = [value for value in self.values[-_LATEST_STEPS:] if value is not None]
        return latest[-1] if latest else None

    @property
    def peak(self) -> float | None:
        """The largest amount; None where none is known."""
        return max(self.known, default=None)

    @property
    def mean(self) -> float | None:
        """The mean of the known amounts."""
        return fmean(known) if (known := self.known) else None

    @property
    def busy(self) -> float | None:
        """The 95th percentile of the known amounts."""
        ordered = sorted(self.known)
        return ordered[ceil(BUSY_SHARE * len(ordered)) - 1] if ordered else None

    @property
    def days(self) -> int:
        """On how many days, in UTC, there is a known amount."""
        begin = self.start.timestamp()
        moments = (
            begin + number * self.step_s for number, each in enumerate(self.values) if each is not None
        )
        return len({moment // _DAY_S for moment in moments})

    @property
    def hours(self) -> tuple[tuple[float, float], ...]:
        """The known amounts, each with its hours since `start`."""
        return tuple(
            (number * self.step_s / 3_600, value)
            for number, value in enumerate(self.values)
            if value is not None
        )


def make_series(points: Iterable[tuple[float, float]], start: datetime, step_s: int, count: int) -> Series:
    """Return the series of points (seconds since 1970, amount).

    What is no amount (NaN, infinite, below zero, the 9.2e18 of "no limit") is not known; of several points
    in a step the largest counts, and what lies outside of the window counts for nothing.
    """
    values: list[float | None] = [None] * count
    begin = start.timestamp()
    for moment, amount in points:
        number = round((moment - begin) / step_s)
        if 0 <= number < count and is_amount(amount):
            held = values[number]
            values[number] = amount if held is None else max(held, amount)
    return Series(start, step_s, tuple(values))


def is_amount(value: float) -> bool:
    """Return whether a sample can be an amount in use."""
    return isfinite(value) and 0 <= value < UNLIMITED_FROM


def add_series(several: Sequence[Series]) -> Series | None:
    """Return the sum of series of the same steps; where one is not known the sum is not. None: no series, or
    series that differ in their steps."""
    if not several or len({(each.start, each.step_s, len(each.values)) for each in several}) != 1:
        return None
    columns = zip(*(each.values for each in several), strict=True)
    sums = tuple(None if None in column else sum(value or 0.0 for value in column) for column in columns)
    return Series(several[0].start, several[0].step_s, sums)
