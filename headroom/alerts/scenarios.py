"""What each alert must do, told as scenarios, and turned into tests for promtool.

A scenario has the series of a healthy pipeline, and faults that replace some of them. One pipeline is sick;
beside it are one of the same environment and one of the same name in another, both healthy, and only the
sick one may fire. From the healthy series follow by themselves the cases in which an alert must stay silent:
metrics that are missing, scrapes that fail, counters that begin anew.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from headroom.alerts.contract import Contract, Metric, load_contract
from headroom.alerts.durations import format_duration, parse_duration
from headroom.alerts.rules import Rule
from headroom.alerts.series import Samples, cut, expand, render_samples, reset

SCENARIOS_FOLDER = Path(__file__).parent / "scenarios"

_SERIES = re.compile(r"(?P<name>[^{]+)(?:\{(?P<labels>.*)\})?$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_RANGE = re.compile(r"\[(\d+)-(\d+)\]")
_TEMPLATE = re.compile(r"\{\{\s*\$(?:labels\.(\w+)|value(?:\s*\|\s*\w+)?)\s*\}\}")

_SICK = ("prod", "clicks")
_BYSTANDERS = {
    "pipeline": (("prod", "search"), ("staging", "clicks")),
    "environment": (("staging", "clicks"),),
}
_CHECKS = 12
_GAP_SAMPLES = 3


@dataclass(frozen=True)
class Firing:
    """What an alert says when it fires: its labels beside those of the sick, and the value as it is told."""

    value: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Series that replace or join the healthy ones, and when the alert is silent and when it fires."""

    name: str
    series: Mapping[str, str]
    without: tuple[str, ...]
    only: bool
    """Whether there is nothing but the case's own series."""
    alone: bool
    """Whether nobody else is there."""
    silent: tuple[int, ...]
    fires: tuple[tuple[int, Firing], ...]


@dataclass(frozen=True)
class Scenario:
    """How an alert is tested."""

    alert: str
    step_seconds: int
    span_seconds: int
    fleet: str
    """`pipeline`, or `environment` where the series name the pipeline, or there is none."""
    healthy: Mapping[str, str]
    absence: tuple[str, ...]
    """Metrics whose absence is the fault."""
    cases: tuple[Case, ...]

    @property
    def samples(self) -> int:
        """How many samples a series has."""
        return self.span_seconds // self.step_seconds + 1


@cache
def load_scenarios(folder: Path = SCENARIOS_FOLDER) -> tuple[Scenario, ...]:
    """Return the scenarios of all alerts. The files belong to the package: a malformed one raises."""
    return tuple(
        _scenario(row)
        for path in sorted(folder.glob("*.yaml"))
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))
    )


def build_tests(scenario: Scenario, rule: Rule, rule_file: str, *, derived: bool = True) -> dict[str, Any]:
    """Return a test file for promtool, as data, in which `rule_file` is tested by the scenario.

    `rule` says what the alert's labels and annotations are; with `derived` the cases are included that follow
    from the healthy series alone.
    """
    tests = [_test(scenario, rule, case) for case in scenario.cases]
    if derived:
        tests.append(_silence(scenario, rule))
    return {
        "rule_files": [rule_file],
        "evaluation_interval": format_duration(scenario.step_seconds),
        "tests": tests,
    }


def _scenario(row: dict[str, Any]) -> Scenario:
    cases = [_case(name, data) for name, data in (row["faults"] | row.get("near", {})).items()]
    return Scenario(
        alert=row["alert"],
        step_seconds=parse_duration(row.get("step", "1m")),
        span_seconds=parse_duration(row["span"]),
        fleet=row.get("fleet", "pipeline"),
        healthy=_each(row["healthy"]),
        absence=tuple(row.get("absence", ())),
        cases=tuple(cases),
    )


def _each(series: Mapping[str, Any]) -> dict[str, str]:
    """Return the series one by one: `feature="f[1-3]"` stands for f1, f2 and f3."""
    single: dict[str, str] = {}
    for text, values in series.items():
        found = _RANGE.search(text)
        numbers = range(int(found[1]), int(found[2]) + 1) if found else ("",)
        single |= {_RANGE.sub(str(number), text): str(values) for number in numbers}
    return single


def _case(name: str, data: dict[str, Any]) -> Case:
    labels = data.get("labels", {})
    return Case(
        name=name,
        series=_each(data.get("series", {})),
        without=tuple(data.get("without", ())),
        only=data.get("only", False),
        alone=data.get("alone", False),
        silent=tuple(parse_duration(time) for time in data.get("silent", ())),
        fires=tuple(
            (parse_duration(time), Firing(str(value), labels))
            for time, value in data.get("fires", {}).items()
        ),
    )


Change = Callable[[str, Metric, Samples], Samples | None]
"""From a series' name, its metric and its samples to other samples, or None where it is gone."""


