"""The metrics contract as a page for people: docs/metrics.md."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from headroom.alerts.contract import KINDS, Contract, Metric
from headroom.alerts.promql import parse_promql, selectors
from headroom.alerts.rules import Rule

_INTRODUCTION = """# Metrics: what alerts are made from

Printed by `headroom alerts metrics > docs/metrics.md` from `headroom/alerts/contract.yaml`.

Every pipeline exports the metrics that its kind needs, with `environment` and `pipeline` on every series;
`headroom-metrics` ([metrics/](../metrics/README.md)) does it for Python. Thresholds are metrics too, so that
one alert serves all pipelines, each with its own bound. A required metric that is absent raises
`MetricMissing`: the alerts that need it could not fire. Counters are published with 0 from the start, since
one that is born at 1 is never seen to rise, and a batch job pushes its metrics to the environment's
Pushgateway as it ends.
"""

_EXPORTERS = {
    "pipeline": "What pipelines export",
    "kueue": "What Kueue exports",
    "kubernetes": "What GKE exports of Deployments",
    "pushgateway": "What the Pushgateway exports of itself",
    "operations": "What the platform's own jobs write",
    "google": "What Google Cloud exports",
}
_NOTES = {
    "pipeline": "",
    "kueue": (
        "`environment` and `pipeline` are added as they are collected: a queue is called as its pipeline.\n"
        "Both replicas of the controller report, so a sum over `replica_role` counts twice.\n"
    ),
    "kubernetes": (
        "GKE collects these itself: `cluster` says the environment, and `namespace` the pipeline.\n"
    ),
    "pushgateway": "`environment` is added as it is collected.\n",
    "operations": "The jobs write these to Cloud Monitoring; in PromQL they are written as Google's own.\n",
    "google": (
        "These know no environment: one project is one environment. In PromQL they are written\n"
        '`{__name__="NAME", monitored_resource="RESOURCE"}`.\n'
    ),
}


def render_contract(contract: Contract, rules: Iterable[Rule]) -> str:
    """Return the page, as Markdown: the metrics by exporter, then the labels."""
    alerts = _alerts_by_metric(contract, rules)
    parts = [_INTRODUCTION]
    for exporter, group in groupby(contract.metrics, key=lambda metric: metric.exporter):
        parts.append("\n".join(_render_exporter(exporter, list(group), alerts)))
    parts.append("\n".join(_render_labels(contract)))
    return "\n".join(parts)


def _alerts_by_metric(contract: Contract, rules: Iterable[Rule]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in rules:
        metrics = [contract.find(selector.metric) for selector in selectors(parse_promql(rule.expr))]
        for name in dict.fromkeys(metric.name for metric in metrics if metric):
            found.setdefault(name, []).append(rule.name)
    return found


def _render_exporter(exporter: str, metrics: list[Metric], alerts: dict[str, list[str]]) -> Iterator[str]:
    yield f"## {_EXPORTERS[exporter]}\n"
    if _NOTES[exporter]:
        yield _NOTES[exporter]
    for source, group in groupby(metrics, key=lambda metric: (metric.source, metric.date)):
        if exporter != "pipeline":
            yield f"Source: {source[0]}, {source[1]}.\n"
        yield "| metric | type, unit | labels | meaning | required of | alerts |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for metric in group:
            cells = (
                f"`{metric.name}`",
                f"{metric.type}, {metric.unit}",
                ", ".join(f"`{label}`" for label in _own_labels(metric)),
                metric.meaning.strip(),
                _render_kinds(metric),
                ", ".join(alerts.get(metric.name, ())),
            )
            yield f"| {' | '.join(cells)} |"
        yield ""


def _own_labels(metric: Metric) -> list[str]:
    """Return the labels beside those that all series of the exporter have."""
    return [label for label in metric.labels if label not in ("environment", "pipeline")]


def _render_kinds(metric: Metric) -> str:
    return "every pipeline" if set(metric.required_of) == set(KINDS) else ", ".join(metric.required_of)


def _render_labels(contract: Contract) -> Iterator[str]:
    yield "## Labels\n"
    yield "| label | says |"
    yield "| --- | --- |"
    for label, meaning in contract.labels:
        yield f"| `{label}` | {meaning} |"
    yield ""
