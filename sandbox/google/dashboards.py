"""Dashboards that Cloud Monitoring refuses.

Sources: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.dashboards (MosaicLayout, Widget, XyChart,
Threshold, DashboardFilter) and cloud.google.com/monitoring/quotas, "Limits for dashboards", 2026-11-21.
"""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.errors import ApiError
from sandbox.google.rules import Request

DASHBOARD: Final = "gcp:monitoring/dashboard:Dashboard"

_MOST_WIDGETS: Final = 40
_MOST_COLUMNS: Final = 48
_LAYOUTS: Final = ("gridLayout", "mosaicLayout", "rowLayout", "columnLayout")
_FIELDS: Final = {
    "name", "displayName", "etag", "dashboardFilters", "labels", "description", "annotations", *_LAYOUTS
}  # fmt: skip
_CONTENTS: Final = {
    "xyChart", "scorecard", "text", "blank", "alertChart", "timeSeriesTable", "collapsibleGroup", "logsPanel",
    "incidentList", "pieChart", "treemap", "errorReportingPanel", "sectionHeader", "singleViewGroup",
}  # fmt: skip
_FILTER_TYPES: Final = {
    "RESOURCE_LABEL", "METRIC_LABEL", "USER_METADATA_LABEL", "SYSTEM_METADATA_LABEL", "GROUP", "VALUE_ONLY",
}  # fmt: skip
_QUERIES: Final = {"timeSeriesFilter", "timeSeriesFilterRatio", "timeSeriesQueryLanguage", "prometheusQuery"}


def require_valid_dashboard(request: Request) -> None:
    """Raise `ApiError` 400 for a dashboard whose JSON Cloud Monitoring does not take."""
    if request.token != DASHBOARD:
        return
    try:
        content = json.loads(request.properties["dashboardJson"])
    except ValueError as error:
        raise _invalid(f"is no JSON: {error}") from None
    for problem in _problems(content):
        raise _invalid(problem)


def _problems(content: Mapping[str, Any]) -> Iterator[str]:
    if unknown := set(content) - _FIELDS:
        yield f'Unknown name "{min(unknown)}": Cannot find field.'
    if not content.get("displayName"):
        yield "Field displayName is required."
    if len([layout for layout in _LAYOUTS if layout in content]) != 1:
        yield f"Exactly one of {', '.join(_LAYOUTS)} must be set."
    for each in content.get("dashboardFilters", ()):
        if each.get("filterType") not in _FILTER_TYPES:
            yield f"Field dashboardFilters.filterType has the invalid value {each.get('filterType')}."
    if "mosaicLayout" in content:
        yield from _mosaic_problems(content["mosaicLayout"])


def _mosaic_problems(layout: Mapping[str, Any]) -> Iterator[str]:
    columns, tiles = layout.get("columns", 0), layout.get("tiles", ())
    if not 1 <= columns <= _MOST_COLUMNS:
        yield f"Field mosaicLayout.columns must be between 1 and {_MOST_COLUMNS}."
    if len(tiles) > _MOST_WIDGETS:
        yield f"The dashboard has {len(tiles)} widgets, the maximum is {_MOST_WIDGETS}."
    taken: set[tuple[int, int]] = set()
    for number, tile in enumerate(tiles):
        where = f"mosaicLayout.tiles[{number}]"
        cells = _cells(tile)
        if not cells or tile.get("xPos", 0) + tile.get("width", 0) > columns:
            yield f"Field {where} does not lie within the {columns} columns."
        if taken & cells:
            yield f"Field {where} overlaps another tile."
        taken |= cells
        yield from (f"Field {where}.widget {problem}" for problem in _widget_problems(tile["widget"]))


def _cells(tile: Mapping[str, Any]) -> set[tuple[int, int]]:
    left, top = tile.get("xPos", 0), tile.get("yPos", 0)
    return {
        (x, y)
        for x in range(left, left + tile.get("width", 0))
        for y in range(top, top + tile.get("height", 0))
    }


def _widget_problems(widget: Mapping[str, Any]) -> Iterator[str]:
    if len(set(widget) & _CONTENTS) != 1 or set(widget) - _CONTENTS - {"title", "id"}:
        yield f"must have one content of {', '.join(sorted(_CONTENTS))}."
    chart = widget.get("xyChart", {})
    for threshold in chart.get("thresholds", ()):
        if {"color", "direction"} & set(threshold):
            yield "has a threshold with a color or a direction, which an XyChart does not allow."
    for each in (chart or widget.get("timeSeriesTable", {})).get("dataSets", ()):
        if len(set(each["timeSeriesQuery"]) & _QUERIES) != 1:
            yield f"has a data set without exactly one of {', '.join(sorted(_QUERIES))}."


def _invalid(reason: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, f"Invalid dashboard: {reason}", "badRequest")
