"""Alerts as people and jobs read them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from headroom.alerts.contract import Contract
from headroom.alerts.durations import format_duration
from headroom.alerts.promql import parse_promql, selectors
from headroom.alerts.rules import Rule
from headroom.alerts.security_events import SecurityEvent

_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow"}


Told = Mapping[str, Sequence[str]]
"""The channels of a stack by which each alert is told."""


def describe_alerts(rules: Sequence[Rule], events: Sequence[SecurityEvent], told: Told | None = None) -> str:
    """Return the alerts on metrics, then those on audit logs, as JSON text."""
    rows = [*(_describe(rule) for rule in rules), *(_describe_event(event) for event in events)]
    if told is not None:
        names = [alert.name for alert in (*rules, *events)]
        rows = [row | {"channels": told.get(name, ())} for name, row in zip(names, rows, strict=True)]
    return json.dumps(rows, indent=2)


def describe_rule(rule: Rule, contract: Contract) -> str:
    """Return one alert as JSON text, with the metrics that it reads."""
    metrics = [asdict(metric) for name in metrics_of(rule) if (metric := contract.find(name))]
    return json.dumps(_describe(rule) | {"metrics": metrics}, indent=2)


def describe_event(event: SecurityEvent) -> str:
    """Return one alert on audit logs as JSON text."""
    return json.dumps(_describe_event(event), indent=2)


def describe_results(results: Mapping[str, str]) -> str:
    """Return what became of each alert's tests as JSON text."""
    rows = [{"alert": name, "passed": not failure, "failure": failure} for name, failure in results.items()]
    return json.dumps(rows, indent=2)


def metrics_of(rule: Rule) -> list[str]:
    """Return the names of the series that an alert reads, each once."""
    return list(dict.fromkeys(selector.metric for selector in selectors(parse_promql(rule.expr))))


def print_alerts(rules: Sequence[Rule], events: Sequence[SecurityEvent], told: Told | None = None) -> None:
    """Print a line for each alert to standard output: those on metrics, then those on audit logs."""
    from rich.markup import escape

    from headroom.report.tables import Column, make_console, print_table

    graveness = (Column("alert"), Column("severity"), Column("notifies by" if told is None else "told by"))
    answers = (Column("requirements", below=1), Column("tells that", below=2))
    console = make_console()
    print_table(
        console,
        "On metrics",
        (*graveness, Column("after"), *answers),
        [
            (
                *_graveness(rule, told),
                format_duration(rule.for_seconds),
                " ".join(rule.requirements),
                escape(_readable(rule.summary.partition("}}): ")[2] or rule.summary.partition(": ")[2])),
            )
            for rule in rules
        ],
    )
    console.print()
    print_table(
        console,
        "On audit logs",
        (*graveness, Column("at most one in"), *answers),
        [
            (
                *_graveness(event, told),
                format_duration(event.period_seconds),
                " ".join(event.requirements),
                escape(event.summary),
            )
            for event in events
        ],
    )


def _graveness(alert: Rule | SecurityEvent, told: Told | None) -> tuple[str, str, str]:
    by = alert.notify if told is None else ", ".join(told.get(alert.name, ())) or "nobody"
    return alert.name, f"[{_STYLES[alert.severity]}]{alert.severity}[/]", by


def print_rule(rule: Rule, contract: Contract) -> None:
    """Print all about one alert to standard output."""
    from headroom.report.tables import make_console

    console = make_console()
    lines = [
        f"{rule.name}: {rule.severity}, by {rule.notify}, after {format_duration(rule.for_seconds)}",
        "",
        _readable(rule.description),
        "",
        f"answers  {' '.join(rule.requirements)}",
        f"runbook  {rule.runbook}",
        f"rule     headroom/alerts/rules/{rule.file}, group {rule.group}",
        "",
        *(f"  {line}" for line in rule.expr.splitlines()),
        "",
        "reads",
    ]
    for name in metrics_of(rule):
        metric = contract.find(name)
        lines.append(f"  {name}: {metric.meaning if metric else 'not in the contract'}")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def print_event(event: SecurityEvent) -> None:
    """Print all about one alert on audit logs to standard output."""
    from headroom.report.tables import make_console

    console, period = make_console(), format_duration(event.period_seconds)
    but = " but the accounts in headroom:alerting.deployers" if event.expected_of_deployers else ""
    for line in (
        f"{event.name}: {event.severity}, by {event.notify}, at most one in {period}",
        "",
        event.description,
        "",
        f"answers  {' '.join(event.requirements)}",
        f"runbook  {event.runbook}",
        "event    headroom/alerts/security_events.yaml",
        f"watches  everybody{but}",
        "",
        *(f"  {line}" for line in event.filter.replace(" AND ", " AND\n").splitlines()),
    ):
        console.print(line, soft_wrap=True, markup=False)


def _readable(text: str) -> str:
    """Return an annotation with the names of labels, in capitals, where their values will be."""
    text = text.replace("}}{{", "}} or {{")
    named = re.sub(r"\{\{\s*\$labels\.(\w+)\s*\}\}", lambda found: found[1].upper(), text)
    return re.sub(r"\{\{\s*\$value.*?\}\}", "VALUE", named)


def _describe(rule: Rule) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "group": rule.group,
        "file": rule.file,
        "severity": rule.severity,
        "notify": rule.notify,
        "scope": rule.scope,
        "for_seconds": rule.for_seconds,
        "interval_seconds": rule.interval_seconds,
        "requirements": list(rule.requirements),
        "summary": rule.summary,
        "description": rule.description,
        "runbook": rule.runbook,
        "expr": rule.expr,
    }


def _describe_event(event: SecurityEvent) -> dict[str, Any]:
    return {
        "alert": event.name,
        "group": "security",
        "file": "security_events.yaml",
        "severity": event.severity,
        "notify": event.notify,
        "scope": "environment",
        "period_seconds": event.period_seconds,
        "expected_of_deployers": event.expected_of_deployers,
        "requirements": list(event.requirements),
        "summary": event.summary,
        "description": event.description,
        "runbook": event.runbook,
        "filter": event.filter,
    }
