"""What a change does to everybody's quota."""

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from headroom.planning.changes import StackChange, compare_plans
from headroom.planning.grants import Grant, Grants
from headroom.planning.plan import Plan, plan_config

LIMITS = {"cpu": {"guarantee": 8, "cap": 16}, "memory": {"guarantee": "16Gi", "cap": "32Gi"}}
GRANTS = Grants(
    "acme-ml-test",
    datetime(2026, 11, 21, tzinfo=UTC),
    (Grant("compute.googleapis.com", "N2-CPUS-per-project-region", "us-central1", (), 80),),
)


def pipeline(**limits: Any) -> dict[str, Any]:
    return {
        "kind": "data",
        "model": "m",
        "owner": "group:a@b.co",
        "limits": {"cpu": copy.deepcopy(limits or LIMITS)},
    }


def plan(config: dict[str, Any], **pipelines: Any) -> Plan:
    return plan_config(config | {"headroom:pipelines": pipelines}, "dev", "Pulumi.dev.yaml")


def changed(change: StackChange) -> set[tuple[str, str]]:
    return {(row.pipeline, row.resource) for row in change.pipelines if row.changed}


def test_a_plan_beside_itself_changes_nothing(config: dict[str, Any]) -> None:
    same = plan(config, feed=pipeline())
    change = compare_plans(same, same, GRANTS)
    assert not change.changed
    assert len(change.pipelines) == 2


def test_a_raised_guarantee_shows_for_its_pipeline_and_takes_from_what_all_share(
    config: dict[str, Any],
) -> None:
    """Job 2: who asks for more is seen, and so is whom it is taken from."""
    more = LIMITS | {"cpu": {"guarantee": 12, "cap": 16}}
    change = compare_plans(
        plan(config, feed=pipeline(), other=pipeline()),
        plan(config, feed=pipeline(**more), other=pipeline()),
        GRANTS,
    )
    assert changed(change) == {("feed", "cpu")}
    (pool,) = [row for row in change.pools if row.changed]
    assert pool.before
    assert pool.after
    assert pool.before.shared - pool.after.shared == 4_000
    assert pool.before.headroom == pool.after.headroom


def test_a_smaller_pool_takes_headroom_and_quota_from_everybody(config: dict[str, Any]) -> None:
    smaller = copy.deepcopy(config)
    smaller["headroom:pools"]["cpu"]["nodes"]["max"] = 3
    change = compare_plans(plan(config, feed=pipeline()), plan(smaller, feed=pipeline()), GRANTS)
    assert changed(change) == set()
    for row in change.pipelines:
        before, after = row.headroom
        assert before
        assert after
        assert before > after
    (quota,) = [row for row in change.quotas if row.quota.quota_id == "N2-CPUS-per-project-region"]
    assert quota.after
    assert quota.before
    assert quota.before - quota.after.draw.amount == 16
    assert quota.after.granted == 80


def test_pipelines_and_pools_that_come_and_go_are_named(config: dict[str, Any]) -> None:
    more = copy.deepcopy(config)
    more["headroom:pools"]["spare"] = {"machine": "e2-standard-8", "nodes": {"max": 2}}
    change = compare_plans(plan(config, old=pipeline()), plan(more, new=pipeline()), GRANTS)
    assert (change.pipelines_added, change.pipelines_removed) == (("new",), ("old",))
    assert (change.pools_added, change.pools_removed) == (("spare",), ())
    assert changed(change) == {("old", "cpu"), ("old", "memory"), ("new", "cpu"), ("new", "memory")}


def test_a_new_stack_is_all_new_and_one_that_cannot_be_read_is_unknown(config: dict[str, Any]) -> None:
    after = plan(config, feed=pipeline())
    new = compare_plans(None, after, GRANTS)
    assert new.is_new
    assert new.pipelines_added == ("feed",)
    assert {row.before for row in new.quotas} == {0}
    unknown = compare_plans(None, after, GRANTS, ["headroom:pools: is no key"])
    assert not unknown.is_new
    assert unknown.changed
    assert unknown.pipelines_added == ()
    assert {row.before for row in unknown.quotas} == {None}


def test_a_quota_that_is_no_longer_drawn_changes(config: dict[str, Any]) -> None:
    other = copy.deepcopy(config)
    other["headroom:pools"]["cpu"]["machine"] = "e2-standard-16"
    change = compare_plans(plan(config), plan(other), None)
    (quota,) = [row for row in change.quotas if row.quota.quota_id == "N2-CPUS-per-project-region"]
    assert quota.after is None
    assert quota.changed


@pytest.mark.parametrize("name", ["guarantee", "cap"])
def test_the_smallest_difference_of_a_limit_is_a_change(config: dict[str, Any], name: str) -> None:
    before = plan(config, feed=pipeline())
    (feed,) = before.pipelines
    limit = replace(feed.limits[0], **{name: getattr(feed.limits[0], name) + 1})
    after = replace(before, pipelines=(replace(feed, limits=(limit, *feed.limits[1:])),))
    assert changed(compare_plans(before, after, None)) == {("feed", limit.resource)}
