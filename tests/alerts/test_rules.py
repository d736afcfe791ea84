"""Rule files are read strictly and written as Prometheus reads them."""

from pathlib import Path

import pytest
import yaml

from headroom.alerts.rules import find_rule, load_rules, render_rules, resolve_runbooks
from headroom.spec.errors import StackFileError

GOOD = """
groups:
  - name: g
    interval: 1m
    rules:
      - alert: Bad
        expr: ml_model_quality > 1
        for: 5m
        labels: {severity: error, notify: ticket}
        annotations: {summary: s, description: d, runbook_url: r, requirements: M1 M2}
"""


def load(folder: Path, text: str) -> str:
    (folder / "some.yaml").write_text(text)
    with pytest.raises(StackFileError) as caught:
        load_rules(folder)
    return str(caught.value)


def test_a_rule_has_what_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "some.yaml").write_text(GOOD)
    (rule,) = load_rules(tmp_path)
    assert (rule.name, rule.group, rule.file) == ("Bad", "g", "some.yaml")
    assert (rule.for_seconds, rule.interval_seconds) == (300, 60)
    assert (rule.severity, rule.notify, rule.scope) == ("error", "ticket", "pipeline")
    assert rule.requirements == ("M1", "M2")


@pytest.mark.parametrize(
    ("old", "new", "phrase"),
    [
        ("groups:", "rules:", "some.yaml: groups: is missing"),
        ("alert: Bad", "record: bad", "some.yaml: groups[0].rules[0]: needs alert"),
        ("for: 5m", "for: soon", "'soon' is no duration such as 30s"),
        ("for: 5m", "keep_firing_for: 5m", "rules[0].keep_firing_for: is no key that alerts have"),
        ("interval: 1m", "limit: 3", "groups[0].limit: is no key"),
        ("interval: 1m", "interval: [", "groups: is no YAML"),
    ],
)
def test_a_file_that_is_none_is_refused_with_file_and_key(
    tmp_path: Path, old: str, new: str, phrase: str
) -> None:
    assert phrase in load(tmp_path, GOOD.replace(old, new))


def test_every_problem_of_every_file_comes_at_once(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(GOOD.replace("for: 5m", "for: soon"))
    message = load(tmp_path, GOOD.replace("alert: Bad", "record: bad"))
    assert "other.yaml: " in message
    assert "some.yaml: " in message


def test_what_is_exported_is_read_back_the_same(tmp_path: Path) -> None:
    rules = load_rules()
    (tmp_path / "all.yaml").write_text(render_rules(rules))
    again = {rule.name: rule for rule in load_rules(tmp_path)}
    assert set(again) == {rule.name for rule in rules}
    for rule in rules:
        other = again[rule.name]
        assert (other.expr, other.for_seconds, other.labels) == (rule.expr, rule.for_seconds, rule.labels)
        assert (other.annotations, other.group) == (rule.annotations, rule.group)


def test_groups_are_exported_once_each() -> None:
    names = [group["name"] for group in yaml.safe_load(render_rules(load_rules()))["groups"]]
    assert len(names) == len(set(names))


def test_runbooks_are_resolved_below_a_url() -> None:
    rule = find_rule(resolve_runbooks(load_rules(), "https://git.example/ml/"), "servingoutage")
    assert rule
    assert rule.runbook == "https://git.example/ml/docs/runbooks/alerts/serving-outage.md"


def test_a_rule_is_found_however_it_is_capitalised() -> None:
    assert find_rule(load_rules(), "SERVINGOUTAGE")
    assert find_rule(load_rules(), "Outage") is None
