"""Whose a series is said to be, and which series are kept."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headroom.alerts.contract import load_contract
from headroom.planning.collection import (
    NAMESPACE,
    PUSHGATEWAY_PORT,
    SCRAPE_LABEL,
    STALE_DAYS,
    CollectionPlan,
    Relabeling,
)
from headroom.planning.plan import Plan, plan_config
from tests.conftest import MINIMAL

Labels = dict[str, str]

CLICKS = {
    "kind": "serving",
    "model": "m",
    "owner": "user:a@b.co",
    "limits": {"cpu": {"cpu": {"guarantee": 4, "cap": 8}, "memory": {"guarantee": "8Gi", "cap": "16Gi"}}},
}


@cache
def plan() -> CollectionPlan:
    return plan_config(MINIMAL | {"headroom:pipelines": {"clicks": CLICKS}}, "prod", "f").collection


def relabel(labels: Labels, rules: Iterable[Relabeling]) -> Labels | None:
    """What Prometheus makes of a series; None: it is dropped."""
    labels = dict(labels)
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule.source)
        matched = re.fullmatch(rule.regex or "(.*)", value, re.DOTALL)
        if rule.action == "replace":
            labels[rule.target] = rule.replacement or value
        elif (rule.action == "keep") != bool(matched):
            return None
    return labels


texts = st.text(min_size=1, max_size=20)
claims = st.dictionaries(st.sampled_from(["environment", "pipeline", "cluster_queue", "serving"]), texts)


@given(claims)
def test_a_pod_is_of_the_pipeline_whose_namespace_it_is_in_whatever_it_claims(claimed: Labels) -> None:
    """Q3, M16: nobody can speak for another pipeline, nor for another environment."""
    series = claimed | {"__name__": "ml_pipeline_info", "namespace": "clicks"}
    found = relabel(series, plan().pipelines)
    assert found is not None
    assert (found["environment"], found["pipeline"]) == ("prod", "clicks")


@given(claims)
def test_a_series_of_kueue_is_of_the_pipeline_whose_queue_it_is(claimed: Labels) -> None:
    series = claimed | {"__name__": "kueue_pending_workloads", "cluster_queue": "clicks"}
    found = relabel(series, plan().kueue)
    assert found is not None
    assert (found["environment"], found["pipeline"]) == ("prod", "clicks")


@pytest.mark.parametrize("metric", [m.name for m in load_contract().metrics if m.exporter == "kueue"])
def test_metrics_of_quota_come_from_kueue_alone(metric: str) -> None:
    """Q3: who could publish a guarantee would hide what it uses beyond it."""
    series = {"__name__": metric, "namespace": "clicks", "cluster_queue": "clicks", "pipeline": "clicks"}
    assert relabel(series, plan().kueue)
    assert relabel(series, plan().pipelines) is None
    assert relabel(series, plan().pushed) is None


def test_only_the_pushgateway_says_that_it_is_there() -> None:
    """M8: a pod that says so would hide that nothing can be pushed."""
    series = {"__name__": "pushgateway_build_info", "namespace": "clicks"}
    assert relabel(series, plan().pipelines) is None
    assert relabel(series, plan().kueue) is None


def test_of_kueue_nothing_is_kept_that_no_alert_reads() -> None:
    assert relabel({"__name__": "kueue_admission_attempts_total"}, plan().kueue) is None
    assert relabel({"__name__": "xkueue_pending_workloads"}, plan().kueue) is None


def test_experiments_raise_no_alerts_and_keep_their_own_metrics() -> None:
    """Q5."""
    series = {"namespace": "experiments", "serving": "true"}
    assert relabel(series | {"__name__": "ml_pipeline_info"}, plan().pipelines) is None
    kept = relabel(series | {"__name__": "loss"}, plan().pipelines)
    assert kept is not None
    assert kept["pipeline"] == "experiments"


@pytest.mark.parametrize(
    ("series", "is_kept"),
    [
        ({"__name__": "ml_training_last_success_timestamp_seconds"}, True),
        ({"__name__": "ml_pipeline_info", "serving": "false"}, True),
        ({"__name__": "push_time_seconds"}, True),
        ({"__name__": "pushgateway_build_info"}, True),
        ({"__name__": "pushgateway_http_requests_total"}, False),
        ({"__name__": "ml_pipeline_info", "serving": "true"}, False),
        ({"__name__": "ml_prediction_requests_total", "code": "200"}, False),
        ({"__name__": "ml_prediction_duration_seconds_bucket"}, False),
        ({"__name__": "ml_slo_objective_ratio"}, False),
        ({"__name__": "go_goroutines"}, False),
    ],
)
def test_what_is_pushed_cannot_say_that_predictions_are_well(series: Labels, is_kept: bool) -> None:
    """M15, M16: anybody in a pipeline's namespace can push in another's name."""
    found = relabel(series | {"pipeline": "clicks", "environment": "elsewhere"}, plan().pushed)
    assert (found is not None) == is_kept
    if found:
        assert (found["environment"], found["pipeline"]) == ("prod", "clicks")


def test_what_a_month_brings_is_not_forgotten() -> None:
    assert STALE_DAYS > 31


def test_the_namespace_of_the_pushgateway_can_be_no_pipelines(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:pipelines"] = {NAMESPACE: CLICKS}
    assert refused() == [
        f"headroom:pipelines.{NAMESPACE}: is a name that the cluster keeps for itself; choose another"
    ]


def test_the_volume_is_part_of_the_quota_that_is_drawn(plan_whole: Callable[[], Plan]) -> None:
    drawn = [draw for draw in plan_whole().pool_quota if draw.pool == NAMESPACE]
    assert [draw.amount for draw in drawn] == [10]
    assert drawn[0].quota in {total.quota for total in plan_whole().quota}


def test_the_pushgateway_runs_beside_the_cluster_s_own_services() -> None:
    planned = plan()
    assert planned.pool == "system"
    assert planned.taint[1] == "true"
    assert planned.names == ("clicks",)
    assert planned.image.endswith(":v1.11.1")


def test_the_pod_of_the_libraries_readme_is_scraped_as_the_pipeline_it_is_in(root: Path) -> None:
    text = (root / "metrics" / "README.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    pod = yaml.safe_load(example)
    assert pod["metadata"]["labels"] == dict([SCRAPE_LABEL])
    (container,) = pod["spec"]["containers"]
    assert [port["name"] for port in container["ports"]] == ["metrics"]
    variables = {each["name"]: each for each in container["env"]}
    assert set(variables) == {"HEADROOM_ENVIRONMENT", "HEADROOM_PIPELINE"}
    assert variables["HEADROOM_PIPELINE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert f"http://pushgateway.{NAMESPACE}:{PUSHGATEWAY_PORT}" in text
    assert f"{STALE_DAYS} days" in text
