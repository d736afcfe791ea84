"""What `headroom plan` says of deliveries, to people and to jobs."""

import json
from pathlib import Path

import pytest

from headroom.planning.plan import Plan, plan_config
from headroom.report.delivery_table import describe_delivery, print_deliveries
from headroom.report.tables import make_console
from headroom.spec.stack_file import load_config


@pytest.fixture(scope="module")
def plan() -> Plan:
    root = Path(__file__).resolve().parents[2]
    return plan_config(load_config(root / "Pulumi.prod.yaml"), "prod", "f")


def test_every_delivered_model_is_shown_with_phases_people_and_risk(
    plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    """D3."""
    print_deliveries(make_console(), plan.delivery)
    shown = capsys.readouterr().out
    assert plan.delivery is not None
    for rollout in plan.delivery.rollouts:
        assert rollout.pipeline in shown
        for phase in rollout.phases:
            assert f"{phase.percent} %" in shown
            assert f"{phase.requests_at_risk:,.0f}" in shown
    assert "a person approves" in shown
    assert "increased by risk-approvers@acme.example" in shown
    assert "a good release is watched for 4h" in shown
    assert "frozen Sat, Sun 00:00 to 24:00 Europe/Amsterdam (weekend)" in shown


def test_nothing_is_shown_where_nothing_is_delivered(capsys: pytest.CaptureFixture[str]) -> None:
    print_deliveries(make_console(), None)
    assert capsys.readouterr().out == ""
    assert describe_delivery(None) is None


def test_jobs_get_all_of_it_as_json(plan: Plan) -> None:
    described = json.loads(json.dumps(describe_delivery(plan.delivery)))
    rollout = next(each for each in described["rollouts"] if each["pipeline"] == "feed-serving")
    assert rollout["watch_seconds"] == sum(phase["watch_seconds"] for phase in rollout["phases"])
    assert rollout["approvals"]["begin"] == ["group:ml-approvers@acme.example"]
    assert {freeze["name"] for freeze in described["freezes"]} == {"weekend", "year-end"}
