"""Use over time as lines: thinned without losing a peak, broken where nothing is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from math import floor, log10
from typing import Final

from headroom.audit.series import Series
from headroom.report.audit_page_amounts import Unit

WIDTH: Final = 312
HEIGHT: Final = 84
MOST_POINTS: Final = 156
SPARK_WIDTH: Final = 72
SPARK_HEIGHT: Final = 14

_LEAST_TOP: Final = 1e-6
_STEPS: Final = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a chart, and what stands there."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A line in a box of WIDTH by HEIGHT, y growing downwards."""

    path: str
    gaps: tuple[tuple[float, float], ...]
    """Where nothing is known: x and width of each stretch."""
    peak: Place
    limit: Place | None
    times: tuple[str, str, str]
    """The begin, the middle and the end of the time axis, in UTC."""
    levels: tuple[str, str, str]
    """The bottom, the middle and the top of the other axis."""
    description: str


def draw_chart(series: Series | None, limit: float | None, unit: Unit) -> Chart | None:
    """Return the chart of a series and of the limit that holds for it; None where nothing at all is known."""
    if series is None or series.peak is None:
        return None
    thin = thin_out(series, MOST_POINTS)
    top = ceiling(max(series.peak, limit or 0) / unit.size) * unit.size
    points = [(x, _height(value, top, HEIGHT)) for x, value in _spread(thin.values, WIDTH)]
    x, y, when = _peak(points, thin)
    text = unit.show(series.peak)
    return Chart(
        path=trace(points),
        gaps=tuple(_gaps(thin.values)),
        peak=Place(x, y, text),
        limit=None if limit is None else Place(WIDTH, _height(limit, top, HEIGHT) or 0.0, unit.show(limit)),
        times=_times(thin),
        levels=(unit.show(0), unit.show(top / 2), unit.show(top)),
        description=_describe(series, f"{text} {unit.name}".rstrip() + f" around {when:%b %d %H:%M} UTC"),
    )


def draw_spark(series: Series | None, most: float, points: int) -> str:
    """Return a line of at most `points` points, `most` being its top; empty where nothing is known."""
    if series is None or (peak := series.peak) is None:
        return ""
    top = max(most, peak)
    thin = thin_out(series, points)
    spread = _spread(thin.values, SPARK_WIDTH)
    return trace(
        [
            (round(x), None if value is None else round(_height(value, top, SPARK_HEIGHT) or 0))
            for x, value in spread
        ]
    )


def thin_out(series: Series, most: int) -> Series:
    """Return the series in at most `most` steps, each the highest of those that it stands for."""
    width = -(-len(series.values) // most)
    if width <= 1:
        return series
    chunks = (series.values[begin : begin + width] for begin in range(0, len(series.values), width))
    highest = tuple(max((value for value in chunk if value is not None), default=None) for chunk in chunks)
    return Series(series.start, series.step_s * width, highest)


def ceiling(amount: float) -> float:
    """Return the least of 1, 2, 4, 6, 8 and 10 times a power of ten that is not below `amount`; 1 for 0."""
    if amount <= 0:
        return 1.0
    power = 10.0 ** floor(log10(max(amount, _LEAST_TOP)))
    return next(step * power for step in _STEPS if amount <= step * power * (1 + 1e-9))


def trace(points: Sequence[tuple[float, float | None]]) -> str:
    """Return an SVG path through the points, broken where y is None; a point alone is a dot of round caps."""
    parts = []
    for is_known, run in groupby(points, key=lambda point: point[1] is not None):
        if is_known:
            first, *rest = (f"{x:g} {y:g}" for x, y in run)
            parts.append(f"M{first}" + (f"L{' '.join(rest)}" if rest else "h0"))
    return "".join(parts)


def _spread(values: Sequence[float | None], width: float) -> list[tuple[float, float | None]]:
    last = max(1, len(values) - 1)
    return [(round(width * number / last, 1), value) for number, value in enumerate(values)]


def _height(value: float | None, top: float, height: float) -> float | None:
    return None if value is None else round(height * (1 - value / top), 1) if top else height


def _gaps(values: Sequence[float | None]) -> Iterator[tuple[float, float]]:
    last = max(1, len(values) - 1)
    number = 0
    for is_gap, run in groupby(values, key=lambda value: value is None):
        count = len(list(run))
        if is_gap:
            begin = max(0.0, number - 0.5) / last * WIDTH
            end = min(float(last), number + count - 0.5) / last * WIDTH
            yield round(begin, 1), round(end - begin, 1)
        number += count


def _peak(points: Sequence[tuple[float, float | None]], series: Series) -> tuple[float, float, datetime]:
    """The first of the highest points, and when that was."""
    known = [(y, number) for number, (_, y) in enumerate(points) if y is not None]
    y, number = min(known)
    return points[number][0], y, _moment(series, number)


def _times(series: Series) -> tuple[str, str, str]:
    last = len(series.values) - 1
    first, middle, end = (_moment(series, number) for number in (0, last / 2, last))
    form = "%b %d" if end - first >= timedelta(days=2) else "%b %d %H:%M"
    return first.strftime(form), middle.strftime(form), end.strftime(form)


def _moment(series: Series, number: float) -> datetime:
    return (series.start + timedelta(seconds=number * series.step_s)).astimezone(UTC)


def _describe(series: Series, peak: str) -> str:
    missing = len(series.values) - len(series.known)
    hours = series.step_s / 3_600
    unknown = f" Not known in {missing} of {len(series.values)} steps." if missing else ""
    return f"The highest use in each step of {hours:.3g} h. Peak {peak}.{unknown}"
