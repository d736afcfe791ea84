"""The dashboards of an environment: always as many, whatever the number of pipelines."""

import json
from dataclasses import dataclass
from functools import lru_cache

from headroom.dashboards.cloud_monitoring import render_cloud_dashboard
from headroom.dashboards.panels import load_dashboards


@dataclass(frozen=True, slots=True)
class DashboardPlan:
    """A dashboard by its short name, and what it shows, as the API's JSON."""

    name: str
    content: str


@lru_cache(maxsize=8)
def plan_dashboards(environment: str) -> tuple[DashboardPlan, ...]:
    """Return the overview and a dashboard for each kind of pipelines."""
    return tuple(
        DashboardPlan(
            dashboard.name, json.dumps(render_cloud_dashboard(dashboard, environment), sort_keys=True)
        )
        for dashboard in load_dashboards()
    )
