"""Alert policies, channels and snoozes are refused where Cloud Monitoring would refuse them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from sandbox.google.store import LEFT_OVER, WorldObject
from tests.sandbox.google.conftest import SETTINGS, World

POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
SNOOZE = "gcp:monitoring/snooze:Snooze"
QUERY: dict[str, Any] = {"query": "up == 0", "evaluationInterval": "60s", "disableMetricValidation": True}
LOG: dict[str, Any] = {"filter": 'LOG_ID("x")'}
RATE: dict[str, Any] = {"notificationRateLimit": {"period": "300s"}}


def promql(**changes: Any) -> dict[str, Any]:
    return {"displayName": "c", "conditionPrometheusQueryLanguage": QUERY | changes}


def on_logs() -> dict[str, Any]:
    return {"displayName": "l", "conditionMatchedLog": LOG}


def policy(world: World, *conditions: dict[str, Any], **inputs: Any) -> WorldObject:
    return world.make(
        POLICY,
        project="acme-dev",
        displayName="p",
        combiner="OR",
        conditions=list(conditions or [promql()]),
        **inputs,
    )


def test_a_policy_is_named_by_google(world: World) -> None:
    made = policy(world)
    assert made.id.startswith("projects/acme-dev/alertPolicies/")
    assert made.properties["name"] == made.id


@pytest.mark.parametrize(
    ("conditions", "inputs", "message"),
    [
        ([promql()] * 7, {}, "at most 6 are allowed"),
        ([promql(evaluationInterval="45s")], {}, "multiple of 30 seconds"),
        ([promql(alertRule="not-a-label")], {}, "valid Prometheus label name"),
        ([promql()], {"documentation": {"content": "x" * 8193}}, "content is longer than 8192"),
        ([promql()], {"documentation": {"subject": "x" * 256}}, "subject is longer than 255"),
        ([promql()], {"documentation": {"links": [{"url": "https://a"}] * 4}}, "at most 3"),
        ([promql()], {"userLabels": {"Team": "ml"}}, "userLabels had an invalid value"),
        ([promql()], {"userLabels": {"team": "ada@acme"}}, "userLabels had an invalid value"),
        ([promql()], {"alertStrategy": RATE}, "only for, a policy with a LogMatch"),
        ([on_logs()], {}, "notification_rate_limit is required"),
        ([on_logs(), promql()], {"alertStrategy": RATE}, "may have no other condition"),
        ([on_logs()], {"alertStrategy": RATE | {"notificationChannelStrategies": [{"renotifyInterval": "3600s"}]}}, "cannot be repeated"),
    ],
)  # fmt: skip
def test_an_unsound_policy_is_refused(
    world: World, conditions: list[dict[str, Any]], inputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ApiError, match=f"400: .*{message}"):
        policy(world, *conditions, **inputs)


def test_what_is_within_the_limits_is_taken(world: World) -> None:
    documentation = {"content": "x" * 8192, "subject": "x" * 255, "links": [{"url": "https://a"}] * 3}
    assert policy(world, *[promql()] * 6, documentation=documentation)
    assert policy(world, on_logs(), alertStrategy=RATE)


def test_a_query_of_metrics_that_nobody_has_written_is_refused_unless_it_says_so(world: World) -> None:
    with pytest.raises(ApiError, match="404: Cannot find metrics"):
        policy(world, promql(disableMetricValidation=False))


def test_a_policy_needs_its_channels_and_keeps_them(world: World, cloud: Cloud) -> None:
    with pytest.raises(ApiError, match="404: Notification channel"):
        policy(world, notificationChannels=["projects/acme-dev/notificationChannels/1"])
    channels = [
        world.make(CHANNEL, project="acme-dev", type="email", labels={"email_address": "a@b.dev"})
        for _ in range(17)
    ]
    names = [channel.properties["name"] for channel in channels]
    made = policy(world, notificationChannels=names[:16])
    with pytest.raises(ApiError, match="at most 16 are allowed"):
        policy(world, notificationChannels=names)
    with pytest.raises(ApiError, match=r"400: .* is already being used"):
        cloud.delete(CHANNEL, channels[0].id)
    cloud.delete(POLICY, made.id)
    cloud.delete(CHANNEL, channels[0].id)


def times(start: float, end: float) -> dict[str, Any]:
    now = datetime.now(UTC)
    start_time, end_time = (
        (now + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z") for seconds in (start, end)
    )
    return {"interval": {"startTime": start_time, "endTime": end_time}}


def snooze(world: World, interval: dict[str, Any], **criteria: Any) -> WorldObject:
    given = {"policies": [policy(world).id]} | criteria
    return world.make(SNOOZE, project="acme-dev", displayName="s", criteria=given, **interval)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [(-20, 3600, "cannot be in the past"), (3600, 60, "must not be later than the end time")],
)
def test_a_snooze_begins_now_at_the_earliest(world: World, start: float, end: float, message: str) -> None:
    with pytest.raises(ApiError, match=f"400: .*{message}"):
        snooze(world, times(start, end))
    assert snooze(world, times(-10, 60))


def test_a_snooze_has_16_policies_and_one_where_it_has_a_filter(world: World) -> None:
    names = [policy(world).id for _ in range(17)]
    assert snooze(world, times(0, 60), policies=names[:16])
    with pytest.raises(ApiError, match="at most 16 policies"):
        snooze(world, times(0, 60), policies=names)
    with pytest.raises(ApiError, match="exactly one policy"):
        snooze(world, times(0, 60), policies=names[:2], filter='metric.labels.pipeline="a"')
    with pytest.raises(ApiError, match="404: Alert policy"):
        snooze(world, times(0, 60), policies=["projects/acme-dev/alertPolicies/1"])


def change(cloud: Cloud, item: WorldObject, interval: dict[str, Any]) -> WorldObject:
    given = {name: item.properties[name] for name in ("project", "displayName", "criteria", "interval")}
    return cloud.update(SNOOZE, item.id, given, given | interval, SETTINGS)


def begin(cloud: Cloud, item: WorldObject, start: float, end: float) -> WorldObject:
    """As if the snooze had been made earlier."""
    from dataclasses import replace

    begun = replace(item, properties={**item.properties, **times(start, end)})
    with cloud.store.transaction():
        cloud.store.put(begun)
    return begun


def test_of_an_active_snooze_the_end_can_be_changed_and_of_an_expired_one_nothing(
    world: World, cloud: Cloud
) -> None:
    active = begin(cloud, snooze(world, times(0, 60)), -3600, 3600)
    start = active.properties["interval"]["startTime"]
    shorter = {"interval": {"startTime": start, "endTime": times(0, 60)["interval"]["endTime"]}}
    assert change(cloud, active, shorter).properties["interval"] == shorter["interval"]
    with pytest.raises(ApiError, match="active snooze cannot be changed"):
        change(cloud, active, times(60, 120))
    expired = begin(cloud, active, -7200, -3600)
    with pytest.raises(ApiError, match="expired cannot be changed"):
        change(cloud, expired, times(-7200, 60))


def test_a_snooze_cannot_be_deleted(world: World, cloud: Cloud) -> None:
    made = snooze(world, times(0, 60))
    cloud.delete(SNOOZE, made.id)
    assert [item.status for item in cloud.store.objects(SNOOZE)] == [LEFT_OVER]
