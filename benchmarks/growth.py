"""What a series of measurements says: cost of one more, fixed cost, growth. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from statistics import linear_regression


@dataclass(frozen=True, slots=True)
class Growth:
    """A quantity (seconds) as a function of a size: `slope` for one more, `fixed` for none of it.

    `exponent` is the growth between the two largest sizes: 1 is linear, 2 quadratic.
    """

    slope: float
    fixed: float
    exponent: float


def measure_growth(points: Mapping[int, float]) -> Growth:
    """Return the growth of `points`, seconds by size; at least three sizes.

    The slope is that of the least squares, the fixed cost what it leaves at the smallest size. The exponent
    compares what the two largest sizes take beyond the smallest: with the fixed cost in it, growth would look
    slower than it is. Raises ValueError for fewer sizes, or where a larger one took no longer than the
    smallest.
    """
    sizes = sorted(points)
    if len(sizes) < 3:
        raise ValueError("growth needs three sizes")
    first, before_last, last = sizes[0], sizes[-2], sizes[-1]
    extra, largest_extra = points[before_last] - points[first], points[last] - points[first]
    if extra <= 0 or largest_extra <= 0:
        raise ValueError(f"the smallest size took longest: {dict(points)}; measure on a quieter machine")
    line = linear_regression(sizes, [points[size] for size in sizes])
    return Growth(
        slope=line.slope,
        fixed=points[first] - line.slope * first,
        exponent=log(largest_extra / extra) / log((last - first) / (before_last - first)),
    )
