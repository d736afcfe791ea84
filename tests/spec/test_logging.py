"""What a stack file may say of logs, and what is refused with file and key (M17)."""

from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.logging import Logging
from headroom.spec.stack_file import parse_config

ARCHIVE = {"to": "storage.googleapis.com/acme-log-archive"}


def refusal(config: dict[str, Any], logging: Any) -> str:
    with pytest.raises(StackFileError) as refused:
        parse_config(config | {"headroom:logging": logging}, "Pulumi.t.yaml")
    return str(refused.value)


def test_nothing_has_to_be_said(config: dict[str, Any]) -> None:
    assert parse_config(config, "f").logging == Logging()


@pytest.mark.parametrize("days", [1, 3650])
def test_retention_is_taken_up_to_what_google_keeps(config: dict[str, Any], days: int) -> None:
    logging = {"retention_days": days, "audit": {"retention_days": days}}
    assert parse_config(config | {"headroom:logging": logging}, "f").logging.retention_days == days


@pytest.mark.parametrize(
    ("logging", "message"),
    [
        ({"retention_days": 0}, "headroom:logging.retention_days: must be at least 1"),
        ({"retention_days": 3651}, "headroom:logging.retention_days: must be at most 3650"),
        ({"audit": {"retention_days": 0}}, "headroom:logging.audit.retention_days: must be at least 1"),
        ({"retention": 30}, "headroom:logging.retention: is no key of this section; did you mean retention_days?"),
        ({"dataset": True}, "headroom:logging: dataset needs analytics; set analytics: true"),
        ({"exclude": {"chatter": 'a="x'}}, "headroom:logging.exclude.chatter: does not parse at character 3: this quotation mark"),
        ({"exclude": {"chatter": ""}}, "headroom:logging.exclude.chatter: needs at least 1 characters"),
        ({"exports": {"a": ARCHIVE | {"filter": "x AND"}}}, "headroom:logging.exports.a.filter: does not parse at its end"),
        ({"exports": {"a": {"to": "gs://acme"}}}, "headroom:logging.exports.a.to: must look like storage.googleapis.com/acme-log-archive or bigquery."),
        ({"exports": {"a": {"to": "pubsub.googleapis.com/projects/acme/topics/t"}}}, "headroom:logging.exports.a.to: must look like"),
        ({"exports": {"a": {}}}, "headroom:logging.exports.a.to: is required"),
        ({"exports": {"A b": ARCHIVE}}, "headroom:logging.exports.A b: is no valid name"),
        ({"readers": ["ada@acme.dev"]}, "headroom:logging.readers[0]: must look like group:"),
        ({"audit": {"services": ["s3"]}}, "headroom:logging.audit.services[0]: must be one of artifactregistry, bigquery,"),
        ({"granted": {"buckets": 2501}}, "headroom:logging.granted.buckets: must be at most 2500"),
        ({"granted": {"sinks": 10}}, "headroom:logging.granted.sinks: must be at least 200"),
        ({"debug": False}, "headroom:logging.debug: must be one of keep, drop"),
        (["x"], "headroom:logging: must be a mapping"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_file_and_key(
    config: dict[str, Any], logging: Any, message: str
) -> None:
    assert f"Pulumi.t.yaml: {message}" in refusal(config, logging)


def test_a_refusal_repeats_no_filter(config: dict[str, Any]) -> None:
    text = refusal(config, {"exclude": {"chatter": 'jsonPayload.token="hunter2" AND ('}})
    assert "hunter2" not in text


def test_a_long_filter_is_taken(config: dict[str, Any]) -> None:
    text = " OR ".join(f'"{number:04}"' for number in range(700))
    assert parse_config(config | {"headroom:logging": {"exclude": {"many": text}}}, "f").logging.exclude
