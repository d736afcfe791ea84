"""Who is told of what, and how many policies that takes."""

from typing import Any

import pytest

from headroom.alerts.rules import load_rules
from headroom.alerts.security_events import load_security_events
from headroom.planning.notifications import (
    AlertingPlan,
    ChannelPlan,
    SecretPlan,
    alerting_traits,
    plan_alerting,
)
from headroom.spec.alerting import MOST_OWNERS
from headroom.spec.stack_file import parse_config
from tests.conftest import MINIMAL

LIMITS = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
MAIL = {"kind": "email", "address": "ml@acme.dev"}
RISK = "group:risk@acme.dev"
RULES = {rule.name: rule for rule in load_rules() if not rule.needs}
EVENTS = {event.name: event for event in load_security_events()}


def planned(alerting: dict[str, Any], owners: dict[str, str] | None = None) -> AlertingPlan:
    pipelines = {
        name: {"kind": "data", "model": "m", "owner": owner, "limits": LIMITS}
        for name, owner in (owners or {"risk": RISK}).items()
    }
    config = MINIMAL | {"headroom:pipelines": pipelines, "headroom:alerting": alerting}
    return plan_alerting(parse_config(config, "f"), "test")


def told(plan: AlertingPlan) -> dict[str, tuple[str, ...]]:
    return {each.policy.name: each.channels for each in (*plan.policies, *plan.events)}


THREE = {
    "channels": {"pager": MAIL, "mail": MAIL, "sec": MAIL},
    "routes": {"page": ["pager"], "ticket": ["mail"]},
}


def test_urgency_says_who_is_told() -> None:
    """M1 to M16."""
    plan = planned(THREE)
    assert {each.alert for each in plan.policies} == set(RULES)
    for each in plan.policies:
        assert each.channels == {"page": ("pager",), "ticket": ("mail",)}[RULES[each.alert].notify]


@pytest.mark.parametrize(("jobs", "is_there"), [({"rollbacks": {}}, True), ({"audit": {}}, False)])
def test_an_alert_on_a_job_is_there_where_the_job_is(jobs: dict[str, Any], is_there: bool) -> None:
    """D8."""
    config = MINIMAL | {
        "headroom:alerting": THREE,
        "headroom:operations": {"image": f"example.com/headroom@sha256:{'a1' * 32}", **jobs},
    }
    plan = plan_alerting(parse_config(config, "f"), "test")
    channels = [each.channels for each in plan.policies if each.alert == "RollbackJobSilent"]
    assert channels == ([("pager",)] if is_there else [])
    assert {each.alert for each in plan.policies} >= set(RULES)


def test_security_events_are_told_as_their_urgency_says_or_to_their_own_channels() -> None:
    """M17."""
    for each in planned(THREE).events:
        assert each.channels == {"page": ("pager",), "ticket": ("mail",)}[EVENTS[each.alert].notify]
    own = planned(THREE | {"routes": {"page": ["pager"], "security": ["sec", "sec"]}})
    assert {each.channels for each in own.events} == {("sec",)}


def test_policies_do_not_grow_with_pipelines() -> None:
    few = planned(THREE)
    many = planned(THREE, {f"p{number}": f"user:u{number}@acme.dev" for number in range(1000)})
    assert many == few
    assert len(told(few)) == len(RULES) + len(EVENTS), "no two of one name"


def test_an_owner_with_channels_adds_a_policy_for_each_alert_on_pipelines() -> None:
    plan = planned(THREE | {"owners": {RISK: {"page": ["sec"]}}})
    pages = [name for name, rule in RULES.items() if rule.notify == "page" and rule.scope == "pipeline"]
    own = [each for each in plan.policies if each.channels == ("sec",)]
    assert [each.alert for each in own] == pages
    assert len(plan.policies) == len(RULES) + len(pages)
    assert len({each.policy.name for each in plan.policies}) == len(plan.policies)


def test_tickets_of_an_owner_with_channels_for_pages_alone_go_where_all_tickets_go() -> None:
    plan = planned(THREE | {"owners": {RISK: {"page": ["sec"]}}})
    (slow,) = (each for each in plan.policies if each.alert == "TrainingSlow")
    assert slow.channels == ("mail",)
    assert "owner" not in str(slow.policy.conditions)


