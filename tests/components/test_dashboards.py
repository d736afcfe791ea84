"""Dashboards and objectives, as the engine is asked for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from sandbox.google.check import check_inputs
from sandbox.google.facts import load_facts
from sandbox.google.schema import load_resource_type
from tests.mocks import Registered

Run = Callable[[Plan], list[Registered]]

DASHBOARD = "gcp:monitoring/dashboard:Dashboard"
SLO = "gcp:monitoring/slo:Slo"
SERVICE = "gcp:monitoring/customService:CustomService"


@pytest.fixture
def config(root: Path) -> dict[str, Any]:
    return load_config(root / "Pulumi.dev.yaml")


def of_type(graph: list[Registered], kind: str) -> list[Registered]:
    return [each for each in graph if each.type == kind]


def test_there_are_five_dashboards_whatever_the_number_of_pipelines(
    config: dict[str, Any], run_program: Run
) -> None:
    dashboards = of_type(run_program(plan_config(config, "dev", "f")), DASHBOARD)
    assert [each.name for each in dashboards] == [
        f"dev-dashboard-{name}" for name in ("data", "overview", "serving", "training", "validation")
    ]
    config["headroom:pipelines"] = {}
    assert of_type(run_program(plan_config(config, "dev", "f")), DASHBOARD) == dashboards
    for each in dashboards:
        assert json.loads(each.inputs["dashboardJson"])["displayName"].startswith("dev: ")
        assert each.options["depends_on"] == ["dev-monitoring"]


def test_objectives_are_made_only_where_they_are_asked_for(config: dict[str, Any], run_program: Run) -> None:
    """M15, M16."""
    assert of_type(run_program(plan_config(config, "dev", "f")), SLO) == []
    config["headroom:monitoring"] = {"objectives": {"feed-serving": {"availability": 0.9995}}}
    graph = run_program(plan_config(config, "dev", "f"))
    (service,) = of_type(graph, SERVICE)
    availability, latency = of_type(graph, SLO)
    assert service.inputs["serviceId"] == "dev-feed-serving"
    assert availability.inputs["service"] == "dev-feed-serving"
    assert (availability.inputs["goal"], availability.inputs["rollingPeriodDays"]) == (0.9995, 28)
    assert availability.inputs["displayName"] == "availability 0.9995"
    assert latency.inputs["displayName"] == "latency 0.99"
    ratio = latency.inputs["requestBasedSli"]["goodTotalRatio"]
    assert set(ratio) == {"badServiceFilter", "totalServiceFilter"}


def test_the_provider_takes_what_is_asked_of_it(config: dict[str, Any], run_program: Run) -> None:
    config["headroom:monitoring"] = {"objectives": {"feed-serving": {}}}
    graph = run_program(plan_config(config, "dev", "f"))
    for each in (*of_type(graph, DASHBOARD), *of_type(graph, SERVICE), *of_type(graph, SLO)):
        # On the wire of the engine every number is a float.
        whole = {name: int(value) if value == 28 else value for name, value in each.inputs.items()}
        assert check_inputs(load_resource_type(each.type), load_facts(each.type), whole) == [], each.name
