"""What is asked of Google: never less than there is, never for what is not known, one request for each quota."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.catalog.quotas import QuotaLine
from headroom.catalog.zones import regions
from headroom.planning.cloud_quotas import (
    CloudQuotasPlan,
    check_contact,
    judge_request,
    list_imports,
    name_request,
    place_request,
    plan_cloud_quotas,
    render_import,
)
from headroom.planning.grants import UNLIMITED, Grant, Grants, Preference
from headroom.planning.plan import plan_config
from headroom.planning.quota import QuotaDraw
from headroom.spec.quota import Requests
from headroom.spec.stack_file import parse_config
from sandbox.google.quotas import known_quotas

COMPUTE = "compute.googleapis.com"
REGION = "us-central1"
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
L4 = QuotaLine("NVIDIA-L4-GPUS-per-project-region", REGION)
H100 = QuotaLine(
    "GPUS-PER-GPU-FAMILY-per-project-region", REGION, (("gpu_family", "NVIDIA_H100"),), verified=False
)
ALL_GPUS = QuotaLine("GPUS-ALL-REGIONS-per-project", None)
ADA = Requests(contact="ada@acme.example", justification="tests")


def grant(line: QuotaLine, value: int) -> Grant:
    return Grant(COMPUTE, line.quota_id, line.region, line.dimensions, value)


def asked(
    line: QuotaLine, preferred: int, granted: int | None = 0, name: str = "by-hand", reconciling: bool = False
) -> Preference:
    return Preference(
        name, COMPUTE, line.quota_id, line.region, line.dimensions, preferred, granted, reconciling
    )


def plan(
    drawn: dict[QuotaLine, int], *known: Grant, preferences: tuple[Preference, ...] | None = ()
) -> CloudQuotasPlan:
    draws = [QuotaDraw(line, "", amount) for line, amount in drawn.items()]
    found = plan_cloud_quotas(ADA, "dev", draws, Grants("acme-ml-test", NOW, known, preferences))
    assert found
    return found


def amounts(found: CloudQuotasPlan) -> dict[QuotaLine, tuple[int, str]]:
    return {request.quota: (request.preferred, request.state) for request in found.requests}


def test_what_the_pools_draw_beyond_the_grant_is_asked_for() -> None:
    """Q2: exactly what is drawn, for exactly what is short."""
    found = plan({L4: 9, ALL_GPUS: 8}, grant(L4, 8), grant(ALL_GPUS, 8))
    assert amounts(found) == {L4: (9, "to be asked")}
    assert (found.contact, found.justification, found.unknown) == ("ada@acme.example", "tests", ())


def test_a_stack_that_asks_for_nothing_has_no_requests() -> None:
    grants = Grants("acme-ml-test", NOW, (grant(L4, 0),), ())
    assert plan_cloud_quotas(None, "dev", [QuotaDraw(L4, "", 9)], grants) is None


def test_nothing_is_asked_where_the_grant_is_not_known_or_without_a_limit() -> None:
    found = plan({L4: 9, H100: 8}, grant(H100, UNLIMITED))
    assert amounts(found) == {}
    assert found.unknown == (L4,)


@pytest.mark.parametrize("known", [True, False], ids=["requests unknown", "no grants at all"])
def test_nothing_is_asked_where_it_is_not_known_what_was_asked_before(known: bool) -> None:
    grants = Grants("acme-ml-test", NOW, (grant(L4, 8),), None) if known else None
    found = plan_cloud_quotas(ADA, "dev", [QuotaDraw(L4, "", 9)], grants)
    assert found
    assert (found.requests, found.preferences_known) == ((), False)
    assert found.unknown == (() if known else (L4,))


@pytest.mark.parametrize(
    ("drawn", "held", "before", "preferred", "settled"),
    [
        (16, 8, 12, 16, False),
        (16, 8, 16, 16, True),
        (16, 8, 24, 24, True),
        (16, 8, UNLIMITED, UNLIMITED, True),
        (8, 8, 4, 4, True),
        (8, UNLIMITED, 4, 4, True),
        (8, None, 4, 4, True),
    ],
    ids=[
        "both are too little",
        "asked for already",
        "more was asked for",
        "no limit was asked for",
        "the grant suffices without it",
        "there is no limit",
        "the grant is not known",
    ],
)
def test_a_request_that_exists_is_raised_only_if_it_and_the_grant_are_too_small(
    drawn: int, held: int | None, before: int, preferred: int, settled: bool
) -> None:
    known = () if held is None else (grant(H100, held),)
    (request,) = plan({H100: drawn}, *known, preferences=(asked(H100, before),)).requests
    assert (request.preferred, request.settled, request.exists) == (preferred, settled, True)
    assert (request.name, request.key) == ("by-hand", "dev-quota-gpus-per-gpu-family-us-central1-nvidia-h100")


def test_a_request_of_ours_stays_when_nothing_draws_it_and_that_of_others_is_left_to_them() -> None:
    """A pool that comes back finds its request in the program: an update, no collision."""
    ours = asked(L4, 16, 16, name=name_request("dev", L4))
    found = plan({}, preferences=(ours, asked(ALL_GPUS, 8, 8)))
    assert amounts(found) == {L4: (16, "granted")}
    assert [request.drawn for request in found.requests] == [0]


@pytest.mark.parametrize(
    ("preferred", "granted", "reconciling", "state"),
    [
        (16, 8, True, "pending"),
        (16, None, True, "pending"),
        (16, 8, False, "partly granted"),
        (16, 0, False, "partly granted"),
        (16, 15, False, "partly granted"),
        (16, 16, False, "granted"),
        (16, 17, True, "granted"),
        (16, UNLIMITED, False, "granted"),
        (UNLIMITED, 16, False, "partly granted"),
        (UNLIMITED, UNLIMITED, False, "granted"),
        (16, None, False, "unknown"),
    ],
)
def test_pending_partly_granted_granted_and_unknown_are_told_apart(
    preferred: int, granted: int | None, reconciling: bool, state: str
) -> None:
    """Q2."""
    assert judge_request(preferred, granted, reconciling=reconciling) == state


def test_the_region_is_a_dimension_and_a_quota_of_the_project_has_none() -> None:
    assert place_request(H100) == {"region": REGION, "gpu_family": "NVIDIA_H100"}
    assert place_request(L4) == {"region": REGION}
    assert place_request(ALL_GPUS) == {}


def test_every_known_quota_has_a_name_of_its_own_in_every_region() -> None:
    """At most 63 characters, even for the longest environment; the same each time."""
    names: dict[str, tuple[object, ...]] = {}
    for environment in ("dev", "abcdefghijklmnopqrst"):
        for (quota_id, keys), region in itertools.product(known_quotas().items(), regions()):
            for value in ("NVIDIA_H100", "NVIDIA_H100_MEGA") if len(keys) > 1 else ("",):
                dimensions = tuple((key, value) for key in keys[1:])
                line = QuotaLine(quota_id, region if keys else None, dimensions)
                name = name_request(environment, line)
                assert names.setdefault(name, (environment, line)) == (environment, line)
                assert len(name) <= 63
                assert name == name.strip("-").lower()
                assert name.startswith(f"{environment}-quota-")
    assert name_request("dev", L4) == "dev-quota-nvidia-l4-gpus-us-central1"


def test_the_command_names_type_program_name_and_id_with_the_project_by_name() -> None:
    found = plan({L4: 16}, grant(L4, 8), preferences=(asked(L4, 8, name="console-7f3a"),))
    assert list_imports(found, "dev", "acme-ml-dev") == [
        "USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT=acme-ml-dev "
        "pulumi import gcp:cloudquota/sQuotaPreference:SQuotaPreference dev-quota-nvidia-l4-gpus-us-central1 "
        "projects/acme-ml-dev/locations/global/quotaPreferences/console-7f3a "
        "--stack dev --protect=false --generate-code=false"
    ]
    settled = plan({L4: 16}, grant(L4, 8), preferences=(asked(L4, 16, name="console-7f3a"),))
    assert list_imports(settled, "dev", "acme-ml-dev") == [], "what stays as it is needs no command"
    assert "'projects/p/locations/global/quotaPreferences/a;b'" in render_import("dev", "p", "k", "a;b")


lines = st.sampled_from([L4, H100, ALL_GPUS])
values = st.integers(-1, 100)


@given(
    st.dictionaries(lines, st.integers(0, 100)),
    st.dictionaries(lines, values),
    st.dictionaries(lines, st.tuples(values, values | st.none(), st.booleans())),
)
def test_no_request_is_below_what_is_granted_or_was_asked_for(
    drawn: dict[QuotaLine, int],
    known: dict[QuotaLine, int],
    before: dict[QuotaLine, tuple[int, int | None, bool]],
) -> None:
    """Q2: a settled request is not sent; any other exceeds all that there was, and covers the draw."""
    preferences = tuple(
        asked(line, preferred, granted, reconciling=pending)
        for line, (preferred, granted, pending) in before.items()
    )
    found = plan(drawn, *(grant(line, value) for line, value in known.items()), preferences=preferences)
    made = {request.quota: request for request in found.requests}
    assert len({request.key for request in found.requests}) == len(found.requests)
    for line, request in made.items():
        if request.settled:
            assert request.preferred == before[line][0]
        else:
            assert 0 <= known[line] < request.preferred == drawn[line]
            assert line not in before or 0 <= before[line][0] < request.preferred
    for line, amount in drawn.items():
        short = line in known and 0 <= known[line] < amount
        assert not short or line in made


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"owner": "group:Ada@acme.example"}, "the owner of s"),
        ({"experimenter": "group:ada@acme.example"}, "an owner of experiments"),
    ],
)
def test_a_contact_that_the_file_calls_a_group_is_refused(
    config: dict[str, Any], changes: dict[str, str], where: str
) -> None:
    limits = {"cpu": {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}}
    owner = changes.get("owner", "user:ada@acme.example")
    config["headroom:pipelines"] = {"s": {"kind": "data", "model": "m", "owner": owner, "limits": limits}}
    experimenter = changes.get("experimenter", "user:ada@acme.example")
    config["headroom:quota"] = {
        "requests": {"contact": "ada@acme.example"},
        "experiments": {"owners": [experimenter]},
    }
    (problem,) = check_contact(parse_config(config, "f"))
    assert problem.path == "headroom:quota.requests.contact"
    assert f"is a group's address ({where}); name a person" in problem.message
    del config["headroom:quota"]["requests"]
    assert check_contact(parse_config(config, "f")) == []


def test_a_plan_asks_for_its_peak_and_needs_the_api_and_the_role(config: dict[str, Any]) -> None:
    """Q2: upgrades and disks included; a pool on a reservation draws nothing, so nothing is asked for it."""
    config["headroom:quota"] = {"requests": {"contact": "ada@acme.example"}}
    config["headroom:pools"]["h100"] = {
        "machine": "a3-highgpu-8g",
        "zones": ["us-central1-a"],
        "nodes": {"max": 1},
        "capacity": {"kind": "reservation", "names": ["r"]},
    }
    bare = plan_config(config, "test", "f")
    known = tuple(grant(draw.quota, 0) for draw in bare.quota)
    planned = plan_config(config, "test", "f", Grants("acme-ml-test", NOW, known, ()))
    assert planned.quota_requests
    assert amounts(planned.quota_requests) == {
        QuotaLine(draw.quota.quota_id, draw.quota.region, draw.quota.dimensions, draw.quota.verified): (
            draw.amount,
            "to be asked",
        )
        for draw in planned.quota
    }
    assert not any("GPU" in request.quota.quota_id for request in planned.quota_requests.requests)
    assert "cloudquotas" in planned.services
    del config["headroom:quota"]["requests"]
    assert "cloudquotas" not in plan_config(config, "test", "f").services
