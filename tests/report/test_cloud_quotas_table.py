"""Requests in words."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from headroom.catalog.quotas import QuotaLine
from headroom.planning.cloud_quotas import plan_cloud_quotas
from headroom.planning.grants import Grant, Grants, Preference
from headroom.planning.quota import QuotaDraw
from headroom.report.cloud_quotas_table import (
    describe_requests,
    list_request_warnings,
    print_preferences,
    print_requests,
)
from headroom.spec.quota import Requests

COMPUTE = "compute.googleapis.com"
L4 = QuotaLine("NVIDIA-L4-GPUS-per-project-region", "us-central1")
T4 = QuotaLine("NVIDIA-T4-GPUS-per-project-region", "us-central1")
GRANTS = Grants(
    "p",
    datetime(2026, 11, 21, tzinfo=UTC),
    (Grant(COMPUTE, L4.quota_id, L4.region, (), 1_000),),
    (Preference("by [red]hand[/red]", COMPUTE, L4.quota_id, L4.region, (), 4_000, None, reconciling=False),),
)
DRAWS = (QuotaDraw(L4, "", 2_000), QuotaDraw(T4, "", 1))
PLAN = plan_cloud_quotas(Requests(contact="ada@acme.example"), "dev", DRAWS, GRANTS)


def test_amounts_that_nobody_knows_are_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert PLAN
    print_requests(Console(width=200), PLAN.requests)
    print_preferences(Console(width=200), GRANTS.preferences or ())
    text = capsys.readouterr().out
    assert "2,000  1,000  4,000        ?  unknown" in text
    assert "by [red]hand[/red]" in text


def test_nothing_is_printed_where_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_requests(Console(), ())
    print_preferences(Console(), ())
    assert capsys.readouterr().out == ""


def test_jobs_read_what_people_see() -> None:
    found = describe_requests(PLAN)
    assert found
    (request,) = found["requests"]
    assert (request["name"], request["granted"], request["state"]) == ("by [red]hand[/red]", None, "unknown")
    assert found["not_asked"] == [T4.quota_id]
    assert describe_requests(None) is None


def test_what_is_not_asked_for_is_said() -> None:
    assert list_request_warnings(PLAN, "dev") == [
        "no quota is asked for where the grant is not known: NVIDIA-T4-GPUS-per-project-region"
    ]
    assert list_request_warnings(None, "dev") == []
    blind = plan_cloud_quotas(Requests(contact="ada@acme.example"), "dev", DRAWS, None)
    (warning,) = list_request_warnings(blind, "dev")
    assert warning.endswith("so no quota is asked for; run headroom quota pull -s dev")
