"""M17: alert policies on entries of audit logs."""

import pytest

from headroom.alerts.security_events import load_security_events
from headroom.planning.security_events import LogPolicyPlan, plan_security_events
from headroom.spec.log_filter import LONGEST_FILTER, parse_filter

EVENTS = {event.name: event for event in load_security_events()}
DEPLOYERS = ("deploy@acme.iam.gserviceaccount.com", "ci@acme.iam.gserviceaccount.com")


@pytest.fixture(scope="module")
def policies() -> dict[str, LogPolicyPlan]:
    planned = plan_security_events(
        EVENTS.values(), "prod", "europe-west4", DEPLOYERS, "https://git.acme.dev/ml/"
    )
    return dict(zip(EVENTS, planned, strict=True))


def test_the_filter_is_of_the_environments_own_cluster(policies: dict[str, LogPolicyPlan]) -> None:
    text = policies["AdmissionDenied"].filter
    assert 'resource.labels.cluster_name="prod-cluster" AND resource.labels.location="europe-west4"' in text


def test_no_filter_has_a_gap_that_nobody_filled(policies: dict[str, LogPolicyPlan]) -> None:
    for policy in policies.values():
        assert "{" not in policy.filter
        assert len(policy.filter) <= LONGEST_FILTER
        parse_filter(policy.filter)


def test_what_deployers_are_expected_to_do_is_told_of_others_alone(
    policies: dict[str, LogPolicyPlan],
) -> None:
    left_out = (
        ") AND NOT protoPayload.authenticationInfo.principalEmail="
        '("deploy@acme.iam.gserviceaccount.com" OR "ci@acme.iam.gserviceaccount.com")'
    )
    for name, event in EVENTS.items():
        assert policies[name].filter.endswith(left_out) == event.expected_of_deployers, name


def test_without_deployers_everybody_is_told_of() -> None:
    for event, policy in zip(
        EVENTS.values(), plan_security_events(EVENTS.values(), "dev", "us-central1", ()), strict=True
    ):
        assert len(policy.filter) - len(event.filter) < 40, "only names were filled in"
        assert policy.links == ()


def test_documentation_and_labels_keep_within_their_limits(policies: dict[str, LogPolicyPlan]) -> None:
    for policy in policies.values():
        assert len(policy.subject) <= 255
        assert len(policy.content) <= 8192
        assert policy.links[0][1].startswith("https://git.acme.dev/ml/docs/runbooks/security/")
        assert "${log.extracted_label.principal}" in policy.content
        assert {key for key, _ in policy.extracted} == {"principal", "method", "resource"}
        assert all(value == value.lower() and len(value) <= 63 for _, value in policy.user_labels)
        assert 1_800 <= policy.auto_close_seconds <= 604_800
