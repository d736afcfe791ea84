"""Alert policies, channels and mutes through the real engine, in a program that has nothing else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headroom.alerts.rules import load_rules
from headroom.alerts.security_events import load_security_events
from sandbox.engine.workspace import SOURCE_ROOT
from sandbox.google.store import LEFT_OVER
from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import open_world

POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
SNOOZE = "gcp:monitoring/snooze:Snooze"
COUNT = sum(not rule.needs for rule in load_rules()) + len(load_security_events())

PROGRAM = f"""
import json, sys
sys.path.insert(0, {str(SOURCE_ROOT)!r})
import pulumi
import pulumi_gcp as gcp
from headroom.planning.notifications import plan_alerting
from headroom.spec.stack_file import parse_config
from infra.components.alerting import Alerting
from infra.components.base import Scope
from infra.components.services import Services
from infra.retries import retry_hook

config = json.loads(pulumi.Config("small").require("platform"))
plan = plan_alerting(parse_config(config, "Pulumi.dev.yaml"), "dev")
project = config["gcp:project"]
provider = gcp.Provider("google", project=project, region=config["gcp:region"])
scope = Scope("dev", project, config["gcp:region"], False, provider, retry_hook())
Alerting(scope, plan, Services(scope, ("container", "monitoring", "secretmanager")))
"""
PLATFORM: dict[str, Any] = {
    "gcp:project": "acme-ml-dev",
    "gcp:region": "us-central1",
    "headroom:environment": {"tier": "development"},
    "headroom:cluster": {"zones": ["us-central1-a", "us-central1-b"]},
    "headroom:pools": {"cpu": {"machine": "n2-standard-16", "nodes": {"max": 4}}},
}


def alerting(version: int = 1, **more: Any) -> dict[str, Any]:
    key = f"projects/acme-ml-dev/secrets/pager/versions/{version}"
    channels = {
        "pager": {"kind": "pagerduty", "service_key": key},
        "mail": {"kind": "email", "address": "ml@acme.example"},
    }
    return {"channels": channels, "routes": {"page": ["pager"], "ticket": ["mail"]}, **more}


def hours(number: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def configure(project: EngineSandbox, wanted: dict[str, Any]) -> None:
    text = json.dumps(PLATFORM | {"headroom:alerting": wanted})
    project.edit_stack_file("dev", lambda config: config.update({"small:platform": text}))


@pytest.fixture
def project(make_project: Callable[..., EngineSandbox]) -> EngineSandbox:
    return make_project(PROGRAM, dev="config: {}\n")


def test_policies_come_and_stay_as_they_are_until_somebody_changes_them(project: EngineSandbox) -> None:
    """M1 to M17: created, unchanged by a second `up`, and a change is just that change."""
    configure(project, alerting())
    up = project.up("dev").require_success()
    resources = project.export("dev")
    assert sum(each["type"] == POLICY for each in resources) == COUNT
    assert "stand-in-for-pager-1" not in json.dumps(resources), "a token lies in the state in secret alone"

    assert set(project.preview("dev", "--expect-no-changes").require_success().changes) == {"same"}
    assert set(project.up("dev", "--expect-no-changes").require_success().changes) == {"same"}
    assert (
        project.refresh("dev", "--expect-no-changes").require_success().changes["same"]
        == up.changes["create"]
    )

    configure(project, alerting(thresholds={"HeadroomUsedUp": 0.8}))
    assert changed(project) == {"dev-headroom-used-up": "update"}
    configure(project, alerting(version=2))
    assert changed(project) == {"dev-pager": "update"}, "and the rule is back at its own bound"
    project.up("dev").require_success()
    (pager,) = (
        item for item in open_world(project).objects(CHANNEL) if item.properties["type"] == "pagerduty"
    )
    assert pager.properties["sensitiveLabels"] == {"serviceKey": "stand-in-for-pager-2"}


def changed(project: EngineSandbox) -> dict[str, str]:
    steps = project.preview("dev").require_success().steps
    return {urn.rsplit("::", 1)[-1]: operation for urn, operation in steps.items()}


def test_a_mute_begins_is_ended_early_and_stays_in_the_cloud(project: EngineSandbox) -> None:
    start = hours(-1)
    configure(
        project, alerting(mutes={"move": {"alerts": ["ServingOutage"], "start": start, "end": hours(5)}})
    )
    project.up("dev").require_success()
    assert set(project.up("dev", "--expect-no-changes").require_success().changes) == {"same"}
    configure(
        project, alerting(mutes={"move": {"alerts": ["ServingOutage"], "start": start, "end": hours(1)}})
    )
    assert changed(project) == {"dev-move-0": "update"}
    project.up("dev").require_success()
    configure(project, alerting())
    assert changed(project) == {"dev-move-0": "delete"}
    project.up("dev").require_success()
    assert [item.status for item in open_world(project).objects(SNOOZE)] == [LEFT_OVER]
    project.destroy("dev").require_success()
