"""Q4: usage files, and what their samples come to."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.usage import Sample, parse_usage, summarize
from headroom.spec.errors import StackFileError

START = datetime(2026, 11, 1, tzinfo=UTC)
CSV = """time,pipeline,pool,resource,used
2026-11-01T00:00:00Z,feed-serving,l4,gpus,3
2026-11-01T00:05:00Z,feed-serving,l4,gpus,5
2026-11-02T00:00:00Z,feed-data,cpu,cpu,500m
2026-11-02T00:05:00,feed-data,cpu,memory,12Gi
"""
ROWS = [
    dict(zip(CSV.splitlines()[0].split(","), line.split(","), strict=True)) for line in CSV.splitlines()[1:]
]


def series(*used: float, step: timedelta = timedelta(hours=1)) -> list[Sample]:
    return [Sample(START + number * step, "p", "l4", "gpus", each) for number, each in enumerate(used)]


def test_samples_come_to_mean_percentile_peak_and_days() -> None:
    """Q4."""
    (found,) = summarize(series(*([1.0] * 94), *([5.0] * 5), 9.0))
    assert (found.mean, found.busy, found.peak) == (pytest.approx(1.28), 5.0, 9.0)
    assert found.days == 5


def test_days_without_a_sample_are_not_counted() -> None:
    (found,) = summarize(series(1, 1, 1, step=timedelta(days=3)))
    assert found.days == 3


def test_pipelines_pools_and_resources_are_kept_apart() -> None:
    found = summarize(parse_usage(CSV, "f"))
    assert [(each.pipeline, each.pool, each.resource, each.peak) for each in found] == [
        ("feed-data", "cpu", "cpu", 500.0),
        ("feed-data", "cpu", "memory", 12 * 2**30),
        ("feed-serving", "l4", "gpus", 5.0),
    ]


def test_json_says_the_same_as_csv() -> None:
    assert parse_usage(json.dumps({"samples": ROWS}), "f") == parse_usage(CSV, "f")


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_mean_and_percentile_lie_below_the_peak(used: list[float]) -> None:
    (found,) = summarize(series(*used))
    assert min(used) - 1e-6 <= found.mean <= found.peak + 1e-6
    assert found.busy <= found.peak == max(used)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: lacks time, pipeline, pool, resource, used"),
        ("time,pipeline,pool,used\n", "line 1: lacks resource; the columns are time,pipeline,pool,resource,used"),
        (CSV.splitlines()[0], "has no samples"),
        (CSV.replace("gpus,3", "gpu,3"), "line 2: resource must be one of cpu, memory, gpus, chips"),
        (CSV.replace("gpus,3", "gpus,-3"), "line 2: used must be a quantity in Kubernetes notation"),
        (CSV.replace("gpus,3", "gpus,nan"), "line 2: used must be a quantity in Kubernetes notation"),
        (CSV.replace("gpus,3", "gpus,"), "line 2: lacks used"),
        (CSV.replace("2026-11-01T00:05:00Z", "yesterday"), "line 3: time must be a time such as 2026-11-01"),
        ("{", "is not valid JSON"),
        ("[]", "samples: is required: a list of time, pipeline, pool, resource, used"),
        ('{"samples": [7]}', "samples[0]: lacks time"),
        ('{"samples": []}', "has no samples"),
    ],
)  # fmt: skip
def test_a_usage_file_that_cannot_be_used_is_refused_by_line(text: str, expected: str) -> None:
    with pytest.raises(StackFileError) as refusal:
        parse_usage(text, "usage.csv")
    assert f"usage.csv: {expected}" in str(refusal.value)


def test_a_file_full_of_mistakes_names_the_first_twenty() -> None:
    text = CSV.splitlines()[0] + "\n" + "a,b,c,d,e\n" * 500
    with pytest.raises(StackFileError) as refusal:
        parse_usage(text, "f")
    assert len(refusal.value.problems) == 20


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for content in (text, CSV.splitlines()[0] + "\n" + text):
        with contextlib.suppress(StackFileError):
            assert parse_usage(content, "f")
