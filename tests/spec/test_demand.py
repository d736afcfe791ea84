"""Q4: what a demand may say, and what is said about one that says something else."""

from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config

SERVING = {"pool": "cpu", "qps": 10, "latency_ms": 80, "service_time_ms": 12}
BATCH = {"pool": "cpu", "similar_to": "clicks"}


def parse(config: dict[str, Any], kind: str, demand: object) -> Any:
    pipeline = {"kind": kind, "model": "m", "owner": "user:a@b.co", "demand": demand}
    config["headroom:pipelines"] = {"p": pipeline}
    return parse_config(config, "f").pipelines["p"]


def test_a_pipeline_has_limits_or_a_demand(config: dict[str, Any]) -> None:
    assert parse(config, "serving", SERVING).pools == {"cpu"}
    with pytest.raises(StackFileError, match="p: needs limits, or a demand from which they are estimated"):
        parse(config, "serving", None)


def test_one_similar_project_needs_no_list(config: dict[str, Any]) -> None:
    assert parse(config, "training", BATCH).demand.similar_to == ("clicks",)
    assert parse(config, "training", BATCH | {"similar_to": ["clicks", "views"]}).demand.similar_to == (
        "clicks",
        "views",
    )


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("serving", {"qps": 0}, "demand.qps: must be at least 0.001"),
        ("serving", {"qps": "many"}, "demand.qps: must be a number"),
        ("serving", {"latency_ms": -1}, "demand.latency_ms: must be at least 0.001"),
        ("serving", {"percentile": 100}, "demand.percentile: must be at most 99.9"),
        ("serving", {"percentile": 0.99}, "demand.percentile: must be at least 50"),
        ("serving", {"target_utilization": 1}, "demand.target_utilization: must be at most 0.95"),
        ("serving", {"burst": 0.5}, "demand.burst: must be at least 1"),
        ("serving", {"concurrency": 0}, "demand.concurrency: must be at least 1"),
        ("serving", {"concurrency": 1.5}, "demand.concurrency: must be a whole number"),
        ("serving", {"batch_wait_ms": 5}, "demand: batch_wait_ms is set and batch is 1"),
        ("serving", {"similar_to": "a"}, "demand.similar_to: is no key of this section"),
        ("serving", {"replica": {"cpu": "lots"}}, "demand.replica.cpu: must be a quantity in Kubernetes notation"),
        ("serving", {"replica": 4}, "demand.replica: must be a mapping, such as {cpu: 4, memory: 8Gi}"),
        ("training", {"size": 5, "scale": 2}, "demand: size and scale are both given; give one of them"),
        ("training", {"similar_to": ["a", "a"]}, "demand: similar_to names a baseline twice"),
        ("training", {"similar_to": []}, "demand.similar_to: needs at least 1"),
        ("training", {"similar_to": "A"}, "demand.similar_to: must look like clicks-training"),
        ("training", {"similar_to": 7}, "demand.similar_to: must be a list such as [clicks-training]"),
        ("data", {"qps": 5}, "demand.qps: is no key of this section"),
        ("validation", {"runs_per_day": 0}, "demand.runs_per_day: must be at least 0.001"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_demand_is_named_with_its_key(
    config: dict[str, Any], kind: str, change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(StackFileError) as refusal:
        parse(config, kind, (SERVING if kind == "serving" else BATCH) | change)
    (line,) = str(refusal.value).splitlines()
    assert f"headroom:pipelines.p.{expected}" in line


@pytest.mark.parametrize("missing", ["pool", "qps", "latency_ms", "service_time_ms"])
def test_what_no_estimate_can_do_without_is_required(config: dict[str, Any], missing: str) -> None:
    demand = {key: value for key, value in SERVING.items() if key != missing}
    with pytest.raises(StackFileError, match=f"demand.{missing}: is required"):
        parse(config, "serving", demand)


def test_a_demand_that_is_no_mapping_shows_one(config: dict[str, Any]) -> None:
    with pytest.raises(StackFileError, match=r"such as \{pool: l4, qps: 1200, latency_ms: 80"):
        parse(config, "serving", 1200)