def test_as_many_owners_as_may_have_channels_stay_below_what_a_project_has() -> None:
    owners = {f"p{number}": f"user:u{number}@acme.dev" for number in range(MOST_OWNERS)}
    routes = {owner: {"page": ["pager"], "ticket": ["mail"]} for owner in owners.values()}
    plan = planned(THREE | {"owners": routes}, owners)
    assert len(told(plan)) <= 2_000, "cloud.google.com/monitoring/quotas"
    longest = max(len(str(condition)) for each in plan.policies for condition in each.policy.conditions)
    assert longest < 20_000


def test_a_moved_threshold_is_in_its_policy_alone() -> None:
    default, moved = planned({}), planned({"thresholds": {"HeadroomUsedUp": 0.75}})
    changed = [new for old, new in zip(default.policies, moved.policies, strict=True) if old != new]
    assert [each.alert for each in changed] == ["HeadroomUsedUp"]
    assert ">= 0.75" in str(changed[0].policy.conditions)


def muted(plan: AlertingPlan) -> set[str]:
    (mute,) = plan.mutes
    return {policy for snooze in mute.snoozes for policy in snooze.policies}


def mute(**values: Any) -> dict[str, Any]:
    return {"mutes": {"m": {"start": "2026-12-01T22:00:00Z", "end": "2026-12-02T04:00:00Z"} | values}}


def test_a_mute_without_a_list_leaves_security_events_and_canaries_gates_alone() -> None:
    """D8, M17: a muted gate lets a bad model pass."""
    plan = planned(mute())
    gates = {each.policy.name for each in plan.policies if each.policy.gates_canary}
    assert gates
    assert muted(plan) == {each.policy.name for each in plan.policies} - gates


def test_a_mute_of_pipelines_is_of_alerts_on_pipelines_alone() -> None:
    plan = planned(mute(pipelines=["risk"]))
    scopes = {RULES[each.alert].scope for each in plan.policies if each.policy.name in muted(plan)}
    assert scopes == {"pipeline"}


def test_a_mute_silences_the_policies_of_all_owners_and_what_it_names_alone() -> None:
    plan = planned(
        THREE | {"owners": {RISK: {"page": ["sec"]}}} | mute(alerts=["ServingOutage", "QuotaChanged"])
    )
    names = {each.policy.name for each in plan.policies if each.alert == "ServingOutage"}
    assert len(names) == 2
    assert muted(plan) == names | {"quota-changed"}


def test_channels_are_what_cloud_monitoring_calls_them() -> None:
    key = "projects/acme-ml-test/secrets/pager/versions/3"
    plan = planned(
        {
            "channels": {
                "mail": MAIL,
                "pager": {"kind": "pagerduty", "service_key": key},
                "chat": {"kind": "slack", "channel": "#ml", "auth_token": key},
                "topic": {"kind": "pubsub", "topic": "projects/acme-hub/topics/alerts"},
            }
        }
    )
    assert plan.channels == (
        ChannelPlan("chat", "slack", (("channel_name", "#ml"),), SecretPlan("auth_token", "acme-ml-test", "pager", "3")),
        ChannelPlan("mail", "email", (("email_address", "ml@acme.dev"),)),
        ChannelPlan("pager", "pagerduty", (), SecretPlan("service_key", "acme-ml-test", "pager", "3")),
        ChannelPlan("topic", "pubsub", (("topic", "projects/acme-hub/topics/alerts"),), None, "acme-hub", "alerts"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "traits"),
    [
        (MAIL, set()),
        (
            {"kind": "pagerduty", "service_key": "projects/acme-ml-test/secrets/p/versions/1"},
            {"channel_secrets"},
        ),
        ({"kind": "pubsub", "topic": "projects/acme-ml-test/topics/alerts"}, {"channel_topics"}),
    ],
)
def test_apis_and_roles_are_asked_for_where_a_channel_needs_them(
    channel: dict[str, Any], traits: set[str]
) -> None:
    platform = parse_config(MINIMAL | {"headroom:alerting": {"channels": {"c": channel}}}, "f")
    assert alerting_traits(platform.alerting) == traits
