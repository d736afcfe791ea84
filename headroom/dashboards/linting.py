"""What makes a dashboard readable, and one that Cloud Monitoring takes.

Limits: cloud.google.com/monitoring/quotas ("Limits for dashboards"), read 2026-11-21.
"""

import re
from collections.abc import Iterable, Iterator

from headroom.alerts.contract import Contract
from headroom.alerts.labels import result_labels
from headroom.alerts.promql import Aggregate, Node, PromqlError, parse_promql, selectors
from headroom.dashboards.panels import COLUMNS, UNITS, Dashboard, Panel, Query, fill, load_metrics
from headroom.spec.errors import Problem

MOST_WIDGETS = 40
MOST_QUERIES = 50
MOST_TITLE = 60

_LEGEND = re.compile(r"\{\{(\w+)\}\}")
_TOP = ("topk", "bottomk")


def check_dashboard(dashboard: Dashboard, contract: Contract) -> list[Problem]:
    """Return what is wrong with a dashboard: what cannot be read, shown or understood."""
    problems = [*_check_size(dashboard)]
    for panel in dashboard.panels:
        where = f"{dashboard.name}: {panel.title}"
        problems += [Problem(where, message) for message in _check_panel(panel)]
        for number, query in enumerate(panel.queries):
            problems += [
                Problem(f"{where}.queries[{number}]", message) for message in _check_query(query, contract)
            ]
    return problems


def _check_size(dashboard: Dashboard) -> Iterator[Problem]:
    widgets = len(dashboard.panels) + len(dashboard.rows)
    if widgets > MOST_WIDGETS:
        yield Problem(dashboard.name, f"has {widgets} widgets, and at most {MOST_WIDGETS} are taken")
    for row in dashboard.rows:
        if sum(panel.width for panel in row.panels) % COLUMNS:
            yield Problem(f"{dashboard.name}: {row.title}", f"leaves a gap in its {COLUMNS} columns")
        titles = [panel.title for panel in row.panels]
        if len(set(titles)) != len(titles):
            yield Problem(f"{dashboard.name}: {row.title}", "has two panels of one title")


def _check_panel(panel: Panel) -> Iterator[str]:
    if len(panel.title) > MOST_TITLE:
        yield f"has a title of more than {MOST_TITLE} characters"
    if panel.view == "alerts":
        return
    if panel.unit not in UNITS:
        yield f"has the unit {panel.unit!r}; there are {', '.join(UNITS)}"
    if not panel.axis:
        yield "does not say what its axis is"
    if not panel.queries:
        yield "shows nothing"
    legends = [query.legend for query in panel.queries]
    if len(set(legends)) != len(legends):
        yield "has series that cannot be told apart"


def _check_query(query: Query, contract: Contract) -> Iterator[str]:
    text = fill(
        query.expr,
        scope='environment="e", pipeline=~"p"',
        here='environment="e"',
        containers='namespace_name=~"p"',
    )
    try:
        tree = parse_promql(text)
        labels = _labels(tree, contract)
    except PromqlError as error:
        yield str(error)
        return
    if unknown := set(_LEGEND.findall(query.legend)) - labels:
        yield f"names series by {', '.join(sorted(unknown))}, which they do not have"
    for selector in selectors(tree):
        metric = contract.find(selector.metric)
        scoped = {matcher.label for matcher in selector.matchers}
        if metric and metric.exporter != "google" and "environment" not in scoped:
            yield f"shows {selector.metric} of all environments; write $scope or $here in its braces"


def _labels(tree: Node, contract: Contract) -> frozenset[str]:
    """The labels of the result; those that are greatest keep all of theirs."""

    def labels_of(series: str) -> frozenset[str]:
        labels = contract.labels_of(series) or load_metrics().get(series)
        if labels is None:
            raise PromqlError(f"{series} is neither in contract.yaml nor in metrics.yaml")
        return labels

    if isinstance(tree, Aggregate) and tree.operator in _TOP:
        result_labels(tree, labels_of)
        tree = tree.arguments[-1]
    return result_labels(tree, labels_of) or frozenset()


def check_dashboards(dashboards: Iterable[Dashboard], contract: Contract) -> list[Problem]:
    """Return what is wrong with any of the dashboards."""
    return [problem for dashboard in dashboards for problem in check_dashboard(dashboard, contract)]
