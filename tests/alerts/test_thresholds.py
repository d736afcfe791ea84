"""Bounds that stand in the rules can be moved, and nothing else moves with them."""

import re

import pytest

from headroom.alerts.contract import load_contract
from headroom.alerts.linting import check_rule
from headroom.alerts.rules import Rule, load_rules
from headroom.alerts.thresholds import load_thresholds, move_thresholds

RULES = {rule.name: rule for rule in load_rules()}
each = pytest.mark.parametrize("name", load_thresholds())


def moved(name: str, value: float) -> Rule:
    (rule,) = move_thresholds([RULES[name]], {name: value})
    return rule


@each
def test_a_bound_that_can_be_moved_is_in_its_rule(name: str) -> None:
    threshold = load_thresholds()[name]
    assert threshold.least <= threshold.default <= threshold.most
    assert moved(name, threshold.default) == RULES[name]


@each
def test_a_moved_bound_is_the_only_change_of_its_rule(name: str) -> None:
    threshold = load_thresholds()[name]
    value = threshold.most if threshold.default != threshold.most else threshold.least
    rule = moved(name, value)
    numbers = re.compile(r"\d+(?:\.\d+)?")
    before, after = numbers.findall(RULES[name].expr), numbers.findall(rule.expr)
    changed = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {(f"{threshold.default:g}", f"{value:g}")}
    assert numbers.sub("", rule.expr) == numbers.sub("", RULES[name].expr)


@each
def test_a_moved_rule_is_still_a_sound_one(name: str) -> None:
    threshold = load_thresholds()[name]
    for value in (threshold.least, threshold.most):
        assert check_rule(moved(name, value), load_contract()) == []


@each
def test_what_people_are_told_says_the_bound_that_holds(name: str) -> None:
    threshold = load_thresholds()[name]
    told = re.findall(r"\d+(?:\.\d+)? times", RULES[name].description)
    assert bool(told) == bool(threshold.described), "a description that says the bound is moved with it"
    if threshold.described:
        assert f"{threshold.most:g} times" in moved(name, threshold.most).description


def test_other_rules_stay_as_they_are() -> None:
    rules = move_thresholds(RULES.values(), {"HeadroomUsedUp": 0.7})
    assert [rule.name for rule in rules if rule != RULES[rule.name]] == ["HeadroomUsedUp"]


def test_an_alert_whose_bound_travels_as_a_metric_has_none_to_move() -> None:
    with pytest.raises(ValueError, match="ServingOutage has no bound that can be moved"):
        moved("ServingOutage", 1)
