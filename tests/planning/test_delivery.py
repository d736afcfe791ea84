"""D4, D7: what delivers models as a whole: freezes, images, roles, the way to the models."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.delivery import RESTRICTED, DeliveryPlan, FreezePlan
from headroom.planning.delivery_accounts import name_account, name_renderer
from headroom.planning.plan import Plan


@pytest.fixture
def plan(
    config: dict[str, Any], delivered: dict[str, Any], plan_whole: Callable[[], Plan]
) -> Callable[..., DeliveryPlan]:
    def make(**common: Any) -> DeliveryPlan:
        config["headroom:delivery"] |= common
        planned = plan_whole().delivery
        assert planned is not None
        return planned

    return make


def freeze(plan: Callable[..., DeliveryPlan], **window: Any) -> FreezePlan:
    (planned,) = plan(freezes={"f": window}).freezes
    return planned


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_freeze_of_hours_holds_by_the_clock_of_its_zone(plan: Callable[..., DeliveryPlan]) -> None:
    fridays = freeze(plan, kind="weekly", days=["fri"], start="14:00", time_zone="Europe/Berlin")
    assert not fridays.holds(at("2026-11-20T12:59"))
    assert fridays.holds(at("2026-11-20T13:00"))
    assert fridays.holds(at("2026-11-20T22:59"))
    assert not fridays.holds(at("2026-11-20T23:00")), "there it is Saturday"
    assert fridays.holds(at("2026-07-03T12:00")), "in summer an hour earlier"


def test_a_freeze_of_days_holds_from_its_start_to_before_its_end(plan: Callable[..., DeliveryPlan]) -> None:
    once = freeze(plan, kind="once", start="2026-12-18T17:00:00Z", end="2027-01-04T07:00:30Z")
    assert not once.holds(at("2026-12-18T16:59:59"))
    assert once.holds(at("2026-12-18T17:00"))
    assert once.holds(at("2027-01-04T07:00:59")), "windows are told in minutes, and the last one counts whole"
    assert not once.holds(at("2027-01-04T07:01"))


def test_no_freeze_forbids_what_ends_a_fault() -> None:
    """D6."""
    assert not {"ROLLBACK", "RETRY_JOB", "CANCEL", "TERMINATE_JOBRUN"} & set(RESTRICTED)


def test_only_who_increases_may_advance_and_only_releasers_create(plan: Callable[..., DeliveryPlan]) -> None:
    """D1, D2."""
    people = {
        role.whom: set(role.permissions) for role in plan().roles if role.whom not in ("runner", "automation")
    }
    for permission, whom in (
        ("clouddeploy.rollouts.advance", {"increaser"}),
        ("clouddeploy.rollouts.create", {"releaser"}),
        ("clouddeploy.releases.create", {"releaser"}),
        ("clouddeploy.rollouts.rollback", {"roller_back"}),
        ("clouddeploy.rollouts.approve", set()),
        ("clouddeploy.deployPolicies.override", {"approver"}),
        ("logging.logEntries.list", {"approver"}),
        ("clouddeploy.rollouts.ignoreJob", set()),
    ):
        assert {who for who, held in people.items() if permission in held} == whom, permission


def test_role_ids_are_of_the_form_that_iam_takes(plan: Callable[..., DeliveryPlan]) -> None:
    assert {role.role_id for role in plan().roles} >= {"test_model_releaser", "test_model_runner"}
    assert all(len(role.title) <= 100 for role in plan().roles)


def test_the_cluster_admits_its_own_registry_kueue_the_carrier_of_metrics_and_what_is_named(
    plan: Callable[..., DeliveryPlan],
) -> None:
    """D7: system images that Google maintains are admitted besides."""
    images = plan(images=["us-docker.pkg.dev/acme-tools/batch/**"]).images
    assert images.prefix == "us-central1-docker.pkg.dev/acme-ml-test/test-models/"
    assert images.validated_prefix == "us-central1-docker.pkg.dev/acme-ml-test/test-validated/"
    assert set(images.admitted) == {
        "us-central1-docker.pkg.dev/acme-ml-test/**",
        "registry.k8s.io/kueue/*",
        "quay.io/prometheus/pushgateway*",
        "us-docker.pkg.dev/acme-ml/tools/validate*",
        "us-docker.pkg.dev/acme-tools/batch/**",
    }


def test_only_accounts_that_validate_copy_and_production_admits_copies_alone(
    plan: Callable[..., DeliveryPlan],
) -> None:
    """D7."""
    planned = plan()
    by_id = {account.id: account for account in planned.accounts}
    namespaces = {by_id[each].namespace for each in planned.images.validators}
    assert namespaces == {rollout.staging.namespace for rollout in planned.rollouts}
    served = dict(planned.images.served)
    assert served["production"] == (planned.images.validated_prefix,)
    assert {planned.images.prefix, planned.images.validated_prefix} < set(served["staging"])


def test_whoever_releases_any_model_may_use_the_account_that_renders(
    plan: Callable[..., DeliveryPlan],
) -> None:
    assert plan().accounts[0].people == ("group:owners@acme.dev",)
    approvals = {"release": ["user:eve@acme.dev"], "begin": ["group:approvers@acme.dev"]}
    assert plan(approvals=approvals).accounts[0].people == ("user:eve@acme.dev",)


def test_every_job_of_a_target_has_one_account(plan: Callable[..., DeliveryPlan]) -> None:
    for target in plan().rollouts[0].targets:
        usages = [usage for account in plan().accounts_of(target.name) for usage in account.usages]
        assert len(usages) == len(set(usages)) == 6


@given(
    st.sets(
        st.from_regex(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?-[a-z]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True),
        min_size=2,
    )
)
def test_accounts_of_targets_have_ids_that_iam_takes_and_none_has_anothers(targets: set[str]) -> None:
    names = {name_account(target) for target in targets}
    assert len(names) == len(targets)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", name) for name in names)
    assert not names & {"test-nodes", "test-advance", name_renderer("test")}


def test_a_rollout_is_found_by_its_pipeline(plan: Callable[..., DeliveryPlan]) -> None:
    found = plan().find_rollout("s")
    assert found is not None
    assert found.pipeline == "s"
    assert plan().find_rollout("t") is None
