"""When a limit is reached, if use goes on as it has.

The method: the window is cut into at most 48 equal parts, of which the highest use counts. The trend is the
Theil-Sen line through these, the median of the slopes of all pairs, which a few outliers cannot turn
(P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, 1968). Only a rise that Kendall's
test finds with 95 % certainty (one-sided, z of 1.645 or more) is a trend; without one there is no forecast,
as there is none from fewer than eight parts or less than a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import median

from headroom.audit.series import Series

METHOD = (
    "Theil-Sen line through the peaks of at most 48 equal parts of the window, if Kendall's test finds a rise"
)
_MOST_PARTS = 48
_FEWEST_PARTS = 8
_LEAST_HOURS = 24.0
_CERTAIN_Z = 1.645


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a trend comes to: `hours` until `limit` is reached, 0 where the trend is there already."""

    limit: float
    hours: float
    per_hour: float
    """By how much use rises in an hour."""


def forecast(series: Series | None, limit: float | None) -> Forecast | None:
    """Return when use reaches `limit`; None: it does not rise, or too little is known to say so."""
    if series is None or limit is None or limit <= 0:
        return None
    points = _parts(series)
    if len(points) < _FEWEST_PARTS or points[-1][0] - points[0][0] < _LEAST_HOURS:
        return None
    slopes = _slopes(points)
    if not _rises(slopes, len(points)) or (slope := median(slopes)) <= 0:
        return None
    level = median(amount - slope * hour for hour, amount in points) + slope * points[-1][0]
    return Forecast(limit, max(0.0, (limit - level) / slope), slope)


def _parts(series: Series) -> list[tuple[float, float]]:
    width = -(-len(series.values) // _MOST_PARTS) * series.step_s / 3_600
    highest: dict[int, float] = {}
    for hour, amount in series.hours:
        part = int(hour / width)
        highest[part] = max(highest.get(part, -inf), amount)
    return [(part * width, amount) for part, amount in sorted(highest.items())]


def _slopes(points: Sequence[tuple[float, float]]) -> list[float]:
    return [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for number, earlier in enumerate(points)
        for later in points[number + 1 :]
    ]


def _rises(slopes: Sequence[float], count: int) -> bool:
    """Kendall's test; ties are left out of the variance, which makes it say no rather than yes."""
    score = sum(1 if slope > 0 else -1 if slope < 0 else 0 for slope in slopes)
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return (score - 1) / deviation >= _CERTAIN_Z
