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

_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow"}


def describe_rules(rules: Sequence[Rule]) -> str:
    """Return the alerts as JSON text."""
    return json.dumps([_describe(rule) for rule in rules], indent=2)


def describe_rule(rule: Rule, contract: Contract) -> str:
    """Return one alert as JSON text, with the metrics that it reads."""
    metrics = [asdict(metric) for name in metrics_of(rule) if (metric := contract.find(name))]
    return json.dumps(_describe(rule) | {"metrics": metrics}, indent=2)


def describe_results(results: Mapping[str, str]) -> str:
    """Return what became of each alert's tests as JSON text."""
    rows = [{"alert": name, "passed": not failure, "failure": failure} for name, failure in results.items()]
    return json.dumps(rows, indent=2)


def metrics_of(rule: Rule) -> list[str]:
    """Return the names of the series that an alert reads, each once."""
    return list(dict.fromkeys(selector.metric for selector in selectors(parse_promql(rule.expr))))


def print_rules(rules: Sequence[Rule]) -> None:
    """Print a line for each alert to standard output."""
    from headroom.report.tables import Column, make_console, print_table

    columns = (
        Column("alert"),
        Column("severity"),
        Column("notifies by"),
        Column("after"),
        Column("requirements", below=1),
    )
    rows = [
        (
            rule.name,
            f"[{_STYLES[rule.severity]}]{rule.severity}[/]",
            rule.notify,
            format_duration(rule.for_seconds),
            " ".join(rule.requirements),
        )
        for rule in rules
    ]
    print_table(make_console(), "", columns, rows)


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


def _readable(text: str) -> str:
    """Return an annotation with the names of labels, in capitals, where their values will be."""
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
