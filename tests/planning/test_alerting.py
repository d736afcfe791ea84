"""Alert policies: one for each rule, in Cloud Monitoring's terms."""

import pytest

from headroom.alerts.rules import Rule, load_rules
from headroom.planning.alerting import (
    AlertPolicyPlan,
    FlagCondition,
    PromqlCondition,
    plan_alert_policies,
    translate_template,
)

RULES = {rule.name: rule for rule in load_rules()}
BASE = "https://git.example/ml/blob/main"


@pytest.fixture(scope="module")
def policies() -> dict[str, AlertPolicyPlan]:
    return {policy.name: policy for policy in plan_alert_policies(RULES.values(), "prod", BASE)}


def test_there_is_one_policy_for_each_rule(policies: dict[str, AlertPolicyPlan]) -> None:
    """M1 to M16."""
    assert len(policies) == len(RULES) == len({policy.display_name for policy in policies.values()})


def test_a_rule_becomes_a_condition(policies: dict[str, AlertPolicyPlan]) -> None:
    """M16."""
    rule, policy = RULES["ServingOutage"], policies["serving-outage"]
    assert (policy.severity, policy.notify) == ("CRITICAL", "page")
    assert policy.conditions == (
        PromqlCondition(
            "availability/ServingOutage", rule.expr, 300, 60, "availability", "ServingOutage", ()
        ),
    )
    assert policy.links == (("runbook", f"{BASE}/docs/runbooks/alerts/serving-outage.md"),)
    assert "${metric_or_resource.label.pipeline}" in policy.subject


def test_durations_are_multiples_of_30_seconds(policies: dict[str, AlertPolicyPlan]) -> None:
    for policy in policies.values():
        for condition in policy.conditions:
            if isinstance(condition, PromqlCondition):
                assert condition.evaluation_seconds % 30 == 0 < condition.evaluation_seconds
            else:
                assert condition.alignment_seconds % 60 == 0 < condition.alignment_seconds
            assert condition.duration_seconds % 30 == 0


def test_documentation_and_labels_keep_within_their_limits(policies: dict[str, AlertPolicyPlan]) -> None:
    for policy in policies.values():
        assert len(policy.content) <= 8192
        assert len(policy.subject) <= 255
        assert len(policy.links) <= 3
        assert len(policy.conditions) <= 6
        assert len(policy.display_name) <= 512
        assert len(policy.user_labels) <= 64
        assert all(len(value) <= 63 and value == value.lower() for _, value in policy.user_labels)
        assert "{{" not in policy.content + policy.subject


def test_what_is_true_or_false_becomes_thresholds(policies: dict[str, AlertPolicyPlan]) -> None:
    """M10."""
    conditions = policies["cloud-quota-exceeded"].conditions
    assert len(conditions) == 5
    assert conditions[0] == FlagCondition(
        name="serviceruntime.googleapis.com/quota/exceeded",
        filter='metric.type="serviceruntime.googleapis.com/quota/exceeded" AND resource.type="consumer_quota"',
        alignment_seconds=600,
        group_by=(
            "resource.label.project_id",
            "resource.label.location",
            "resource.label.service",
            "metric.label.quota_metric",
            "metric.label.limit_name",
        ),
        threshold=0,
        duration_seconds=0,
    )


def test_only_flags_become_thresholds(policies: dict[str, AlertPolicyPlan]) -> None:
    flagged = [
        name
        for name, policy in policies.items()
        if any(isinstance(condition, FlagCondition) for condition in policy.conditions)
    ]
    assert flagged == ["cloud-quota-exceeded"]


def test_a_result_without_environment_is_given_the_stacks(policies: dict[str, AlertPolicyPlan]) -> None:
    for rule in RULES.values():
        for condition in policies[kebab(rule)].conditions:
            if isinstance(condition, PromqlCondition):
                expected = () if rule.scope == "pipeline" else (("environment", "prod"),)
                assert condition.labels == expected, rule.name


def kebab(rule: Rule) -> str:
    return rule.runbook.rpartition("/")[2].removesuffix(".md")


def test_gates_say_how_long_a_phase_must_last(policies: dict[str, AlertPolicyPlan]) -> None:
    """D8."""
    gates = {name: policy.judgement_seconds for name, policy in policies.items() if policy.gates_canary}
    assert set(gates) == {"canary-errors", "canary-slow", "canary-starved", "canary-quality", "canary-drift"}
    assert gates["canary-errors"] == 600 + 60 + 30 + 180


def test_pages_are_repeated_sooner_than_tickets(policies: dict[str, AlertPolicyPlan]) -> None:
    page, ticket = policies["serving-outage"], policies["training-slow"]
    assert page.renotify_seconds < ticket.renotify_seconds
    assert all(1_800 <= policy.auto_close_seconds <= 604_800 for policy in (page, ticket))


def test_without_a_base_url_there_is_no_link() -> None:
    (policy,) = plan_alert_policies([RULES["ServingOutage"]], "dev")
    assert policy.links == ()
    assert "Runbook: docs/runbooks/alerts/serving-outage.md" in policy.content


@pytest.mark.parametrize(
    ("prometheus", "cloud"),
    [
        ("{{ $labels.pipeline }}", "${metric_or_resource.label.pipeline}"),
        ("{{$value}}", "${metric.label.value}"),
        ("{{ $value | humanize }}", "${metric.label.value}"),
        ("{{ $value | humanizePercentage }}", "${metric.label.value} (1 is all)"),
        ("{{ $value | humanizeDuration }}", "${metric.label.value} seconds"),
        ("plain", "plain"),
    ],
)
def test_templates_are_translated(prometheus: str, cloud: str) -> None:
    assert translate_template(prometheus) == cloud
