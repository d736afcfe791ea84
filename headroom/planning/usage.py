"""What pipelines were seen to use: samples over time, put together into observations."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from math import ceil
from statistics import fmean
from typing import Any

from headroom.planning.estimates import Observation
from headroom.planning.pipelines import Resource
from headroom.spec.errors import Problem, StackFileError
from headroom.spec.quantities import parse_quantity

COLUMNS = ("time", "pipeline", "pool", "resource", "used")
BUSY_SHARE = 0.95

_RESOURCES: tuple[Resource, ...] = ("cpu", "memory", "gpus", "chips")
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What a pipeline used of one resource of a pool at a time: thousandths of a core, bytes, or devices."""

    time: datetime
    pipeline: str
    pool: str
    resource: Resource
    used: float


def summarize(samples: Iterable[Sample]) -> tuple[Observation, ...]:
    """Return an observation for each pipeline, pool and resource.

    Samples count alike, so they are to be evenly spaced. Days are those, in UTC, with a sample at least: a
    day without one is unknown rather than idle.
    """
    grouped: dict[tuple[str, str, Resource], list[Sample]] = defaultdict(list)
    for sample in samples:
        grouped[sample.pipeline, sample.pool, sample.resource].append(sample)
    return tuple(_observe(*key, held) for key, held in sorted(grouped.items()))


def parse_usage(text: str, file: str) -> tuple[Sample, ...]:
    """Return the samples of a usage file: JSON `{"samples": [...]}`, or CSV with a line of its columns.

    Each has `time` (ISO 8601, UTC where it names no zone), `pipeline`, `pool`, `resource` (cpu, memory, gpus
    or chips) and `used`, in the notation of stack files. Raises StackFileError with the problems of the file.
    """
    rows = _read_json(text, file) if text.lstrip()[:1] in ("{", "[") else _read_csv(text, file)
    samples, problems = [], []
    for number, row in rows:
        try:
            samples.append(_parse_row(row))
        except ValueError as error:
            problems.append(Problem(f"{number}", str(error)))
            if len(problems) == _MOST_PROBLEMS:
                break
    if problems:
        raise StackFileError(problems, file)
    if not samples:
        raise StackFileError([Problem("", "has no samples")], file)
    return tuple(samples)


def _observe(pipeline: str, pool: str, resource: Resource, held: list[Sample]) -> Observation:
    used = sorted(sample.used for sample in held)
    return Observation(
        pipeline=pipeline,
        pool=pool,
        resource=resource,
        days=len({sample.time.astimezone(UTC).date() for sample in held}),
        mean=fmean(used),
        busy=used[ceil(BUSY_SHARE * len(used)) - 1],
        peak=used[-1],
    )


def _read_json(text: str, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise StackFileError([Problem("", "is not valid JSON")], file) from None
    rows = content.get("samples") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise StackFileError([Problem("samples", f"is required: a list of {', '.join(COLUMNS)}")], file)
    for number, row in enumerate(rows):
        yield f"samples[{number}]", row if isinstance(row, dict) else {}


def _read_csv(text: str, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(StringIO(text))
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            problem = Problem("line 1", f"lacks {', '.join(missing)}; the columns are {','.join(COLUMNS)}")
            raise StackFileError([problem], file)
        for row in reader:
            yield f"line {reader.line_num}", row
    except csv.Error:
        raise StackFileError([Problem(f"line {reader.line_num}", "is not valid CSV")], file) from None


def _parse_row(row: Mapping[str, Any]) -> Sample:
    for name in COLUMNS:
        if row.get(name) in (None, ""):
            raise ValueError(f"lacks {name}")
    resource = next((each for each in _RESOURCES if each == row["resource"]), None)
    if resource is None:
        raise ValueError(f"resource must be one of {', '.join(_RESOURCES)}")
    return Sample(
        _parse_time(row["time"]), str(row["pipeline"]), str(row["pool"]), resource, _parse_used(row, resource)
    )


def _parse_time(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("time must be a time such as 2026-11-01T00:05:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _parse_used(row: Mapping[str, Any], resource: Resource) -> float:
    try:
        amount = float(parse_quantity(row["used"]))
    except ValueError as error:
        raise ValueError(f"used {error}") from None
    return amount * 1_000 if resource == "cpu" else amount
