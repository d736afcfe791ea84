"""Moves the bounds of alerts that stand in the rules themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from headroom.alerts.rules import Rule

_FILE = Path(__file__).parent / "thresholds.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The bound of an alert: what it bounds, and from where to where it may be moved."""

    alert: str
    meaning: str
    written: str
    """How the rule's expression writes it, with `{}` for the number."""
    described: str
    """How the rule's description says it; empty where it does not."""
    default: float
    least: float
    most: float


@cache
def load_thresholds() -> Mapping[str, Threshold]:
    """Return the bounds that can be moved, by alert, read once for each process.

    The file belongs to the package, so one that is missing or malformed is a defect and raises.
    """
    data = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one
    return {row["alert"]: _threshold(row) for row in data["thresholds"]}


def _threshold(row: dict[str, Any]) -> Threshold:
    return Threshold(
        alert=row["alert"],
        meaning=row["meaning"],
        written=row["written"],
        described=row.get("described", ""),
        default=row["default"],
        least=row["least"],
        most=row["most"],
    )


def move_thresholds(rules: Iterable[Rule], values: Mapping[str, float]) -> tuple[Rule, ...]:
    """Return the rules with the bounds of `values`, by alert, in the place of their own.

    What the values may be is not checked here. Raises ValueError for an alert without such a bound.
    """
    return tuple(_move(rule, values[rule.name]) if rule.name in values else rule for rule in rules)


def _move(rule: Rule, value: float) -> Rule:
    threshold = load_thresholds().get(rule.name)
    if threshold is None or _say(threshold.written, threshold.default) not in rule.expr:
        raise ValueError(f"{rule.file}: {rule.name} has no bound that can be moved")
    expr = _replace(rule.expr, threshold.written, threshold.default, value)
    described = threshold.described or None
    return replace(
        rule,
        expr=expr,
        annotations=tuple(
            (key, _replace(text, described, threshold.default, value) if described else text)
            for key, text in rule.annotations
        ),
    )


def _replace(text: str, form: str, old: float, new: float) -> str:
    return text.replace(_say(form, old), _say(form, new))


def _say(form: str, number: float) -> str:
    return form.format(f"{number:g}")
