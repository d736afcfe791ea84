"""Dashboards as Cloud Monitoring takes them.

Form: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.dashboards, read 2026-11-21. What is zero or
empty is left out, as the API leaves it out: otherwise every refresh would find a change.
"""

import re
from typing import Any

from headroom.dashboards.panels import COLUMNS, UNITS, Dashboard, Panel, Query, Row, fill

CLOUD_COLUMNS = 48

_SCALE = CLOUD_COLUMNS // COLUMNS
_HEADER_HEIGHT, _PANEL_HEIGHT = 4, 16
_LEGEND = re.compile(r"\{\{(\w+)\}\}")


def render_cloud_dashboard(dashboard: Dashboard, environment: str) -> dict[str, Any]:
    """Return the dashboard for an environment; pipelines are chosen by a variable at the top."""
    tiles: list[dict[str, Any]] = []
    top = 0
    for row in dashboard.rows:
        tiles.append(_tile(0, top, CLOUD_COLUMNS, _HEADER_HEIGHT, _header(row)))
        top = _add_panels(tiles, row, top + _HEADER_HEIGHT, environment)
    return {
        "displayName": f"{environment}: {dashboard.title}",
        "dashboardFilters": [
            {"filterType": "METRIC_LABEL", "labelKey": "pipeline", "templateVariable": "pipeline"}
        ],
        "mosaicLayout": {"columns": CLOUD_COLUMNS, "tiles": tiles},
    }


def _add_panels(tiles: list[dict[str, Any]], row: Row, top: int, environment: str) -> int:
    """Add the row's panels from `top` downwards; returns where the next row begins."""
    left = 0
    for panel in row.panels:
        width = panel.width * _SCALE
        if left + width > CLOUD_COLUMNS:
            left, top = 0, top + _PANEL_HEIGHT
        tiles.append(_tile(left, top, width, _PANEL_HEIGHT, _widget(panel, environment)))
        left += width
    return top + _PANEL_HEIGHT


def _tile(left: int, top: int, width: int, height: int, widget: dict[str, Any]) -> dict[str, Any]:
    place = {"xPos": left, "yPos": top, "width": width, "height": height}
    return {key: value for key, value in place.items() if value} | {"widget": widget}


def _header(row: Row) -> dict[str, Any]:
    return {"title": row.title, "sectionHeader": {"subtitle": row.about, "dividerBelow": True}}


def _widget(panel: Panel, environment: str) -> dict[str, Any]:
    if panel.view == "alerts":
        return {"title": panel.title, "incidentList": {}}
    if panel.view == "table":
        sets = [{"timeSeriesQuery": _query(panel, query, environment)} for query in panel.queries]
        return {
            "title": panel.title,
            "timeSeriesTable": {"dataSets": sets, "metricVisualization": "NUMBER"},
        }
    chart = {
        "dataSets": [
            {
                "plotType": "LINE",
                "targetAxis": "Y1",
                "legendTemplate": _LEGEND.sub(r"${labels.\1}", query.legend),
                "timeSeriesQuery": _query(panel, query, environment),
            }
            for query in panel.queries
        ],
        "yAxis": {"label": panel.axis, "scale": "LINEAR"},
        "chartOptions": {"mode": "COLOR"},
    }
    # In a chart a threshold has neither colour nor direction: the API refuses both there.
    lines = [
        {"value": threshold.value, "label": threshold.label, "targetAxis": "Y1"}
        for threshold in panel.thresholds
    ]
    return {"title": panel.title, "xyChart": chart | ({"thresholds": lines} if lines else {})}


def _query(panel: Panel, query: Query, environment: str) -> dict[str, Any]:
    here = f'environment="{environment}"'
    chosen = '=~"${pipeline.value}"'
    return {
        "prometheusQuery": fill(
            query.expr,
            scope=f"{here}, pipeline{chosen}",
            here=here,
            containers=f'cluster_name="{environment}-cluster", namespace_name{chosen}',
        ),
        "unitOverride": UNITS[panel.unit].cloud,
    }
