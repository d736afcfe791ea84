"""`headroom alerts`, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from headroom.alerts.rules import load_rules
from headroom.alerts.security_events import load_security_events
from headroom.cli.promtool import PROMTOOL_VARIABLE

Headroom = Callable[..., CompletedProcess[str]]


@pytest.fixture
def without_promtool(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROMTOOL_VARIABLE, raising=False)
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setenv("HEADROOM_CACHE", str(empty))


@pytest.fixture
def promtool_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for promtool: finds fault with every test file."""
    path = tmp_path / "promtool"
    path.write_text(
        '#!/bin/sh\nshift 2\nfor f; do printf "Unit Testing:  %s\\n  FAILED:\\n    too late\\n\\n" $f; done\nexit 1\n'
    )
    path.chmod(0o755)
    monkeypatch.setenv(PROMTOOL_VARIABLE, str(path))
    return path


def test_list_has_every_alert(headroom: Headroom) -> None:
    done = headroom("alerts", "list")
    assert done.returncode == 0, done.stderr
    names = [alert.name for alert in (*load_rules(), *load_security_events())]
    for name in names:
        assert f"\n{name} " in done.stdout
    rows = json.loads(headroom("alerts", "list", "--json").stdout)
    assert [row["alert"] for row in rows] == names
    outage = next(row for row in rows if row["alert"] == "ServingOutage")
    assert (outage["severity"], outage["notify"], outage["for_seconds"]) == ("critical", "page", 300)
    assert outage["requirements"] == ["M16"]


def test_an_alert_on_a_job_is_listed_for_stacks_that_have_the_job(headroom: Headroom) -> None:
    done = headroom("alerts", "list", "-s", "prod", "--json")
    names = {row["alert"] for row in json.loads(done.stdout)}
    assert names == {alert.name for alert in (*load_rules(), *load_security_events())} - {"RollbackJobSilent"}


def test_list_says_what_is_told_in_words_that_a_person_can_read(headroom: Headroom) -> None:
    lines = headroom("alerts", "list").stdout.splitlines()
    (near,) = (line for line in lines if line.startswith("PipelineQuotaNearCap "))
    assert near.endswith("near its cap of FLAVOR RESOURCE")
    (granted,) = (line for line in lines if line.startswith("OwnerGranted "))
    assert granted.split()[1:5] == ["critical", "page", "5m", "M17"]
    assert not [line for line in lines if "$" in line or "{" in line]


def test_show_explains_a_security_event(headroom: Headroom) -> None:
    """M17."""
    done = headroom("alerts", "show", "projectiamchanged")
    assert done.returncode == 0
    assert done.stdout.startswith("ProjectIamChanged: warning, by ticket, at most one in 1h\n")
    assert "docs/runbooks/security/project-iam-changed.md" in done.stdout
    assert "everybody but the accounts in headroom:alerting.deployers" in done.stdout
    assert 'protoPayload.methodName="SetIamPolicy"' in done.stdout
    shown = json.loads(headroom("alerts", "show", "ProjectIamChanged", "--json").stdout)
    assert (shown["group"], shown["requirements"]) == ("security", ["M17"])


def test_promtool_is_not_asked_about_a_security_event(headroom: Headroom) -> None:
    done = headroom("alerts", "test", "OwnerGranted")
    assert (done.returncode, done.stdout) == (2, "")
    assert "OwnerGranted is found in audit logs" in done.stderr


def test_show_explains_an_alert(headroom: Headroom) -> None:
    done = headroom("alerts", "show", "servingoutage")
    assert done.returncode == 0
    assert done.stdout.startswith(
        "ServingOutage: critical, by page, after 5m\n\nPIPELINE has answered no request"
    )
    assert "docs/runbooks/alerts/serving-outage.md" in done.stdout
    assert "ml_pipeline_info: The pipeline is there" in done.stdout
    shown = json.loads(headroom("alerts", "show", "ServingOutage", "--json").stdout)
    assert [metric["name"] for metric in shown["metrics"]] == [
        "ml_pipeline_info",
        "ml_prediction_requests_total",
    ]


@pytest.mark.parametrize("command", ["show", "test"])
def test_an_alert_that_is_not_there_ends_with_2(headroom: Headroom, command: str) -> None:
    done = headroom("alerts", command, "ServingOutrage")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no alert of that name; did you mean ServingOutage?" in done.stderr


def test_export_is_one_rule_file(headroom: Headroom) -> None:
    done = headroom("alerts", "export", "--runbooks", "https://git.example/ml")
    assert done.returncode == 0
    rules = [rule for group in yaml.safe_load(done.stdout)["groups"] for rule in group["rules"]]
    assert len(rules) == len(load_rules())
    assert all(
        rule["annotations"]["runbook_url"].startswith("https://git.example/ml/docs/") for rule in rules
    )


def test_export_refuses_what_is_no_url(headroom: Headroom) -> None:
    done = headroom("alerts", "export", "--runbooks", "git.example/ml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--runbooks: must be a URL" in done.stderr


def test_metrics_prints_the_page(headroom: Headroom, root: Path) -> None:
    assert headroom("alerts", "metrics").stdout == (root / "docs" / "metrics.md").read_text()


@pytest.mark.usefixtures("without_promtool")
def test_without_promtool_nothing_is_said_to_be_proven(headroom: Headroom) -> None:
    done = headroom("alerts", "test")
    assert (done.returncode, done.stdout) == (3, "")
    assert "the scenarios were not run: there is no promtool" in done.stderr
    assert "python -m sandbox.tools promtool" in done.stderr


@pytest.mark.usefixtures("promtool_that_fails")
def test_a_failure_is_shown_and_ends_with_1(headroom: Headroom) -> None:
    done = headroom("alerts", "test", "MonitorDead")
    assert done.returncode == 1
    assert "FAILED  MonitorDead" in done.stdout
    assert "too late" in done.stdout
    rows = json.loads(headroom("alerts", "test", "MonitorDead", "--json").stdout)
    assert rows == [{"alert": "MonitorDead", "passed": False, "failure": "FAILED:\n    too late"}]


@pytest.mark.monitoring
def test_the_scenarios_pass(headroom: Headroom) -> None:
    """M12."""
    done = headroom("alerts", "test", "TrainingFailed")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "passed  TrainingFailed" in done.stdout


def test_a_stack_says_who_is_told_of_each_alert(headroom: Headroom) -> None:
    """M17: where a stack has a route for security, that is told, and nobody is paged."""
    rows = json.loads(headroom("alerts", "list", "-s", "prod", "--json").stdout)
    told = {row["alert"]: row["channels"] for row in rows}
    assert told["OwnerGranted"] == ["security"]
    assert told["ServingOutage"] == ["on-call", "mail", "risk-on-call"]
    assert all(told.values())
    shown = headroom("alerts", "list", "-s", "prod").stdout
    assert "on-call, mail, risk-on-call" in shown
    assert "channels" not in json.loads(headroom("alerts", "list", "--json").stdout)[0]
