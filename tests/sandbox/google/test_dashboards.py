"""Dashboards that Google refuses are refused, with the field."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.dashboards import plan_dashboards
from sandbox.google.dashboards import DASHBOARD
from sandbox.google.errors import ApiError
from tests.sandbox.google.conftest import World

Change = Callable[[dict[str, Any]], Any]


def make(world: World, content: str) -> Any:
    return world.make(DASHBOARD, project="acme-dev", dashboardJson=content)


def tile(content: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in content["mosaicLayout"]["tiles"] if kind in each["widget"])


@pytest.mark.parametrize("plan", plan_dashboards("dev"), ids=lambda plan: plan.name)
def test_every_dashboard_of_the_program_is_taken(world: World, plan: Any) -> None:
    assert make(world, plan.content).properties["dashboardJson"] == plan.content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.pop("displayName"), "displayName is required"),
        (lambda it: it.update(title="x"), 'Unknown name "title"'),
        (lambda it: it.pop("mosaicLayout"), "Exactly one of gridLayout"),
        (lambda it: it.update(gridLayout={}), "Exactly one of gridLayout"),
        (lambda it: it["mosaicLayout"].update(columns=49), "columns must be between 1 and 48"),
        (lambda it: it["mosaicLayout"]["tiles"][1].update(width=49), "does not lie within the 48 columns"),
        (lambda it: it["mosaicLayout"]["tiles"][1].pop("height"), "does not lie within the 48 columns"),
        (lambda it: it["mosaicLayout"]["tiles"][1].pop("yPos"), "overlaps another tile"),
        (lambda it: it["mosaicLayout"].update(tiles=it["mosaicLayout"]["tiles"] * 9), "the maximum is 40"),
        (lambda it: it["dashboardFilters"][0].update(filterType="LABEL"), "invalid value LABEL"),
        (lambda it: tile(it, "xyChart")["widget"].update(scorecard={}), "must have one content"),
        (
            lambda it: tile(it, "xyChart")["widget"]["xyChart"].update(thresholds=[{"color": "RED"}]),
            "a color or a direction",
        ),
        (
            lambda it: tile(it, "xyChart")["widget"]["xyChart"]["dataSets"][0]["timeSeriesQuery"].pop(
                "prometheusQuery"
            ),
            "without exactly one of prometheusQuery",
        ),
    ],
)
def test_what_google_refuses_is_refused(world: World, change: Change, message: str) -> None:
    content = copy.deepcopy(json.loads(plan_dashboards("dev")[0].content))
    change(content)
    with pytest.raises(ApiError, match="Error 400: Invalid dashboard: ") as refused:
        make(world, json.dumps(content))
    assert message in str(refused.value)


def test_what_is_no_json_is_refused(world: World) -> None:
    with pytest.raises(ApiError, match="is no JSON"):
        make(world, "{")
