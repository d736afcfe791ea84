"""M17: security events are seen, and everyday reads are not taken for them."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from headroom.alerts.security_events import RUNBOOKS, SecurityEvent, load_security_events
from headroom.spec.log_filter import Call, Comparison, Expression, Logic, parse_filter

EVENTS = {event.name: event for event in load_security_events()}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"]
DELTA = "protoPayload.serviceData.policyDelta"

Entry = Mapping[str, str]


def activity(service: str, method: str, **fields: str) -> dict[str, str]:
    return {
        "log_id": "cloudaudit.googleapis.com/activity",
        "protoPayload.serviceName": service,
        "protoPayload.methodName": method,
        "protoPayload.authenticationInfo.principalEmail": "eve@acme.dev",
    } | {name.replace("__", "."): value for name, value in fields.items()}


def cluster(method: str, **fields: str) -> dict[str, str]:
    place = {
        "resource.type": "k8s_cluster",
        "resource.labels.cluster_name": "{cluster}",
        "resource.labels.location": "{region}",
    }
    return activity("k8s.io", method, **fields) | place


def iam(action: str, role: str) -> dict[str, str]:
    delta = {f"{DELTA}.bindingDeltas.action": action, f"{DELTA}.bindingDeltas.role": role}
    return activity("cloudresourcemanager.googleapis.com", "SetIamPolicy") | delta


def holds(expression: Expression, entry: Entry) -> bool:
    """Whether an entry matches; a field that is not there matches nothing."""
    if isinstance(expression, Logic):
        parts = [holds(part, entry) for part in expression.parts]
        return {"NOT": not parts[0], "AND": all(parts), "OR": any(parts)}[expression.operator]
    if isinstance(expression, Call):
        assert expression.function == "LOG_ID"
        return entry["log_id"] == expression.arguments[0]
    assert isinstance(expression, Comparison)
    value = entry.get(expression.field)
    if value is None:
        return expression.operator == ":" and any(name.startswith(expression.field) for name in entry)
    return {
        "=": value == expression.value,
        "=~": expression.operator == "=~" and bool(re.search(expression.value, value)),
        ":": expression.value in ("*", value),
    }[expression.operator]


def seen(entry: Entry) -> set[str]:
    """The events that are told of an entry."""
    return {name for name, event in EVENTS.items() if holds(parse_filter(event.filter), entry)}


KMS, LOGS, MONITORING = "cloudkms.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com"
DENIED = "ValidatingAdmissionPolicy 'headroom-host-access' with binding 'b' denied request: no host access"


@pytest.mark.parametrize(
    ("entry", "events"),
    [
        (iam("ADD", "roles/owner"), {"OwnerGranted", "ProjectIamChanged"}),
        (iam("ADD", "roles/storage.objectViewer"), {"ProjectIamChanged"}),
        (iam("REMOVE", "roles/owner"), {"ProjectIamChanged"}),
        (activity("cloudresourcemanager.googleapis.com", "SetIamPolicy") | {f"{DELTA}.auditConfigDeltas.action": "REMOVE"}, {"AuditLogsChanged", "ProjectIamChanged"}),
        (activity("cloudresourcemanager.googleapis.com", "GetIamPolicy"), set()),
        (activity("iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey"), {"ServiceAccountKeyCreated"}),
        (activity("iam.googleapis.com", "google.iam.admin.v1.UploadServiceAccountKey"), {"ServiceAccountKeyCreated"}),
        (activity("iam.googleapis.com", "google.iam.admin.v1.DeleteServiceAccountKey"), set()),
        (activity(KMS, "DestroyCryptoKeyVersion"), {"EncryptionKeyDestroyed"}),
        (activity(KMS, "UpdateCryptoKeyVersion"), {"EncryptionKeyDestroyed"}),
        (activity(KMS, "CreateCryptoKeyVersion"), set()),
        (activity(LOGS, "google.logging.v2.ConfigServiceV2.DeleteSink"), {"LogRoutingChanged"}),
        (activity(LOGS, "google.logging.v2.ConfigServiceV2.UpdateBucketAsync"), {"LogRoutingChanged"}),
        (activity(LOGS, "google.logging.v2.ConfigServiceV2.CreateExclusion"), {"LogRoutingChanged"}),
        (activity(LOGS, "google.logging.v2.LoggingServiceV2.DeleteLog"), {"LogRoutingChanged"}),
        (activity(LOGS, "google.logging.v2.ConfigServiceV2.GetSink"), set()),
        (activity(MONITORING, "google.monitoring.v3.AlertPolicyService.DeleteAlertPolicy"), {"AlertingChanged"}),
        (activity(MONITORING, "google.monitoring.v3.NotificationChannelService.UpdateNotificationChannel"), {"AlertingChanged"}),
        (activity(MONITORING, "google.monitoring.v3.SnoozeService.CreateSnooze"), {"AlertingChanged"}),
        (activity(MONITORING, "google.monitoring.v3.AlertPolicyService.ListAlertPolicies"), set()),
        (activity("cloudquotas.googleapis.com", "google.api.cloudquotas.v1.CloudQuotas.CreateQuotaPreference"), {"QuotaChanged"}),
        (activity("serviceusage.googleapis.com", "google.api.serviceusage.v1beta1.ServiceUsage.UpdateConsumerOverride"), {"QuotaChanged"}),
        (activity("serviceusage.googleapis.com", "google.api.serviceusage.v1.ServiceUsage.EnableService"), set()),
        (activity("clouddeploy.googleapis.com", "google.cloud.deploy.v1.CloudDeploy.ApproveRollout"), {"ReleaseApproved"}),
        (activity("clouddeploy.googleapis.com", "google.cloud.deploy.v1.CloudDeploy.CreateRelease"), set()),
        (cluster("io.k8s.authorization.rbac.v1.clusterrolebindings.create"), {"ClusterRolesChanged"}),
        (cluster("io.k8s.authorization.rbac.v1.clusterroles.patch"), {"ClusterRolesChanged"}),
        (cluster("io.k8s.authorization.rbac.v1.rolebindings.create"), set()),
        (cluster("io.k8s.authorization.rbac.v1.clusterroles.patch", protoPayload__authenticationInfo__principalEmail="system:clusterrole-aggregation-controller"), set()),
        (cluster("io.k8s.core.v1.pods.create", protoPayload__status__message=DENIED), {"AdmissionDenied"}),
        (cluster("io.k8s.core.v1.pods.create", protoPayload__response__message=DENIED), {"AdmissionDenied"}),
        (cluster("io.k8s.core.v1.pods.create", protoPayload__status__message="pods \"p\" is forbidden: exceeded quota"), set()),
        (cluster("io.k8s.core.v1.pods.create", protoPayload__status__message=DENIED) | {"resource.labels.cluster_name": "other"}, set()),
        ({"log_id": "cloudaudit.googleapis.com/policy", "protoPayload.methodName": "storage.objects.get"}, {"PolicyDenied"}),
        (iam("ADD", "roles/owner") | {"log_id": "stdout"}, set()),
    ],
)  # fmt: skip
def test_an_entry_is_told_of_as_what_it_is(entry: Entry, events: set[str]) -> None:
    """M17."""
    assert seen(entry) == events


def test_every_event_is_seen_by_some_entry_of_the_table() -> None:
    (table,) = (
        mark for mark in test_an_entry_is_told_of_as_what_it_is.pytestmark if mark.name == "parametrize"
    )
    assert set().union(*(events for _, events in table.args[1])) == set(EVENTS)


@pytest.fixture(params=EVENTS.values(), ids=EVENTS)
def event(request: pytest.FixtureRequest) -> SecurityEvent:
    return request.param


def test_what_cannot_be_a_deployments_work_is_told_whoever_did_it() -> None:
    always = {name for name, event in EVENTS.items() if not event.expected_of_deployers}
    assert always == {
        "OwnerGranted", "ServiceAccountKeyCreated", "EncryptionKeyDestroyed", "AdmissionDenied", "PolicyDenied",
        "ReleaseApproved",
    }  # fmt: skip


def test_an_event_has_a_runbook_with_every_section(event: SecurityEvent, root: Path) -> None:
    """M17."""
    text = (root / event.runbook).read_text(encoding="utf-8")
    assert text.startswith(f"# {event.name}: {event.summary}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert "```console" in text.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((root / event.runbook).parent / target).is_file(), target


def test_a_runbooks_queries_of_logs_parse(event: SecurityEvent, root: Path) -> None:
    queries = re.findall(r"logging read '([^']*)'", (root / event.runbook).read_text(encoding="utf-8"))
    for query in queries:
        parse_filter(query)


def test_every_runbook_has_an_event(root: Path) -> None:
    there = {path.relative_to(root).as_posix() for path in (root / RUNBOOKS).glob("*.md")}
    assert there == {event.runbook for event in EVENTS.values()}


def test_urgency_and_gravity_go_together(event: SecurityEvent) -> None:
    assert event.severity in ("critical", "error", "warning")
    assert event.notify == "ticket" or event.severity != "warning", "nobody is woken for a warning"
    assert event.period_seconds >= 300, "the shortest that Cloud Monitoring takes"
