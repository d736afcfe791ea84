"""Scaled rules: what is divided, and what stays."""

from pathlib import Path

import pytest
import yaml

from headroom.alerts.durations import parse_duration
from tests.monitoring.scaling import scale_expression, scale_rules


@pytest.mark.parametrize(
    ("expression", "scaled"),
    [
        ("rate(x[30m]) > 0.01", "rate(x[30s]) > 0.01"),
        ("last_over_time(x[1d])", "last_over_time(x[24m])"),
        ("max_over_time(x[2h:1m] offset 1h)", "max_over_time(x[2m:1s] offset 1m)"),
        ("predict_linear(x{a=\"b\"}[6h], 14400)", "predict_linear(x{a=\"b\"}[6m], 240)"),
        ("predict_linear(max_over_time(x[1h])[6h], 14400)", "predict_linear(max_over_time(x[1m])[6m], 240)"),
        ("x > 14400", "x > 14400"),
    ],
)  # fmt: skip
def test_ranges_offsets_and_forecasts_are_divided_and_numbers_are_not(expression: str, scaled: str) -> None:
    assert scale_expression(expression, 60) == scaled


def test_rules_keep_all_but_their_durations(root: Path) -> None:
    for file in (root / "headroom" / "alerts" / "rules").glob("*.yaml"):
        rules = yaml.safe_load(file.read_text())
        for before, after in zip(rules["groups"], scale_rules(rules, 60)["groups"], strict=True):
            for rule, scaled in zip(before["rules"], after["rules"], strict=True):
                assert parse_duration(scaled["for"]) == max(1, parse_duration(rule["for"]) // 60)
                assert rule | {"for": "", "expr": ""} == scaled | {"for": "", "expr": ""}


def test_duration_shorter_than_a_second_becomes_one() -> None:
    rules = {"groups": [{"name": "a", "interval": "30s", "rules": [{"expr": "x", "for": "0s"}]}]}
    (group,) = scale_rules(rules, 60)["groups"]
    assert (group["interval"], group["rules"][0]["for"]) == ("1s", "1s")
