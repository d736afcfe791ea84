"""M1 to M17: alert policies, who is told of them, and when nobody is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pytest

from headroom.planning.notifications import plan_alerting
from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import parse_config
from tests.conftest import MINIMAL
from tests.mocks import Registered, record

KEY = "projects/acme-ml-test/secrets/pager/versions/3"
MAIL = {"kind": "email", "address": "ml@acme.dev"}
CHANNELS = {
    "mail": MAIL,
    "pager": {"kind": "pagerduty", "service_key": KEY},
    "chat": {"kind": "slack", "channel": "#ml", "auth_token": KEY},
    "topic": {"kind": "pubsub", "topic": "projects/acme-hub/topics/alerts"},
}
ALERTING = {
    "channels": CHANNELS,
    "routes": {"page": ["pager", "topic"], "ticket": ["mail", "chat"]},
    "runbooks": "https://git.acme.dev/ml/blob/main",
}


def config_of(alerting: dict[str, Any], pipelines: int = 0) -> dict[str, Any]:
    limit = {"cpu": {"guarantee": "1m", "cap": "2m"}, "memory": {"guarantee": "1Mi", "cap": "2Mi"}}
    return MINIMAL | {
        "headroom:alerting": alerting,
        "headroom:pipelines": {
            f"p{number}": {
                "kind": "data",
                "model": "m",
                "owner": f"user:u{number % 5}@acme.dev",
                "limits": {"cpu": limit},
            }
            for number in range(pipelines)
        },
    }


def build(alerting: dict[str, Any], pipelines: int = 0) -> list[Registered]:
    """The resources of the component alone."""
    plan = plan_alerting(parse_config(config_of(alerting, pipelines), "f"), "test")

    async def main() -> None:
        import pulumi_gcp as gcp

        from infra.components.alerting import Alerting
        from infra.components.base import Scope
        from infra.components.services import Services
        from infra.retries import retry_hook

        scope = Scope(
            "test",
            "acme-ml-test",
            "us-central1",
            protected=False,
            provider=gcp.Provider("test-google", project="acme-ml-test"),
            retry=retry_hook(),
        )
        services = Services(scope, ("container", "monitoring", "secretmanager", "pubsub"))
        await Alerting(scope, plan, services).registered()

    return [each for each in record("test", main) if each.options.get("parent") == "test-alerting"]


def of_type(graph: list[Registered], kind: str) -> dict[str, Registered]:
    return {each.name: each for each in graph if each.type.endswith(f":{kind}")}


@pytest.fixture(scope="module")
def graph() -> list[Registered]:
    return build(ALERTING)


@pytest.fixture(scope="module")
def policies(graph: list[Registered]) -> dict[str, dict[str, Any]]:
    return {name: policy.inputs for name, policy in of_type(graph, "AlertPolicy").items()}


def test_a_rule_is_a_policy_with_its_query_urgency_and_runbook(policies: dict[str, dict[str, Any]]) -> None:
    """M16."""
    policy = policies["test-serving-outage"]
    (condition,) = policy["conditions"]
    query = condition["conditionPrometheusQueryLanguage"]
    assert "ml_prediction_requests_total" in query["query"]
    assert (query["duration"], query["evaluationInterval"]) == ("300s", "60s")
    assert (query["alertRule"], query["ruleGroup"]) == ("ServingOutage", "availability")
    assert policy["severity"] == "CRITICAL"
    assert policy["notificationChannels"] == ["test-pager-0a1b2c3", "test-topic-0a1b2c3"]
    runbook = "https://git.acme.dev/ml/blob/main/docs/runbooks/alerts/serving-outage.md"
    assert policy["documentation"]["links"] == [{"displayName": "runbook", "url": runbook}]


def test_no_query_asks_google_whether_its_metrics_are_there(policies: dict[str, dict[str, Any]]) -> None:
    """The first `up` comes before the first pipeline."""
    queries = [
        condition["conditionPrometheusQueryLanguage"]
        for policy in policies.values()
        for condition in policy["conditions"]
        if "conditionPrometheusQueryLanguage" in condition
    ]
    assert len(queries) > 30
    assert all(query["disableMetricValidation"] is True for query in queries)
    assert all(int(query["evaluationInterval"][:-1]) % 30 == 0 for query in queries)


def test_what_is_true_or_false_is_counted(policies: dict[str, dict[str, Any]]) -> None:
    """M10."""
    conditions = policies["test-cloud-quota-exceeded"]["conditions"]
    assert len(conditions) == 5
    for condition in conditions:
        threshold = condition["conditionThreshold"]
        (aggregation,) = threshold["aggregations"]
        assert (aggregation["perSeriesAligner"], aggregation["crossSeriesReducer"]) == (
            "ALIGN_COUNT_TRUE",
            "REDUCE_SUM",
        )
        assert (threshold["comparison"], threshold["thresholdValue"]) == ("COMPARISON_GT", 0)


def test_people_are_reminded_and_incidents_end(policies: dict[str, dict[str, Any]]) -> None:
    strategy = policies["test-serving-outage"]["alertStrategy"]
    (renotify,) = strategy["notificationChannelStrategies"]
    assert renotify["notificationChannelNames"] == policies["test-serving-outage"]["notificationChannels"]
    assert renotify["renotifyInterval"] == "3600s"
    assert all(policy["alertStrategy"]["autoClose"] for policy in policies.values())


def test_a_security_event_is_a_policy_on_logs_that_tells_now_and_then(
    policies: dict[str, dict[str, Any]],
) -> None:
    """M17: rates are limited for these alone, and only these are not repeated."""
    on_logs = {name for name, policy in policies.items() if "conditionMatchedLog" in policy["conditions"][0]}
    assert "test-service-account-key-created" in on_logs
    for name, policy in policies.items():
        assert ("notificationRateLimit" in policy["alertStrategy"]) == (name in on_logs)
        assert ("notificationChannelStrategies" in policy["alertStrategy"]) != (name in on_logs)
    extracted = policies["test-admission-denied"]["conditions"][0]["conditionMatchedLog"]["labelExtractors"]
    assert extracted["principal"] == "EXTRACT(protoPayload.authenticationInfo.principalEmail)"


def test_without_channels_there_are_policies_all_the_same() -> None:
    policies = of_type(build({}), "AlertPolicy")
    assert policies
    for policy in policies.values():
        assert "notificationChannels" not in policy.inputs
        assert "notificationChannelStrategies" not in policy.inputs["alertStrategy"]


def test_the_count_of_policies_is_the_same_for_10_and_for_1000_pipelines() -> None:
    """M1 to M17."""
    few, many = (policies_of(build(ALERTING, count)) for count in (10, 1000))
    assert few == many
    assert len(few) > 40


def test_the_whole_program_has_the_policies_of_the_component_whatever_its_pipelines(
    run_program: Callable[[Plan], list[Registered]],
) -> None:
    """M1 to M17."""
    for count in (1, 10):
        graph = run_program(plan_config(config_of(ALERTING, count), "test", "f"))
        assert set(policies_of(graph)) == set(policies_of(build(ALERTING)))


def policies_of(graph: list[Registered]) -> dict[str, Any]:
    return {name: policy.inputs for name, policy in of_type(graph, "AlertPolicy").items()}


def test_a_token_is_read_from_secret_manager_and_kept_as_a_secret(graph: list[Registered]) -> None:
    channels = of_type(graph, "NotificationChannel")
    for name, setting in (("test-pager", "serviceKey"), ("test-chat", "authToken")):
        channel = channels[name]
        settings = channel.inputs["sensitiveLabels"]
        assert settings["value"] == {setting: "the pager of acme-ml-test"}
        assert settings[pulumi.runtime.rpc._special_sig_key] == pulumi.runtime.rpc._special_secret_sig
        assert "sensitiveLabels" in channel.options["secret"]
        assert channel.inputs["userLabels"]["secret-version"] == "3", "another version shows in a preview"
        assert "test-secretmanager" in channel.options["depends_on"]
    assert "sensitiveLabels" not in channels["test-mail"].inputs


def test_a_preview_reads_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may only look has no right to."""
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    channel = of_type(build(ALERTING), "NotificationChannel")["test-pager"]
    assert "the pager" not in str(channel.inputs)
    assert channel.options["ignore"] == ["sensitiveLabels"], "so that none shows as changed"


