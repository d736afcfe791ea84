"""What the dashboards show, and what would make one unreadable."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from headroom.alerts.contract import KINDS, load_contract
from headroom.dashboards.linting import check_dashboard, check_dashboards
from headroom.dashboards.panels import Dashboard, Panel, Query, Row, Threshold, load_dashboards

CONTRACT = load_contract()
FAILING = Query("max by (environment, pipeline) (ml_model_quality{$scope})", "{{pipeline}}")
PANEL = Panel("Quality", "lines", 24, "number", "auc", (FAILING,), (Threshold(0.5, "poor"),))
GOOD = Dashboard("d", "D", "about", "", (Row("r", "about", (PANEL,)),))


def of_panel(panel: Panel) -> Dashboard:
    return replace(GOOD, rows=(replace(GOOD.rows[0], panels=(panel,)),))


def of_query(expr: str, legend: str = "{{pipeline}}") -> Dashboard:
    return of_panel(replace(PANEL, queries=(Query(expr, legend),)))


def find(dashboard: Dashboard) -> str:
    return "\n".join(str(problem) for problem in check_dashboard(dashboard, CONTRACT))


def test_no_dashboard_breaks_a_rule() -> None:
    """M1 to M16: every query reads the contract's metrics, by labels that they have, of one environment."""
    assert check_dashboards(load_dashboards(), CONTRACT) == []


def test_there_is_an_overview_and_a_dashboard_for_each_kind() -> None:
    assert [dashboard.kind for dashboard in load_dashboards()] == ["", *sorted(KINDS)]
    assert load_dashboards()[0].name == "overview"


@pytest.mark.parametrize(
    ("dashboard", "shown"),
    [
        ("overview", {"Open alerts", "Share of the cap in use", "Share of the headroom in use"}),
        ("overview", {f"{what}: held, guarantee and cap" for what in ("Accelerators", "Processors", "Memory")}),
        ("data", {"Share that has drifted", "Unsound values by reason", "Share of the cap in use"}),
        ("training", {"Time that the last good run took", "Pipelines whose last run failed"}),
        ("validation", {"Quality of the models", "Share that has drifted"}),
        ("serving", {"Latency", "Requests that fail", "Availability over a day", "Quality of the models"}),
    ],
)  # fmt: skip
def test_a_dashboard_answers_the_questions_about_its_kind(dashboard: str, shown: set[str]) -> None:
    (found,) = [each for each in load_dashboards() if each.name == dashboard]
    assert shown <= {panel.title for panel in found.panels}


def test_every_metric_that_pipelines_must_export_is_on_a_dashboard() -> None:
    text = "\n".join(
        query.expr for each in load_dashboards() for panel in each.panels for query in panel.queries
    )
    required = [metric.name for metric in CONTRACT.metrics if metric.required_of]
    assert [name for name in required if name not in text] == []


def test_a_good_panel_passes() -> None:
    assert find(GOOD) == ""


@pytest.mark.parametrize(
    ("dashboard", "message"),
    [
        (of_panel(replace(PANEL, width=20)), "d: r: leaves a gap in its 24 columns"),
        (of_panel(replace(PANEL, title="x" * 61)), "has a title of more than 60 characters"),
        (of_panel(replace(PANEL, unit="miles")), "has the unit 'miles'; there are percent"),
        (of_panel(replace(PANEL, axis="")), "does not say what its axis is"),
        (of_panel(replace(PANEL, queries=())), "shows nothing"),
        (of_panel(replace(PANEL, queries=(FAILING, FAILING))), "series that cannot be told apart"),
        (of_query("max by (environment, pipeline) (ml_model_quality)"), "of all environments; write $scope"),
        (of_query(FAILING.expr, "{{track}}"), "names series by track, which they do not have"),
        (of_query("max by (environment) (ml_quality{$scope})"), "ml_quality is neither in contract.yaml nor"),
        (of_query("max by (run) (ml_model_quality{$scope})"), "groups by run, which is no label"),
        (of_query("sum(ml_model_quality{$scope}"), "without by (...)"),
        (replace(GOOD, rows=GOOD.rows * 21), "has 42 widgets, and at most 40 are taken"),
        (replace(GOOD, rows=(replace(GOOD.rows[0], panels=(replace(PANEL, width=12),) * 2),)), "two panels"),
    ],
)
def test_what_cannot_be_read_is_found(dashboard: Dashboard, message: str) -> None:
    assert message in find(dashboard)


@pytest.mark.parametrize(
    "change", [lambda panel: panel | {"view": "pie"}, lambda panel: panel | {"colour": 1}]
)
def test_a_panel_of_another_form_is_a_defect(change: Callable[[dict], dict]) -> None:
    from headroom.dashboards.panels import _panel

    with pytest.raises(ValueError, match="is no panel"):
        _panel(change({"title": "t", "width": 24}), "x.yaml")
