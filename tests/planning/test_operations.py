"""What the platform runs for itself is planned from a row of data and a line of the stack file."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headroom.alerts.rules import load_rules
from headroom.audit.history import find_time
from headroom.catalog.facts import load_facts
from headroom.planning import operations
from headroom.planning.grants import Grants
from headroom.planning.operations import OperationsPlan
from headroom.planning.plan import Plan, plan_config
from headroom.report.plan_json import describe_plan
from headroom.spec.errors import StackFileError
from headroom.spec.operations import Operations
from headroom.spec.stack_file import load_config

IMAGE = "us-central1-docker.pkg.dev/acme-ml/tools/headroom@sha256:" + "a1" * 32
ROWS = [row for group in load_facts("operations") for row in group["jobs"]]
WRITING = ("create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate", "*")


@pytest.fixture
def planned(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> OperationsPlan:
    config["headroom:operations"] = {"image": IMAGE, "audit": {"schedule": "0 6 * * 1-5", "keep_days": 90}}
    plan = plan_whole()
    assert plan.operations is not None
    return plan.operations


def test_without_the_section_there_is_nothing(plan_whole: Callable[[], Plan]) -> None:
    plan = plan_whole()
    assert plan.operations is None
    assert "storage" not in plan.services


def test_the_audit_is_the_command_that_a_person_would_give(planned: OperationsPlan) -> None:
    """Q8: at any time, by a job."""
    (job,) = planned.jobs
    assert job.schedule == "0 6 * * 1-5"
    assert job.arguments[:4] == ("audit", "--stack", "test", "--cloud")
    assert job.arguments[job.arguments.index("--archive") + 1] == "gs://$(REPORTS)"
    assert job.archives
    assert planned.reports is not None
    assert planned.reports.keep_days == 90


def test_every_option_of_a_job_is_one_of_the_command() -> None:
    import typer

    from headroom.cli.main import app

    for row in ROWS:
        command, arguments = typer.main.get_command(app), row["arguments"].split()
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        known = {option for each in command.params for option in each.opts}
        assert {each for each in arguments if each.startswith("--")} <= known


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_job_has_time_to_end_and_what_it_found_is_no_reason_to_try_again(row: dict[str, Any]) -> None:
    arguments = row["arguments"].split()
    if "--time-limit" in arguments:
        assert int(arguments[arguments.index("--time-limit") + 1]) <= row["deadline_seconds"] / 2
    assert 0 not in row["retried"]
    assert 1 not in row["retried"]


def test_an_audit_is_compared_with_the_day_before_and_not_with_its_own_first_try() -> None:
    """A try that was not whole is kept too; what it could not ask would seem gone, and then new."""
    now = datetime(2026, 11, 20, 6, tzinfo=UTC)
    for row in (row for row in ROWS if row["archives"]):
        arguments = row["arguments"].split()
        since = arguments[arguments.index("--since") + 1]
        first_try = now - timedelta(seconds=row["deadline_seconds"])
        assert find_time([first_try], since, now) is None
        assert find_time([now - timedelta(days=1), first_try], since, now) == now - timedelta(days=1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_is_of_a_section_that_can_be_asked_for(row: dict[str, Any]) -> None:
    assert row["name"] in Operations.model_fields


def test_the_audit_may_only_look() -> None:
    (row,) = (row for row in ROWS if row["name"] == "audit")
    assert all(verb not in WRITING for rule in row["rules"] for verb in rule["verbs"])
    assert all("secrets" not in rule["resources"] for rule in row["rules"])
    assert all(role.lower().endswith(("viewer", "consumer")) for role in row["roles"])


def test_the_audit_has_the_roles_that_the_page_about_audits_names(root: Path) -> None:
    text = (root / "docs" / "audit.md").read_text()
    (row,) = (row for row in ROWS if row["name"] == "audit")
    assert [role for role in row["roles"] if f"`roles/{role}`" not in text] == []


def test_jobs_read_the_project_as_it_was_deployed(tmp_path: Path, root: Path) -> None:
    """Else an audit would tell of every change since the image was built."""
    config = load_config(root / "Pulumi.prod.yaml") | {"headroom:operations": {"image": IMAGE, "audit": {}}}
    plan = plan_config(config, "prod", "f")
    assert plan.operations is not None
    for path, text in plan.operations.files:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    again = plan_config(load_config(tmp_path / "Pulumi.prod.yaml"), "prod", "f")
    assert describe_plan(again) == describe_plan(plan)


def test_what_is_granted_is_among_what_jobs_read(config: dict[str, Any]) -> None:
    config["headroom:operations"] = {"image": IMAGE, "audit": {}}
    grants = Grants("acme-ml-test", datetime(2026, 11, 20, tzinfo=UTC), ())
    for known, expected in ((grants, True), (None, False)):
        plan = plan_config(config, "test", "f", known)
        assert plan.operations is not None
        assert ("quotas/test.json" in dict(plan.operations.files)) == expected


def test_a_job_fits_twice_into_what_all_of_them_may_take(planned: OperationsPlan) -> None:
    """Q3: what the platform runs for itself is bounded too, and in nobody's quota."""
    assert dict(planned.quota) == {
        "count/cronjobs.batch": "1",
        "count/jobs.batch": "8",
        "limits.memory": "2Gi",
        "persistentvolumeclaims": "0",
        "pods": "2",
        "requests.cpu": "500m",
        "requests.memory": "2Gi",
        "services": "0",
    }


