"""Dashboards as Grafana imports them."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from headroom.dashboards.__main__ import main, render_files
from headroom.dashboards.grafana import render_grafana_dashboard
from headroom.dashboards.panels import Dashboard, load_dashboards

every = pytest.mark.parametrize("dashboard", load_dashboards(), ids=lambda each: each.name)

VARIABLES = {"datasource", "environment", "pipeline"}


def test_the_committed_files_are_current(root: Path, tmp_path: Path) -> None:
    main(str(tmp_path))
    folder = root / "dashboards"
    assert {path.name for path in folder.glob("*.json")} == set(render_files()), "run `make dashboards`"
    for name in render_files():
        assert (folder / name).read_text() == (tmp_path / name).read_text(), "run `make dashboards`"


@every
def test_panels_have_numbers_of_their_own_and_lie_side_by_side(dashboard: Dashboard) -> None:
    panels = render_grafana_dashboard(dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        assert not overlap(one, other), (one, other)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@every
def test_every_target_asks_the_chosen_source_by_variables_that_there_are(dashboard: Dashboard) -> None:
    content = render_grafana_dashboard(dashboard)
    assert {variable["name"] for variable in content["templating"]["list"]} == VARIABLES
    for target in targets(content):
        assert target["datasource"]["uid"] == "${datasource}"
        assert set(re.findall(r"\$(\w+)", target["expr"])) <= VARIABLES
    for panel in content["panels"]:
        references = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(references)) == len(references)


def targets(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in content["panels"] for target in panel.get("targets", ())]


def test_a_dashboard_of_a_kind_offers_the_pipelines_of_that_kind() -> None:
    (serving,) = [each for each in load_dashboards() if each.kind == "serving"]
    (pipeline,) = [
        variable
        for variable in render_grafana_dashboard(serving)["templating"]["list"]
        if variable["name"] == "pipeline"
    ]
    assert 'kind="serving"' in pipeline["definition"]
    assert pipeline["allValue"] == ".*"


def test_the_graver_of_two_lines_is_red() -> None:
    (overview, *_) = load_dashboards()
    (panel,) = [
        each
        for each in render_grafana_dashboard(overview)["panels"]
        if each["title"] == "Quota of Google Cloud in use"
    ]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["color"], step["value"]) for step in steps] == [
        ("green", None),
        ("orange", 0.8),
        ("red", 1),
    ]
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": "line"}
