"""Objectives that the cloud keeps, and those that it cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.plan import Plan

LIMITS = {"cpu": {"cpu": {"guarantee": 1, "cap": 8}, "memory": {"guarantee": "1Gi", "cap": "16Gi"}}}
OWNED = {"model": "m", "owner": "user:a@b.co", "limits": LIMITS}


@pytest.fixture(autouse=True)
def pipelines(config: dict[str, Any]) -> None:
    config["headroom:pipelines"] = {"clicks": {"kind": "serving"} | OWNED, "feed": {"kind": "data"} | OWNED}


def test_none_is_kept_that_nobody_asked_for(plan_whole: Callable[[], Plan]) -> None:
    """Cloud Monitoring refuses objectives on metrics that it has never seen, so that a first `up` has none."""
    assert plan_whole().objectives == ()


def test_availability_and_latency_are_shares_of_all_requests(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    """M15, M16."""
    config["headroom:monitoring"] = {"objectives": {"clicks": {"availability": 0.9995, "latency": 0.95}}}
    (service,) = plan_whole().objectives
    availability, latency = service.objectives
    assert (service.pipeline, availability.goal, latency.goal) == ("clicks", 0.9995, 0.95)
    assert availability.total == latency.total
    assert 'metric.type="prometheus.googleapis.com/ml_prediction_requests_total/counter"' in latency.total
    assert availability.bad == availability.total + ' metric.labels.code=monitoring.regex.full_match("5..")'
    assert "ml_prediction_slow_requests_total/counter" in latency.bad
    for text in (availability.bad, availability.total, latency.bad):
        assert 'metric.labels.environment="test" metric.labels.pipeline="clicks"' in text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("click", "names no pipeline of this stack; did you mean clicks?"),
        ("feed", "is no serving pipeline; only requests for predictions have objectives here"),
    ],
)
def test_what_serves_nothing_has_no_objectives(
    config: dict[str, Any], refused: Callable[[], list[str]], name: str, message: str
) -> None:
    config["headroom:monitoring"] = {"objectives": {name: {}}}
    assert refused() == [f"headroom:monitoring.objectives.{name}: {message}"]