def test_its_apis_are_enabled_and_its_roles_asked_for(
    config: dict[str, Any], planned: OperationsPlan, plan_whole: Callable[[], Plan]
) -> None:
    from headroom.planning.preflight import all_roles

    plan = plan_whole()
    assert {"storage", "cloudquotas"} <= set(plan.services)
    assert [need.role for need, when in all_roles() if when == "operations"] == ["roles/storage.admin"]
    assert "operations" in plan.traits


def test_a_stack_file_that_no_object_of_the_cluster_holds_is_refused(
    config: dict[str, Any], refused: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config["headroom:operations"] = {"image": IMAGE, "audit": {}}
    monkeypatch.setattr(operations, "_CONFIG_MAP_BYTES", 300)
    (problem,) = refused()
    assert problem.startswith("headroom:operations: its jobs read the stack file from the cluster")


def test_the_cluster_admits_the_image_where_models_are_delivered(
    config: dict[str, Any], delivered: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    config["headroom:operations"] = {"image": IMAGE, "audit": {}}
    plan = plan_whole()
    assert plan.delivery is not None
    assert "us-central1-docker.pkg.dev/acme-ml/tools/headroom*" in plan.delivery.images.admitted


def test_where_production_asks_for_approvals_somebody_must_give_them_to_rollbacks(root: Path) -> None:
    """D8: a rollback that waits for a person is told of, until the cluster sees to it."""
    config = load_config(root / "Pulumi.prod.yaml")
    key = "headroom:operations.rollbacks"
    (note,) = (str(each) for each in plan_config(config, "prod", "f").notes if each.path == key)
    assert "fraud-serving" in note
    config["headroom:operations"] = {"image": IMAGE, "rollbacks": {}}
    plan = plan_config(config, "prod", "f")
    assert [each for each in plan.notes if each.path == key] == []
    assert plan.operations is not None
    (job,) = plan.operations.jobs
    assert (job.schedule, job.arguments) == (
        "* * * * *",
        ("release", "approve-rollbacks", "--stack", "prod", "--record"),
    )
    assert job.returns
    assert plan.operations.reports is None


def test_nobody_can_approve_that_models_come_back_but_where_a_job_does(root: Path) -> None:
    config = load_config(root / "Pulumi.prod.yaml")
    for section, holders in (({}, set()), ({"rollbacks": {}}, {"returner"})):
        asked = {"headroom:operations": {"image": IMAGE, "audit": {}} | section}
        delivery = plan_config(config | asked, "prod", "f").delivery
        assert delivery is not None
        assert {role.whom for role in delivery.roles} & {"returner"} == holders


def test_rollbacks_of_nothing_are_refused(config: dict[str, Any]) -> None:
    asked = {"headroom:operations": {"image": IMAGE, "rollbacks": {}}}
    with pytest.raises(StackFileError) as refusal:
        plan_config(config | asked, "test", "f")
    assert "headroom:operations.rollbacks: has nothing to approve" in str(refusal.value)


def test_an_alert_needs_a_job_that_there_is() -> None:
    """Or it would never be planned."""
    needed = {rule.needs for rule in load_rules()} - {""}
    assert needed
    assert needed <= {row["name"] for row in ROWS} & set(Operations.model_fields)
