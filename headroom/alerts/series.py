"""Synthetic series, written as people say them: `0.05 for 2h, 0.3 for 1h, gap for 10m, +60`.

A number stays; `+60` rises by 60 with each sample, from where the series was, or from 0; `now` is the time
in seconds; a gap has no samples. The last part goes on to the end.
"""

from collections.abc import Iterator
from itertools import groupby
from math import inf

from headroom.alerts.durations import parse_duration

Samples = list[float | None]
"""Values one step apart; None where there is no sample."""

Run = tuple[int, float, float] | None


def expand(text: str, step_seconds: int, count: int) -> Samples:
    """Return `count` samples of a series. Raises ValueError for a text that says something else."""
    samples: Samples = []
    for part in text.split(","):
        value, _, duration = part.strip().partition(" for ")
        left = count - len(samples)
        length = min(left, parse_duration(duration) // step_seconds) if duration else left
        samples += _part(value, length, samples, step_seconds)
    if len(samples) < count:
        raise ValueError(f"{text!r} ends before the scenario does; leave out the last `for`")
    return samples


def _part(value: str, length: int, before: Samples, step_seconds: int) -> Samples:
    if value == "gap":
        return [None] * length
    if value == "now":
        return [float((len(before) + number) * step_seconds) for number in range(length)]
    if value[0] in "+-":
        last = next((sample for sample in reversed(before) if sample is not None), None)
        start = 0.0 if last is None else last + float(value)
        return [start + number * float(value) for number in range(length)]
    return [float(value)] * length


def cut(samples: Samples, start: int, length: int) -> Samples:
    """Return the series without `length` samples from `start` on: a scrape that failed."""
    return [None if start <= number < start + length else value for number, value in enumerate(samples)]


def reset(samples: Samples, start: int) -> Samples:
    """Return the series as what counts it begins anew at sample `start`."""
    base = samples[start] or 0.0
    return [
        value - base if value is not None and number >= start else value
        for number, value in enumerate(samples)
    ]


def render_samples(samples: Samples) -> str:
    """Return the samples in promtool's notation, runs of one value or of none brought together."""
    parts: list[str] = []
    for run, group in groupby(_runs(samples)):
        parts += _render_run(run, len(list(group)))
    return " ".join(parts)


def _render_run(run: Run, length: int) -> list[str]:
    if run is None:
        return [f"_x{length}"]
    _, start, slope = run
    if start == inf:
        return ["Inf"] * length
    if slope:
        return [f"{start:.12g}{slope:+.12g}x{length - 1}"]
    return [f"{start:.12g}x{length - 1}" if length > 1 else f"{start:.12g}"]


def _runs(samples: Samples) -> Iterator[Run]:
    """Yield for each sample the run that it is part of: its number, first value and slope; None for a gap."""
    number = 0
    while number < len(samples):
        value = samples[number]
        end = _end_of_rise(samples, number)
        if value is None:
            yield None
            number += 1
        elif end - number > 2:
            slope = round((samples[number + 1] or 0.0) - value, 9)
            yield from [(number, value, slope)] * (end - number)
            number = end
        else:
            yield (0, value, 0.0)
            number += 1


def _end_of_rise(samples: Samples, start: int) -> int:
    first = samples[start]
    second = samples[start + 1] if start + 1 < len(samples) else None
    if first is None or second is None or second == first:
        return start + 1
    slope, end = second - first, start + 2
    while end < len(samples):
        value = samples[end]
        if value is None or abs(value - first - slope * (end - start)) > 1e-9 * max(1.0, abs(value)):
            break
        end += 1
    return end
