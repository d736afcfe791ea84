"""Rules in a hurry: every duration divided by the same number, so that half an hour is half a minute.

Thresholds, groupings and the relations of the durations to each other stay; only what time does is faster.
What a pipeline exports as a duration, such as how often its monitor looks, is chosen as short by the test.
"""

import re
from collections.abc import Mapping
from typing import Any

from headroom.alerts.durations import format_duration, parse_duration

_RANGE = re.compile(r"\[(\w+)(:\w+)?\]|\b(offset )(\w+)")
_FORECAST = re.compile(r"(predict_linear\(.*?\[\w+\]\), )(\d+)\)|(predict_linear\(.*?\[\w+\], )(\d+)\)")
_DURATIONS = ("for", "keep_firing_for", "interval")


def scale_rules(rules: Mapping[str, Any], divisor: int) -> dict[str, Any]:
    """The rule file with durations divided, none to less than a second."""
    return {"groups": [_scale_group(group, divisor) for group in rules["groups"]]}


def _scale_group(group: Mapping[str, Any], divisor: int) -> dict[str, Any]:
    scaled = _scale_durations(group, divisor)
    return scaled | {"rules": [_scale_rule(rule, divisor) for rule in group["rules"]]}


def _scale_rule(rule: Mapping[str, Any], divisor: int) -> dict[str, Any]:
    return _scale_durations(rule, divisor) | {"expr": scale_expression(rule["expr"], divisor)}


def _scale_durations(row: Mapping[str, Any], divisor: int) -> dict[str, Any]:
    return {name: _divide(value, divisor) if name in _DURATIONS else value for name, value in row.items()}


def scale_expression(expression: str, divisor: int) -> str:
    """The expression with its ranges, offsets and the seconds that it looks ahead divided."""

    def scale_range(found: re.Match[str]) -> str:
        if found[3]:
            return f"offset {_divide(found[4], divisor)}"
        step = f":{_divide(found[2][1:], divisor)}" if found[2] else ""
        return f"[{_divide(found[1], divisor)}{step}]"

    def scale_forecast(found: re.Match[str]) -> str:
        return f"{found[1] or found[3]}{int(found[2] or found[4]) // divisor})"

    return _RANGE.sub(scale_range, _FORECAST.sub(scale_forecast, expression))


def _divide(duration: str, divisor: int) -> str:
    return format_duration(max(1, parse_duration(duration) // divisor))
