"""D4: staging beside production: a queue that is counted, logs of the owner, and nobody paged."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.alerts.rules import load_rules
from headroom.planning.plan import Plan

Planner = Callable[[], Plan]


@pytest.fixture
def plan(delivered: dict[str, Any], plan_whole: Planner) -> Plan:
    delivered["delivery"]["staging"] = {"replicas": 2}
    return plan_whole()


def test_the_copy_has_a_queue_of_its_own_that_the_shares_count(
    plan: Plan, config: dict[str, Any], plan_whole: Planner
) -> None:
    """D4, Q2."""
    (queue,) = (each for each in plan.tenancy.queues.queues if each.name == "s-staging")
    quotas = {quota.resource: (quota.nominal, quota.borrowing) for quota in queue.flavors[0].quotas}
    assert quotas["cpu"] == ("2", "1")
    assert quotas["memory"] == ("4Gi", "2Gi")
    guaranteed = {share.resource: share.guaranteed for share in plan.shares}
    config["headroom:pipelines"]["s"].pop("delivery")
    before = {share.resource: share.guaranteed for share in plan_whole().shares}
    assert guaranteed["cpu"] - before["cpu"] == 2_000
    assert guaranteed["memory"] - before["memory"] == 4 * 2**30


def test_both_namespaces_say_what_they_are(plan: Plan) -> None:
    stages = {namespace.name: namespace.stage for namespace in plan.tenancy.namespaces}
    assert stages == {"experiments": None, "s": "production", "s-staging": "staging"}
    labels = {namespace.name: dict(namespace.labels) for namespace in plan.tenancy.namespaces}
    assert labels["s-staging"]["headroom/delivery"] == "staging"
    assert "headroom/delivery" not in labels["experiments"]


def test_the_copys_logs_are_its_owners(plan: Plan) -> None:
    """M17."""
    assert any({"s", "s-staging"} <= set(bucket.namespaces) for bucket in plan.logging.buckets)


def test_series_of_the_copy_are_its_pipelines_of_another_environment(plan: Plan) -> None:
    for rules in (plan.collection.pipelines, plan.collection.kueue):
        pipeline, environment = rules[-2:]
        assert (pipeline.regex, pipeline.target, pipeline.replacement) == ("(s)-staging", "pipeline", "$1")
        assert (environment.regex, environment.target) == ("(s)-staging", "environment")
        assert environment.replacement == "test-staging"
    assert plan.collection.names == ("s",)


def test_nobody_is_told_of_what_fires_in_staging(
    plan: Plan, config: dict[str, Any], plan_whole: Planner
) -> None:
    """D4: every alert on pipelines keeps to the environment; those that judge canaries need not."""
    gates = {rule.name for rule in load_rules() if rule.gates_canary}
    here = 'and on (environment) label_replace(vector(1), "environment", "test", "", "")'
    narrowed = {}
    for routed in plan.alerting.policies:
        for condition in routed.policy.conditions:
            query = getattr(condition, "query", "")
            if query and not condition.labels:
                narrowed[routed.alert] = here in query
    assert {alert for alert, is_narrowed in narrowed.items() if not is_narrowed} == gates
    assert len(narrowed) > 25
    config["headroom:pipelines"]["s"].pop("delivery")
    assert not any(here in str(routed.policy.conditions) for routed in plan_whole().alerting.policies)


def test_without_deliveries_there_is_neither_copy_nor_load_balancer(
    delivered: dict[str, Any], plan_whole: Planner
) -> None:
    assert plan_whole().network.proxies == "10.56.0.0/23"
    del delivered["delivery"]
    plan = plan_whole()
    assert (plan.delivery, plan.network.proxies) == (None, None)
    assert [pipeline.name for pipeline in plan.pipelines] == ["s"]
    assert "delivery" not in plan.traits


def test_the_proxies_range_counts_only_where_there_are_some(
    config: dict[str, Any], delivered: dict[str, Any], plan_whole: Planner, refused: Callable[[], list[str]]
) -> None:
    config["headroom:network"] = {"proxies": "10.0.0.0/27"}
    assert refused() == [
        "headroom:network.proxies: must be a /26 or wider for load balancers",
        "headroom:network.proxies: overlaps nodes, 10.0.0.0/20; choose ranges apart",
    ]
    del delivered["delivery"]
    assert plan_whole()


def test_a_canarys_incident_does_not_outlive_it_for_long(plan: Plan) -> None:
    """D8: it would fail the next canary of the pipeline."""
    for routed in plan.alerting.policies:
        if routed.policy.gates_canary:
            assert routed.policy.auto_close_seconds == 1_800
