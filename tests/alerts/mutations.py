"""Rules made worse on purpose: with each of them a scenario must fail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from headroom.alerts.durations import format_duration, parse_duration
from headroom.alerts.rules import ANY_ENVIRONMENT, Rule

FACTORS = (1.5, 1 / 1.5)
WINDOW_FACTORS = (4.0, 0.25)

_STRING = re.compile(r'"[^"]*"')
_NUMBER = re.compile(r"(?<![\w.\[\"])(\d+(?:\.\d+)?)(?![\w.\]])")
_WINDOW = re.compile(r"\[(\w+)\]")
_THRESHOLD = re.compile(
    r"\b((?:ml_\w+_(?:threshold|bound|bound_seconds|required|baseline_seconds|schedule_seconds|interval_seconds)"
    r"|ml_slo_objective_ratio)(?:\{[^}]*\})?)"
)
_GROUPING = re.compile(r"\b(by|on) \(([^)]*)\)")
_MATCHER = re.compile(r'(\w+)(?:=~|!=|=)"[^"]*"')

_KEPT = ("__name__", "monitored_resource")


@dataclass(frozen=True)
class Mutant:
    """A rule with one change, and what the change is."""

    change: str
    rule: Rule


def derive_mutants(rule: Rule) -> Iterator[Mutant]:
    """Yield the rule with another threshold, window, duration, grouping or selection, one at a time."""
    for change, expr in _expressions(rule.expr):
        if expr != rule.expr:
            yield Mutant(change, replace(rule, expr=expr))
    yield Mutant("for 3 times as long", replace(rule, for_seconds=max(3 * rule.for_seconds, 3600)))
    if rule.for_seconds:
        yield Mutant("for no time", replace(rule, for_seconds=0))


def _expressions(expr: str) -> Iterator[tuple[str, str]]:
    for number in sorted({found[1] for found in _NUMBER.finditer(_blank(expr))}):
        if float(number):
            yield from (
                (f"{number} times {factor:.2f}", _scale_number(expr, number, factor)) for factor in FACTORS
            )
    for metric in sorted({found[1] for found in _THRESHOLD.finditer(expr)}):
        yield from (
            (f"{metric} times {factor:.2f}", expr.replace(metric, f"{factor:.4f} * {metric}"))
            for factor in FACTORS
        )
    for window in sorted(set(_WINDOW.findall(expr))):
        for factor in WINDOW_FACTORS:
            longer = format_duration(max(60, int(parse_duration(window) * factor)))
            yield f"[{window}] is [{longer}]", expr.replace(f"[{window}]", f"[{longer}]")
    for label in sorted({label for found in _GROUPING.finditer(expr) for label in found[2].split(", ")}):
        yield f"not by {label}", _ungroup(expr, label)
    matchers = {found[0] for found in _MATCHER.finditer(expr) if found[1] not in _KEPT}
    # What stands for one environment is tried as one in tests/monitoring/test_own_environment.py.
    for matcher in sorted(matchers - {ANY_ENVIRONMENT}):
        yield f"without {matcher}", _unmatch(expr, matcher)


def _blank(expr: str) -> str:
    """Return the expression with strings blanked out, every character in its place."""
    return _STRING.sub(lambda found: '"' + "_" * (len(found[0]) - 2) + '"', expr)


def _scale_number(expr: str, number: str, factor: float) -> str:
    text = expr
    for found in reversed(list(_NUMBER.finditer(_blank(expr)))):
        if found[1] == number:
            text = text[: found.start(1)] + f"{float(number) * factor:.6g}" + text[found.end(1) :]
    return text


def _ungroup(expr: str, label: str) -> str:
    def without(found: re.Match[str]) -> str:
        return f"{found[1]} ({', '.join(each for each in found[2].split(', ') if each != label)})"

    return _GROUPING.sub(without, expr)


def _unmatch(expr: str, matcher: str) -> str:
    return expr.replace(f"{matcher}, ", "").replace(f", {matcher}", "").replace(f"{{{matcher}}}", "")
