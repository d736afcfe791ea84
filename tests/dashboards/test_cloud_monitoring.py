"""Dashboards as Cloud Monitoring takes them; that it takes them is tests/sandbox/google/test_dashboards.py."""

import json
import re
from typing import Any

import pytest

from headroom.dashboards.cloud_monitoring import render_cloud_dashboard
from headroom.dashboards.panels import Dashboard, load_dashboards

every = pytest.mark.parametrize("dashboard", load_dashboards(), ids=lambda each: each.name)


def widgets(dashboard: Dashboard) -> list[dict[str, Any]]:
    content = render_cloud_dashboard(dashboard, "prod")
    return [tile["widget"] for tile in content["mosaicLayout"]["tiles"]]


def queries(dashboard: Dashboard) -> list[str]:
    charts = [widget.get("xyChart") or widget.get("timeSeriesTable") or {} for widget in widgets(dashboard)]
    return [
        each["timeSeriesQuery"]["prometheusQuery"] for chart in charts for each in chart.get("dataSets", ())
    ]


@every
def test_nothing_is_written_that_the_api_leaves_out(dashboard: Dashboard) -> None:
    """It reads back without zeros and empty lists, which every refresh would show as a change."""

    def walk(value: Any, key: str) -> None:
        if isinstance(value, dict):
            assert value or key == "incidentList", key
            for name, child in value.items():
                walk(child, name)
        elif isinstance(value, list):
            assert value, key
            for child in value:
                walk(child, key)
        else:
            assert value not in (0, "", None, False), key

    walk(render_cloud_dashboard(dashboard, "prod"), "")


@every
def test_no_place_is_left_open_and_none_is_of_another_environment(dashboard: Dashboard) -> None:
    for query in queries(dashboard):
        assert not re.search(r"\$(scope|here|containers|stage|kind)\b", query)
        assert set(re.findall(r'environment="([^"]*)"', query)) <= {"prod"}


def test_pipelines_are_chosen_by_a_variable_that_the_queries_use() -> None:
    (overview, *_) = load_dashboards()
    content = render_cloud_dashboard(overview, "prod")
    (chosen,) = content["dashboardFilters"]
    assert (chosen["labelKey"], chosen["templateVariable"]) == ("pipeline", "pipeline")
    assert any('pipeline=~"${pipeline.value}"' in query for query in queries(overview))
    assert content["displayName"] == "prod: Overview"


def test_alerts_are_the_first_that_is_seen() -> None:
    (overview, *_) = load_dashboards()
    header, first = widgets(overview)[:2]
    assert header["sectionHeader"]["subtitle"]
    assert first == {"title": "Open alerts", "incidentList": {}}


@every
def test_axes_and_thresholds_say_what_they_are(dashboard: Dashboard) -> None:
    for widget in widgets(dashboard):
        if chart := widget.get("xyChart"):
            assert chart["yAxis"]["label"]
            assert all(each["timeSeriesQuery"]["unitOverride"] for each in chart["dataSets"])
            assert all(line["label"] for line in chart.get("thresholds", ()))


def test_legends_name_the_labels_as_the_console_does() -> None:
    text = json.dumps([widgets(dashboard) for dashboard in load_dashboards()])
    assert "${labels.pipeline} ${labels.flavor}: guarantee" in text
    assert "{{" not in text
