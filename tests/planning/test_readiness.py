"""From answers to checks; the whole of it is tried against the imitation in tests/live."""

import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest

from headroom.planning.cloud_quotas import render_import
from headroom.planning.grants import Preference, Standing
from headroom.planning.org_policies import PolicyRule, constraints
from headroom.planning.plan import Plan
from headroom.planning.preflight import Check, Needs, Reservation, ReservationNeed, derive_needs
from headroom.planning.readiness import (
    check_apis,
    check_bucket,
    check_group,
    check_machine,
    check_policy,
    check_quotas,
    check_requests,
    check_reservations,
    check_roles,
    check_zones,
)


@pytest.fixture
def needs(plan_whole: Callable[[], Plan]) -> Needs:
    return derive_needs(plan_whole())


def every_missing(needs: Needs) -> list[Check]:
    """Everything that can be missing, at once."""
    standings = [Standing(draw, 0) for draw in needs.draws]
    forbidding = [PolicyRule(enforced=True, deny_all=True)]
    need = ReservationNeed("one", "p", ("us-central1-a",), "a3-highgpu-8g", "h100", 2)
    return [
        *check_apis(needs, ()),
        *check_roles(needs, (), "user:ada@acme.co"),
        *(check_policy(needs, item, forbidding, ()) for item in constraints()),
        *check_zones(needs, ()),
        *(check_machine(needs, item, has_machine=False, has_gpu=False) for item in needs.machines),
        *check_reservations([need], [[]]),
        *check_quotas(needs, standings),
        check_group("ml@acme.co", exists=False),
        *check_bucket(needs, "state", None, "user:ada@acme.co"),
    ]


def test_all_that_is_missing_comes_with_a_command(needs: Needs) -> None:
    for check in every_missing(needs):
        assert check.state == "missing"
        words = shlex.split(check.remedy)
        assert words[0] in ("gcloud", "echo", "pulumi"), check


def test_commands_name_the_project_that_they_are_for(needs: Needs) -> None:
    for check in every_missing(needs):
        if check.remedy.startswith("gcloud") and check.area not in ("groups", "reservations"):
            assert needs.project in check.remedy, check


def test_one_command_enables_every_api_that_is_missing_the_first_ones_first(needs: Needs) -> None:
    checks = check_apis(needs, {"compute.googleapis.com"})
    remedies = {check.remedy for check in checks if check.state == "missing"}
    assert len(remedies) == 1
    words = remedies.pop().split()
    assert words[:5] == [
        "gcloud", "services", "enable", "serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com",
    ]  # fmt: skip
    assert "compute.googleapis.com" not in words


def test_a_policy_that_cannot_be_told_is_unknown_and_shown_how_to_read(needs: Needs) -> None:
    locations = next(item for item in constraints() if item.kind == "locations")
    check = check_policy(needs, locations, [PolicyRule(allowed=("in:low-carbon-locations",))], ())
    assert check.state == "unknown"
    assert check.remedy.startswith("gcloud org-policies describe gcp.resourceLocations")


def test_nodes_of_all_reservations_of_a_pool_count_together() -> None:
    needs = [ReservationNeed(name, "p", ("z",), "a3-highgpu-8g", "h100", 4) for name in ("one", "two")]
    held = [Reservation("a3-highgpu-8g", 3, ready=True)], [Reservation("a3-highgpu-8g", 1, ready=True)]
    assert [check.state for check in check_reservations(needs, held)] == ["ok", "ok"]
    needs = [ReservationNeed(name, "p", ("z",), "a3-highgpu-8g", "h100", 5) for name in ("one", "two")]
    assert [check.state for check in check_reservations(needs, held)] == ["missing", "missing"]


def short(needs: Needs, quota_id: str) -> Standing:
    return next(Standing(draw, 8) for draw in needs.draws if draw.quota.quota_id == quota_id)


def made(standing: Standing, preferred: int, name: str = "console-7f3a", granted: int = 8) -> Preference:
    line = standing.draw.quota
    return Preference(
        name,
        line.service,
        line.quota_id,
        line.region,
        line.dimensions,
        preferred,
        granted,
        reconciling=granted < preferred,
    )


@pytest.mark.parametrize(
    ("asks", "preferred", "command"),
    [
        (False, None, "gcloud beta quotas preferences create --project=acme-ml-test"),
        (False, 9, "gcloud beta quotas preferences update console-7f3a --project=acme-ml-test"),
        (False, 10_000, "gcloud beta quotas preferences describe console-7f3a --project=acme-ml-test"),
        (True, None, "headroom quota pull -s test && pulumi up -s test"),
        (True, 9, "headroom quota pull -s test && pulumi up -s test"),
        (True, -1, "gcloud beta quotas preferences describe console-7f3a --project=acme-ml-test"),
    ],
)
def test_a_short_quota_is_asked_for_raised_or_waited_for(
    needs: Needs, asks: bool, preferred: int | None, command: str
) -> None:
    """Google takes one request for each quota, so that what exists is never asked for a second time."""
    standing = short(needs, "N2-CPUS-per-project-region")
    asked = [] if preferred is None else [made(standing, preferred)]
    (check,) = check_quotas(replace(needs, asks_quota=asks), [standing], asked)
    assert check.state == "missing"
    assert check.remedy.startswith(command)
    assert ("asked for as console-7f3a, p" in check.detail) == bool(asked)


def test_a_request_of_somebody_else_that_is_to_be_raised_comes_with_its_import(needs: Needs) -> None:
    """Q2."""
    standing = short(needs, "N2-CPUS-per-project-region")
    asking = replace(needs, asks_quota=True)
    (check,) = check_requests(asking, [standing], [made(standing, 9)])
    assert (check.area, check.state) == ("quota requests", "unknown")
    command = render_import("test", "acme-ml-test", "test-quota-n2-cpus-us-central1", "console-7f3a")
    assert check.remedy == f"headroom quota pull -s test && {command}"
    assert check_requests(needs, [standing], [made(standing, 9)]) == []


def test_a_request_that_is_ours_or_stays_as_it_is_needs_nothing(needs: Needs) -> None:
    standing = short(needs, "N2-CPUS-per-project-region")
    asking = replace(needs, asks_quota=True)
    ours = made(standing, 9, name="test-quota-n2-cpus-us-central1")
    assert check_requests(asking, [standing], [ours]) == []
    for found in (standing, replace(standing, granted=10_000)):
        (check,) = check_requests(asking, [found], [made(standing, standing.draw.amount)])
        assert (check.state, check.remedy) == ("ok", "")
        assert check.detail.endswith("pending, by somebody else; the stack adopts it as it is")
    assert check_requests(asking, [standing], [made(short(needs, "INSTANCES-per-project-region"), 9)]) == []
