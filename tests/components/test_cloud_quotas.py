"""Q2: each request is registered once, in its place, and never so that something could be lowered or lost."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from headroom.planning.grants import Grant, Grants, Preference
from headroom.planning.plan import Plan, plan_config
from tests.mocks import Registered

NOW = datetime(2026, 11, 21, tzinfo=UTC)
COMPUTE = "compute.googleapis.com"
TYPE = "gcp:cloudquota/sQuotaPreference:SQuotaPreference"
N2 = "N2-CPUS-per-project-region"
ALL = "CPUS-ALL-REGIONS-per-project"
NAMES = ("test-quota-cpus-all-regions", "test-quota-n2-cpus-us-central1")
Run = Callable[[Plan], list[Registered]]


@pytest.fixture
def build(config: dict[str, Any], run_program: Run) -> Callable[..., list[Registered]]:
    """Run the program where two quotas are short, with what was asked for before; requests only."""

    def run(*before: Preference, **requests: str) -> list[Registered]:
        wanted = {"contact": "ada@acme.example"} | requests
        config["headroom:quota"] = {"requests": wanted, "grants": "awaited"}
        bare = plan_config(config, "test", "f")
        short = {N2: 8, ALL: 8}
        known = tuple(
            Grant(COMPUTE, line.quota_id, line.region, line.dimensions, short.get(line.quota_id, -1))
            for line in (draw.quota for draw in bare.quota)
        )
        planned = plan_config(config, "test", "f", Grants("acme-ml-test", NOW, known, before))
        return [each for each in run_program(planned) if each.type == TYPE]

    return run


def asked(preferred: int) -> Preference:
    return Preference("console-7f3a", COMPUTE, N2, "us-central1", (), preferred, 8, reconciling=True)


def test_region_and_dimensions_stand_where_google_wants_them(build: Callable[..., list[Registered]]) -> None:
    whole, region = build(justification="more models")
    assert (whole.name, region.name) == NAMES
    assert "dimensions" not in whole.inputs or whole.inputs["dimensions"] == {}
    assert region.inputs == {
        "parent": "projects/acme-ml-test",
        "name": NAMES[1],
        "service": COMPUTE,
        "quotaId": N2,
        "dimensions": {"region": "us-central1"},
        "contactEmail": "ada@acme.example",
        "justification": "more models",
        "quotaConfig": {"preferredValue": region.inputs["quotaConfig"]["preferredValue"]},
    }
    assert int(region.inputs["quotaConfig"]["preferredValue"]) > 8


def test_a_request_waits_for_its_api_and_is_where_an_import_puts_it(
    build: Callable[..., list[Registered]],
) -> None:
    for request in build():
        assert request.options["depends_on"] == ["test-cloudquotas"]
        assert request.options["on_error"] == ["retry-what-is-late"]
        assert not {"parent", "ignore", "import"} & set(request.options)


@pytest.mark.parametrize(("before", "settled"), [(9, False), (1_000_000, True)])
def test_only_what_is_to_stay_as_it_is_is_adopted_without_more_ado(
    build: Callable[..., list[Registered]], before: int, settled: bool
) -> None:
    """A raise must reach Google with all that it needs; what is left alone must never be a change."""
    (request,) = (each for each in build(asked(before)) if each.name == NAMES[1])
    assert request.inputs["name"] == "console-7f3a"
    identity = "projects/acme-ml-test/locations/global/quotaPreferences/console-7f3a"
    assert request.options.get("import") == (identity if settled else None)
    kept = {"contactEmail", "ignoreSafetyChecks", "justification", "quotaConfig"}
    assert set(request.options.get("ignore", ())) == (kept if settled else set())
    assert (request.inputs["quotaConfig"]["preferredValue"] == str(before)) is settled


def test_safety_checks_are_never_ignored(
    build: Callable[..., list[Registered]],
) -> None:
    for request in build(asked(9)):
        assert "ignoreSafetyChecks" not in request.inputs
        assert set(request.inputs["quotaConfig"]) == {"preferredValue"}


def test_another_contact_changes_the_request(build: Callable[..., list[Registered]]) -> None:
    before, after = build(), build(contact="grace@acme.example")
    assert [each.inputs["contactEmail"] for each in after] == ["grace@acme.example"] * len(before)


def test_a_stack_that_asks_for_nothing_registers_nothing_about_quota(
    config: dict[str, Any], run_program: Run
) -> None:
    names = {each.name for each in run_program(plan_config(config, "test", "f"))}
    assert not {"test-cloudquotas", "test-cloud-quotas", *NAMES} & names
