"""A policy's query is told from another's, whoever's pipelines it is narrowed to."""

import pytest

from headroom.alerts.rules import Rule
from headroom.planning.alerting import plan_alert_policies
from headroom.planning.notifications import known_rules
from headroom.planning.owner_alerts import is_divisible, narrow_to_others, narrow_to_owner
from policies.alert_queries import ReadQuery, read_query

ADS, FEED = "group:ads.ml+on-call@acme.example", "user:feed@acme.example"
DIVISIBLE = [rule for rule in known_rules() if is_divisible(rule)]


def query_of(policy) -> str:
    return policy.conditions[0].query


@pytest.mark.parametrize("rule", DIVISIBLE, ids=lambda rule: rule.name)
def test_what_planning_narrows_is_read_back(rule: Rule) -> None:
    (policy,) = plan_alert_policies([rule], "dev")
    plain = read_query(query_of(policy))
    assert (plain.only, plain.left_out, plain.environment) == ((), (), "")
    assert read_query(query_of(narrow_to_owner(policy, ADS))) == ReadQuery(plain.rule, only=(ADS,))
    others = read_query(query_of(narrow_to_others(policy, [ADS, FEED])))
    assert others == ReadQuery(plain.rule, left_out=(ADS, FEED))


def test_rules_that_ask_the_same_differ_in_a_threshold() -> None:
    """Near the cap and at it; every other pair is told apart."""
    by_query: dict[str, list[str]] = {}
    for rule in known_rules():
        by_query.setdefault(read_query(rule.expr).rule, []).append(rule.expr)
    same = [found for found in by_query.values() if len(found) > 1]
    assert [len(set(found)) for found in same] == [2]


def test_a_threshold_may_move_and_a_duration_may_not() -> None:
    assert read_query("rate(a[5m]) > 0.9").rule == read_query("rate(a[5m]) > 12").rule
    assert read_query("rate(a[5m]) > 0.9").rule != read_query("rate(a[50m]) > 0.9").rule
    assert read_query("a1 > 3").rule != read_query("a2 > 3").rule


def test_what_is_narrowed_in_another_way_is_another_query() -> None:
    expr = "a > 1\n"
    narrowed = f"(\n{expr})\nand on (environment, pipeline) vector(0)\n"
    assert read_query(narrowed).rule != read_query(expr).rule


def test_an_environment_is_read_from_what_leaves_others_out() -> None:
    here = 'label_replace(vector(1), "environment", "prod", "", "")'
    inner = f"(\na > 1\n)\nand on (environment) {here}\n"
    assert read_query(inner) == ReadQuery("a > 0", environment="prod")


def test_the_one_environment_of_a_selector_is_read() -> None:
    """D8: the rule says any, and the plan which."""
    general = 'absent(last_over_time(done{environment=~".+"}[1d]))'
    assert read_query(general).environment == ""
    own = read_query(general.replace('=~".+"', '="prod-2"'))
    assert (own.rule, own.environment) == (read_query(general).rule, "prod-2")
    assert read_query('a{environment="prod"} or b{environment="dev"}').environment == "prod, dev"
