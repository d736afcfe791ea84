"""The dashboards as data: rows of panels with their queries, read from data/*.yaml.

Widths are of 24 columns. In an expression `$scope` stands for the environment and the chosen pipelines,
`$here` for the environment alone, `$containers` for the containers of the chosen pipelines.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

COLUMNS = 24

View = Literal["lines", "table", "alerts"]

_DATA = Path(__file__).parent / "data"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLACES = ("$scope", "$here", "$containers")
_PANEL_KEYS = {"title", "unit", "axis", "width", "view", "queries", "thresholds"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as Cloud Monitoring and as Grafana write it."""

    cloud: str
    grafana: str


UNITS = {
    "percent": Unit("10^2.%", "percentunit"),
    "hundredths": Unit("%", "percent"),
    "seconds": Unit("s", "s"),
    "bytes": Unit("By", "bytes"),
    "cores": Unit("{core}", "short"),
    "per_second": Unit("1/s", "reqps"),
    "count": Unit("1", "short"),
    "number": Unit("1", "none"),
}
"""Sources: UCUM as in cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.metricDescriptors (unit), and
grafana/grafana packages/grafana-data/src/valueFormats/categories.ts, 2026-11. `percent` is of 1."""


@dataclass(frozen=True, slots=True)
class Query:
    """Series and what each is called; `{{label}}` in the legend is the label's value."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A line across the panel, and what it means to be above it."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, a table of the latest values, or the list of open alerts."""

    title: str
    view: View
    width: int
    unit: str
    axis: str
    queries: tuple[Query, ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together; `about` says how to read them."""

    title: str
    about: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels; `kind` is the kind of pipelines that it shows, empty for all."""

    name: str
    title: str
    about: str
    kind: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, from the top."""
        return tuple(panel for row in self.rows for panel in row.panels)


def fill(expr: str, **places: str) -> str:
    """Return the expression with what `$scope`, `$here` and `$containers` stand for."""
    for place in _PLACES:
        expr = expr.replace(place, places[place.removeprefix("$")])
    return expr


@cache
def load_dashboards() -> tuple[Dashboard, ...]:
    """Return the dashboards, the overview first, read once for each process.

    The files belong to the package, so one that is missing or malformed is a defect and raises.
    """
    found = [_dashboard(path) for path in sorted(_DATA.glob("*.yaml")) if path.stem != "metrics"]
    return tuple(sorted(found, key=lambda dashboard: (bool(dashboard.kind), dashboard.name)))


@cache
def load_metrics() -> Mapping[str, frozenset[str]]:
    """Return the labels of the metrics that are shown and that no alert reads, by name."""
    rows = _read((_DATA / "metrics.yaml").read_text(encoding="utf-8"))
    return {name: frozenset(row["labels"]) for row in rows for name in row["metrics"]}


def _dashboard(path: Path) -> Dashboard:
    data = _read(path.read_text(encoding="utf-8"))
    rows = tuple(_row(row, path.name) for row in data["rows"])
    return Dashboard(path.stem, data["title"], data["about"], data.get("kind", ""), rows)


def _row(row: Mapping[str, Any], file: str) -> Row:
    if "include" in row:
        file = f"rows/{row['include']}.yaml"
        text = (_DATA / file).read_text(encoding="utf-8")
        for name, value in row.get("with", {}).items():
            text = text.replace(f"${name}", value)
        row = _read(text)
    return Row(row["title"], row["about"], tuple(_panel(panel, file) for panel in row["panels"]))


def _panel(panel: Mapping[str, Any], file: str) -> Panel:
    view = panel.get("view", "lines")
    if view not in get_args(View) or set(panel) - _PANEL_KEYS:
        raise ValueError(f"{file}: {panel['title']}: is no panel: {sorted(panel)}, view {view}")
    return Panel(
        title=panel["title"],
        view=view,
        width=panel["width"],
        unit=panel.get("unit", ""),
        axis=panel.get("axis", ""),
        queries=tuple(Query(query["expr"].strip(), query["legend"]) for query in _list(panel.get("queries"))),
        thresholds=tuple(
            Threshold(float(row["value"]), row["label"]) for row in _list(panel.get("thresholds"))
        ),
    )


def _read(text: str) -> Any:
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - either loader is a safe one


def _list(rows: Iterable[Mapping[str, Any]] | None) -> Iterable[Mapping[str, Any]]:
    return rows or ()
