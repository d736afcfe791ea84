"""Every panel, asked of a real Prometheus that scrapes the example pipelines."""

from typing import Any

import pytest

from headroom.dashboards.grafana import render_grafana_dashboard
from headroom.dashboards.panels import Dashboard, load_dashboards
from tests.monitoring.conftest import World
from tests.monitoring.servers import wait_for

# What only Google measures, and what the examples' queues do not have.
EMPTY = {
    "Open alerts",
    "Time in which they compute",
    "Memory in use",
    "Quota of Google Cloud in use",
    "Share of the headroom in use",
    "Headroom: held and kept free",
    "Processors: held, guarantee and cap",
    "Memory: held, guarantee and cap",
    "Too few values to judge",
}

# The examples' queues are of training pipelines.
QUOTA = {"Share of the cap in use", "Share of the guarantee in use", "Jobs that wait for quota"}


def ask(world: World, expr: str) -> list[dict[str, Any]]:
    expr = expr.replace("$environment", "prod").replace("$pipeline", ".*")
    return world.prometheus.query(expr)


@pytest.mark.parametrize("dashboard", load_dashboards(), ids=lambda each: each.name)
def test_every_panel_shows_something_of_the_examples(world: World, dashboard: Dashboard) -> None:
    """M1 to M16: no query is refused, and none is empty but those whose metrics are not here."""
    panels = render_grafana_dashboard(dashboard)["panels"]
    queries = {
        (panel["title"], target["legendFormat"]): target["expr"]
        for panel in panels
        for target in panel.get("targets", ())
    }

    expected = EMPTY | (set() if dashboard.kind in ("", "training") else QUOTA)

    def blank() -> set[tuple[str, str]]:
        found = {name for name, expr in queries.items() if not ask(world, expr)}
        return {(title, legend) for title, legend in found if title not in expected}

    wait_for(lambda: blank() == set() or None, 60, lambda: f"these show nothing: {sorted(blank())}")
