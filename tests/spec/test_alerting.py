"""What a stack file may say of alerting, and what is refused with file and key."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headroom.spec.alerting import Alerting
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config

KEY = "projects/acme-ml-test/secrets/pagerduty/versions/3"
START = "2026-12-01T22:00:00Z"


def refusal(config: dict[str, Any], alerting: Any) -> str:
    with pytest.raises(StackFileError) as refused:
        parse_config(config | {"headroom:alerting": alerting}, "Pulumi.t.yaml")
    return str(refused.value)


def mute(**values: Any) -> dict[str, Any]:
    return {"mutes": {"m": {"start": START} | values}}


def test_nothing_has_to_be_said(config: dict[str, Any]) -> None:
    assert parse_config(config, "f").alerting == Alerting()


def test_every_kind_of_channel_is_taken(config: dict[str, Any]) -> None:
    channels = {
        "mail": {"kind": "email", "address": "ml@acme.dev"},
        "pager": {"kind": "pagerduty", "service_key": KEY},
        "chat": {"kind": "slack", "channel": "#ml-alerts", "auth_token": KEY},
        "topic": {"kind": "pubsub", "topic": "projects/acme-ml-test/topics/alerts"},
    }
    alerting = {"channels": channels, "routes": {"page": list(channels)}}
    platform = parse_config(config | {"headroom:alerting": alerting}, "f")
    assert set(platform.alerting.channels) == set(channels)


@pytest.mark.parametrize(
    ("alerting", "message"),
    [
        ({"channels": {"a": {"kind": "emial"}}}, "headroom:alerting.channels.a.kind: must be one of email, pagerduty, slack, pubsub; did you mean email?"),
        ({"channels": {"a": {"kind": "email", "address": "ada"}}}, "headroom:alerting.channels.a.address: must look like ml-oncall@acme.example"),
        ({"channels": {"a": {"kind": "slack", "channel": "ml", "auth_token": KEY}}}, "headroom:alerting.channels.a.channel: must look like #ml-alerts"),
        ({"channels": {"a": {"kind": "pagerduty"}}}, "headroom:alerting.channels.a.service_key: is required"),
        ({"channels": {"a": {"kind": "pagerduty", "service_key": KEY.replace("/3", "/latest")}}}, "headroom:alerting.channels.a.service_key: must look like projects/"),
        ({"channels": {"a": {"kind": "pubsub", "topic": "alerts"}}}, "headroom:alerting.channels.a.topic: must look like projects/"),
        ({"channels": {"A b": {"kind": "email", "address": "ml@acme.dev"}}}, "headroom:alerting.channels.A b: is no valid name"),
        ({"routes": {"page": [f"c{number}" for number in range(17)]}}, "headroom:alerting.routes.page: may have at most 16"),
        ({"routes": {"pages": []}}, "headroom:alerting.routes.pages: is no key of this section; did you mean page?"),
        ({"owners": {"ada@acme.dev": {}}}, "headroom:alerting.owners.ada@acme.dev: is no valid name"),
        ({"runbooks": "http://git.acme.dev"}, "headroom:alerting.runbooks: must look like https://"),
        ({"thresholds": {"HeadroomUsedUp": "0.8"}}, "headroom:alerting.thresholds.HeadroomUsedUp: must be a number"),
        ({"thresholds": {"HeadroomUsedUp": True}}, "headroom:alerting.thresholds.HeadroomUsedUp: must be a number"),
        ({"deployers": ["deploy"]}, "headroom:alerting.deployers[0]: must look like"),
        (mute(), "headroom:alerting.mutes.m.end: is required"),
        (mute(end="2026-12-02"), "headroom:alerting.mutes.m.end: must be date and time with a zone"),
        (mute(end="2026-12-02T22:00:00"), "headroom:alerting.mutes.m.end: must be date and time with a zone"),
        (mute(end=1796256000), "headroom:alerting.mutes.m.end: must be date and time with a zone"),
        (mute(end=START), "headroom:alerting.mutes.m: end is not after start"),
        (mute(end="2027-01-01T22:00:01Z"), "headroom:alerting.mutes.m: is longer than 31 days"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_file_and_key(
    config: dict[str, Any], alerting: Any, message: str
) -> None:
    assert f"Pulumi.t.yaml: {message}" in refusal(config, alerting)


def test_a_token_in_plain_text_is_refused_and_not_repeated(config: dict[str, Any]) -> None:
    text = refusal(config, {"channels": {"a": {"kind": "pagerduty", "service_key": "hunter2hunter2"}}})
    assert "must look like projects/" in text
    assert "hunter2" not in text


def test_a_mute_of_31_days_is_taken_and_its_times_are_of_one_zone(config: dict[str, Any]) -> None:
    alerting = mute(end="2027-01-02T00:00:00+02:00")
    taken = parse_config(config | {"headroom:alerting": alerting}, "f").alerting.mutes["m"]
    assert taken.end == datetime(2027, 1, 1, 22, tzinfo=UTC)
    assert taken.alerts == ()


def test_an_alert_has_at_most_16_channels(config: dict[str, Any]) -> None:
    names = [f"c{number}" for number in range(16)]
    channels = {name: {"kind": "email", "address": f"{name}@acme.dev"} for name in names}
    alerting = {"channels": channels, "routes": {"page": names}}
    assert len(parse_config(config | {"headroom:alerting": alerting}, "f").alerting.routes.page) == 16
