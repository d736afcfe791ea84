"""A preflight's result on paper."""

import json

import pytest

from headroom.planning.preflight import Check
from headroom.report.preflight_table import print_preflight, render_preflight

CHECKS = (
    Check("project", "acme", "ok", "number 1"),
    Check(
        "APIs", "a.googleapis.com", "missing", "is not enabled", "gcloud services enable a b --project=acme"
    ),
    Check(
        "APIs", "b.googleapis.com", "missing", "is not enabled", "gcloud services enable a b --project=acme"
    ),
    Check("quotas", "granted quotas", "unknown", "no [answer]", "gcloud services enable b --project=acme"),
    Check("billing", "account", "unknown", "no answer", "gcloud auth application-default login"),
)


def test_json_has_every_check_and_the_exit_code() -> None:
    data = json.loads(render_preflight("dev", "acme", CHECKS, ["ml@acme.example"]))
    assert data["exit_code"] == 1
    assert data["counts"] == {"ok": 1, "missing": 2, "unknown": 2}
    assert data["checks"][0] == {
        "area": "project", "subject": "acme", "state": "ok", "detail": "number 1", "remedy": None,
    }  # fmt: skip
    assert data["example_addresses"] == ["ml@acme.example"]


def test_each_command_is_printed_once_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_preflight("dev", "acme", CHECKS, ["ml@acme.example"])
    text = capsys.readouterr().out
    assert "\x1b[" not in text
    assert text.count("gcloud services enable a b --project=acme") == 1
    assert "gcloud services enable b --project=acme" not in text
    assert "To learn what is unknown:\n  gcloud auth application-default login" in text
    assert "never asked for, since nobody can own their domains: ml@acme.example" in text
    assert "no [answer]" in text
    assert text.endswith("1 ok, 2 missing, 2 unknown\n")


def test_where_nothing_is_missing_no_command_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_preflight("dev", "acme", CHECKS[:1], [])
    text = capsys.readouterr().out
    assert "To mend" not in text
    assert "never asked" not in text
    assert text.endswith("1 ok, 0 missing, 0 unknown\n")