def _derived(scenario: Scenario) -> Iterable[tuple[str, Change]]:
    """Yield what may befall a healthy pipeline without an alert, each under the name of its pipeline."""
    middle = scenario.samples // 2
    yield "healthy", lambda _name, _metric, samples: samples
    for absent in dict.fromkeys(series.partition("{")[0] for series in scenario.healthy):
        if absent not in scenario.absence:
            yield (
                f"without {absent}",
                lambda name, _metric, samples, gone=absent: None if name == gone else samples,
            )
    yield "failed scrapes", lambda _name, _metric, samples: cut(samples, middle, _GAP_SAMPLES)
    yield (
        "restart",
        lambda _name, metric, samples: cut(
            reset(samples, middle + _GAP_SAMPLES) if metric.rises else samples, middle, _GAP_SAMPLES
        ),
    )


def _test(scenario: Scenario, rule: Rule, case: Case) -> dict[str, Any]:
    healthy = {
        series: values
        for series, values in scenario.healthy.items()
        if not case.only and series.partition("{")[0] not in case.without
    }
    expected = [(time, []) for time in case.silent]
    expected += [(time, [_expect(scenario, rule, firing)]) for time, firing in case.fires]
    series = _series(scenario, {**healthy, **case.series}, _SICK)
    series += [] if case.alone else _bystanders(scenario)
    return _render(scenario, case.name, series, rule, sorted(expected, key=lambda pair: pair[0]))


def _silence(scenario: Scenario, rule: Rule) -> dict[str, Any]:
    steps = scenario.span_seconds // scenario.step_seconds
    times = [number * steps // _CHECKS * scenario.step_seconds for number in range(1, _CHECKS + 1)]
    series = []
    for name, change in _derived(scenario):
        identity = (_SICK[0], name) if scenario.fleet == "pipeline" else (name, _SICK[1])
        series += _series(scenario, scenario.healthy, identity, change)
    return _render(scenario, "silence", series, rule, [(time, []) for time in times])


def _bystanders(scenario: Scenario) -> list[dict[str, str]]:
    return [
        row
        for identity in _BYSTANDERS[scenario.fleet]
        for row in _series(scenario, scenario.healthy, identity)
    ]


def _series(
    scenario: Scenario, series: Mapping[str, str], identity: tuple[str, str], change: Change | None = None
) -> list[dict[str, str]]:
    contract, rows = load_contract(), []
    for text, values in series.items():
        samples: Samples | None = expand(values, scenario.step_seconds, scenario.samples)
        name, metric, labels = _parse_series(text, contract)
        if change:
            samples = change(name, metric, samples or [])
        if samples is not None:
            rows.append(
                {"series": _render_series(name, metric, labels, identity), "values": render_samples(samples)}
            )
    return rows


def _parse_series(text: str, contract: Contract) -> tuple[str, Metric, dict[str, str]]:
    found = _SERIES.match(text)
    metric = contract.find(found["name"]) if found else None
    if found is None or metric is None:
        raise ValueError(f"{text}: is no series of the contract")
    labels = dict(_LABEL.findall(found["labels"] or ""))
    known = contract.labels_of(found["name"]) or frozenset()
    if unknown := set(labels) - known:
        raise ValueError(f"{text}: the contract has no label {', '.join(sorted(unknown))}")
    return found["name"], metric, labels


def _render_series(name: str, metric: Metric, labels: dict[str, str], identity: tuple[str, str]) -> str:
    full = _identity(metric, identity) | labels
    if metric.exporter == "kueue":
        full |= {"cluster_queue": full["pipeline"]}
    if metric.monitored_resource:
        full = {"__name__": name, "monitored_resource": metric.monitored_resource, **full}
    text = ", ".join(f'{label}="{value}"' for label, value in full.items())
    return f"{{{text}}}" if metric.monitored_resource else f"{name}{{{text}}}"


def _identity(metric: Metric, identity: tuple[str, str]) -> dict[str, str]:
    environment, pipeline = identity
    match metric.exporter:
        case "google":
            return {metric.resource_labels[0]: f"acme-{environment}"}
        case "kubernetes":
            return {"cluster": f"{environment}-cluster", "namespace": pipeline}
        case "pushgateway" | "operations":
            return {"environment": environment}
    return {"environment": environment, "pipeline": pipeline}


def _expect(scenario: Scenario, rule: Rule, firing: Firing) -> dict[str, Any]:
    metric = _parse_series(next(iter(scenario.healthy)), load_contract())[1]
    identity = _identity(metric, _SICK)
    if scenario.fleet == "environment":
        identity.pop("pipeline", None)
    labels = {key: value for key, value in {**identity, **firing.labels}.items() if value}
    annotations = {key: render_template(text, labels, firing.value) for key, text in rule.annotations}
    return {"exp_labels": labels | dict(rule.labels), "exp_annotations": annotations}


def render_template(text: str, labels: Mapping[str, str], value: str) -> str:
    """Return an annotation as Prometheus renders it, with the value as the template's function shows it."""
    return _TEMPLATE.sub(lambda found: labels.get(found[1], "") if found[1] else value, text)


def _render(
    scenario: Scenario,
    name: str,
    series: list[dict[str, str]],
    rule: Rule,
    expected: Iterable[tuple[int, list[dict[str, Any]]]],
) -> dict[str, Any]:
    return {
        "name": f"{scenario.alert}: {name}",
        "interval": format_duration(scenario.step_seconds),
        "input_series": series,
        "alert_rule_test": [
            {"eval_time": format_duration(time), "alertname": rule.name, "exp_alerts": alerts}
            for time, alerts in expected
        ],
    }
