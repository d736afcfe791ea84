"""Dashboards as Grafana imports them.

Form: grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model, read 2026-11-21.
"""

from typing import Any

from headroom.dashboards.panels import COLUMNS, UNITS, Dashboard, Panel, Row, fill

SCHEMA_VERSION = 39
"""Grafana 11; later ones migrate it as they load it."""

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_PANEL_HEIGHT = 8
_SCOPE = {
    "scope": 'environment=~"$environment", pipeline=~"$pipeline"',
    "here": 'environment=~"$environment"',
    "containers": 'cluster_name=~"$environment-cluster", namespace_name=~"$pipeline"',
}


def render_grafana_dashboard(dashboard: Dashboard) -> dict[str, Any]:
    """Return the dashboard for any environment; source, environment and pipelines are chosen at the top."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in dashboard.rows:
        panels.append(_header(row, len(panels) + 1, top))
        top = _add_panels(panels, row, top + 1)
    return {
        "uid": f"headroom-{dashboard.name}",
        "title": f"headroom: {dashboard.title}",
        "description": dashboard.about,
        "tags": ["headroom"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "links": [
            {
                "type": "dashboards",
                "title": "headroom",
                "tags": ["headroom"],
                "asDropdown": True,
                "keepTime": True,
            }
        ],
        "templating": {"list": _variables(dashboard)},
        "panels": panels,
    }


def _variables(dashboard: Dashboard) -> list[dict[str, Any]]:
    kind = f', kind="{dashboard.kind}"' if dashboard.kind else ""
    of_pipelines = f'ml_pipeline_info{{environment=~"$environment"{kind}}}'
    if not dashboard.kind:
        # Queues too: a pipeline that exports nothing has one.
        of_pipelines = '{__name__=~"ml_pipeline_info|kueue_pending_workloads", environment=~"$environment"}'
    return [
        {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"},
        _label_values("environment", "ml_pipeline_info", several=False),
        _label_values("pipeline", of_pipelines, several=True),
    ]


def _label_values(label: str, series: str, *, several: bool) -> dict[str, Any]:
    query = f"label_values({series}, {label})"
    variable: dict[str, Any] = {
        "type": "query",
        "name": label,
        "datasource": _SOURCE,
        "query": {"query": query, "refId": label},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
    }
    if several:
        variable |= {"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
    return variable


def _header(row: Row, number: int, top: int) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": False,
        "gridPos": place,
        "panels": [],
    }


def _add_panels(panels: list[dict[str, Any]], row: Row, top: int) -> int:
    """Add the row's panels from `top` downwards; returns where the next row begins."""
    left = 0
    for panel in row.panels:
        if left + panel.width > COLUMNS:
            left, top = 0, top + _PANEL_HEIGHT
        place = {"x": left, "y": top, "w": panel.width, "h": _PANEL_HEIGHT}
        panels.append(
            {"id": len(panels) + 1, "title": panel.title, "description": row.about, "gridPos": place}
            | _body(panel)
        )
        left += panel.width
    return top + _PANEL_HEIGHT


def _body(panel: Panel) -> dict[str, Any]:
    if panel.view == "alerts":
        states = {"firing": True, "pending": False, "noData": False, "normal": False, "error": True}
        return {
            "type": "alertlist",
            "options": {"viewMode": "list", "groupMode": "default", "maxItems": 20, "stateFilter": states},
        }
    is_table = panel.view == "table"
    return {
        "type": "table" if is_table else "timeseries",
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": fill(query.expr, **_SCOPE),
                "legendFormat": query.legend,
                "instant": is_table,
                "range": not is_table,
                **({"format": "table"} if is_table else {}),
            }
            for number, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": {} if is_table else {"legend": {"displayMode": "list", "placement": "bottom"}},
    }


def _field(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    colors = ["red"] if len(panel.thresholds) == 1 else ["orange", "red"]
    steps += [
        {"color": color, "value": threshold.value}
        for threshold, color in zip(panel.thresholds, colors, strict=False)
    ]
    field: dict[str, Any] = {
        "unit": UNITS[panel.unit].grafana,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.view == "lines":
        style = {"thresholdsStyle": {"mode": "line"}} if panel.thresholds else {}
        field["custom"] = {"axisLabel": panel.axis, "lineWidth": 1, "fillOpacity": 0, **style}
    return field