def test_monitorings_agent_may_publish_on_the_topic(graph: list[Registered]) -> None:
    (grant,) = of_type(graph, "TopicIAMMember").values()
    assert (grant.inputs["project"], grant.inputs["topic"]) == ("acme-hub", "alerts")
    assert grant.inputs["role"] == "roles/pubsub.publisher"
    assert grant.inputs["member"] == (
        "serviceAccount:service-123456789012@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
    )
    assert "test-monitoring-agent" in grant.options["depends_on"]


def test_no_agent_is_asked_for_where_there_is_no_topic() -> None:
    kinds = {each.type.rpartition(":")[2] for each in build({"channels": {"mail": MAIL}})}
    assert kinds == {"NotificationChannel", "AlertPolicy"}


def snoozes(**mute: Any) -> dict[str, Registered]:
    return of_type(build(ALERTING | {"mutes": {"move": mute}}), "Snooze")


def hours(number: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_mute_is_a_snooze_of_its_policies() -> None:
    start, end = hours(1), hours(3)
    (snooze,) = snoozes(alerts=["ServingOutage", "QuotaChanged"], start=start, end=end).values()
    assert snooze.name == "test-move-0"
    assert set(snooze.inputs["criteria"]["policies"]) == {
        "test-serving-outage-0a1b2c3",
        "test-quota-changed-0a1b2c3",
    }
    assert snooze.inputs["interval"] == {"startTime": start, "endTime": end}
    assert "ignore" not in snooze.options


def test_of_a_mute_that_has_begun_the_end_alone_is_changed() -> None:
    """Google refuses another start of an active snooze, and a start in the past of a new one."""
    end = hours(3)
    (snooze,) = snoozes(alerts=["ServingOutage"], start=hours(-1), end=end).values()
    assert snooze.options["ignore"] == ["interval.startTime"]
    assert hours(0) < snooze.inputs["interval"]["startTime"] < hours(0.1)
    assert snooze.inputs["interval"]["endTime"] == end


def test_a_mute_of_one_pipeline_names_it() -> None:
    mute = {"alerts": ["TrainingSlow"], "pipelines": ["p0"], "start": hours(1), "end": hours(3)}
    (snooze,) = of_type(build(ALERTING | {"mutes": {"move": mute}}, pipelines=1), "Snooze").values()
    assert snooze.inputs["criteria"] == {
        "policies": ["test-training-slow-0a1b2c3"],
        "filter": 'metric.labels.pipeline="p0"',
    }


def test_a_mute_that_has_long_been_over_is_forgotten() -> None:
    assert not snoozes(alerts=["ServingOutage"], start=hours(-50), end=hours(-25))
    assert snoozes(alerts=["ServingOutage"], start=hours(-50), end=hours(-23))
