"""The layout of the queues: caps that hold, guarantees that come back, headroom that is never lent."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.plan import Plan
from headroom.planning.queues import ClusterQueuePlan, CohortPlan, QuotaPlan

A = ["us-central1-a"]
OWNER = {"model": "m", "owner": "user:a@b.co"}
Whole = Callable[[], Plan]


@pytest.fixture
def shared(config: dict[str, Any]) -> dict[str, Any]:
    config["headroom:pools"] = {
        "l4": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}},
        "spot": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}, "capacity": "queued"},
        "cpu": {"machine": "n2-standard-16", "nodes": {"max": 10}},
    }
    config["headroom:pipelines"] = {
        "a": OWNER | {"kind": "training", "limits": {"l4": gpus(4, 8), "spot": gpus(0, 16)}},
        "b": OWNER | {"kind": "serving", "limits": {"l4": gpus(6, 10)}},
        "c": OWNER
        | {
            "kind": "data",
            "limits": {
                "cpu": {"cpu": {"guarantee": 8, "cap": 16}, "memory": {"guarantee": "16Gi", "cap": "32Gi"}}
            },
        },
    }
    return config


def gpus(guarantee: int, cap: int) -> dict[str, Any]:
    return {"gpus": {"guarantee": guarantee, "cap": cap}}


def queue(plan: Plan, name: str) -> ClusterQueuePlan:
    return next(queue for queue in plan.tenancy.queues.queues if queue.name == name)


def cohort(plan: Plan, name: str) -> CohortPlan:
    return next(cohort for cohort in plan.tenancy.queues.cohorts if cohort.name == name)


def quota(holder: ClusterQueuePlan | CohortPlan, flavor: str, resource: str) -> QuotaPlan:
    (found,) = [each for each in holder.flavors if each.flavor == flavor]
    return next(quota for quota in found.quotas if quota.resource == resource)


GPU = "nvidia.com/gpu"


def test_a_pipelines_queue_holds_its_guarantee_and_borrows_up_to_its_cap(
    shared: dict[str, Any], plan_whole: Whole
) -> None:
    """Q3."""
    assert quota(queue(plan_whole(), "a"), "l4", GPU) == QuotaPlan(GPU, "4", "4", None)
    assert quota(queue(plan_whole(), "a"), "spot", GPU) == QuotaPlan(GPU, "0", "16", None)


def test_the_pipelines_share_what_is_neither_promised_nor_headroom_and_borrow_nothing(
    shared: dict[str, Any], plan_whole: Whole
) -> None:
    """Q5: 20 GPUs less 4 of headroom less 10 promised."""
    plan = plan_whole()
    assert quota(cohort(plan, "pipelines"), "l4", GPU) == QuotaPlan(GPU, "6", "0", None)
    assert (cohort(plan, "pipelines").parent, cohort(plan, "pool").parent) == ("pool", None)
    assert cohort(plan, "pool").flavors == ()


def test_the_headroom_is_never_lent_and_may_borrow_what_is_idle(
    shared: dict[str, Any], plan_whole: Whole
) -> None:
    """Q5."""
    experiments = queue(plan_whole(), "experiments")
    assert experiments.cohort == "pool"
    assert quota(experiments, "l4", GPU) == QuotaPlan(GPU, "4", "16", "0")


def test_soft_headroom_is_lent_up_to_all_of_it(shared: dict[str, Any], plan_whole: Whole) -> None:
    shared["headroom:quota"] = {"experiments": {"lend": True, "borrow": False}}
    plan = plan_whole()
    assert quota(queue(plan, "experiments"), "l4", GPU) == QuotaPlan(GPU, "4", "0", "4")
    assert quota(cohort(plan, "pipelines"), "l4", GPU) == QuotaPlan(GPU, "6", "4", None)


def test_every_limit_is_stated_for_every_covered_resource(shared: dict[str, Any], plan_whole: Whole) -> None:
    """Q3: where no borrowing limit stands Kueue sets none, and flavors of a group list the same resources."""
    plan = plan_whole()
    for holder in (*plan.tenancy.queues.queues, cohort(plan, "pipelines")):
        covered = {tuple(quota.resource for quota in flavor.quotas) for flavor in holder.flavors}
        assert len(covered) == 1
        assert {"cpu", "memory"} <= set(covered.pop())
        assert all(quota.borrowing is not None for flavor in holder.flavors for quota in flavor.quotas)


def test_a_queue_lists_the_pools_of_its_limits_and_no_other(
    shared: dict[str, Any], plan_whole: Whole
) -> None:
    plan = plan_whole()
    assert [flavor.flavor for flavor in queue(plan, "c").flavors] == ["cpu"]
    assert [quota.resource for quota in queue(plan, "c").flavors[0].quotas] == ["cpu", "memory"]


def test_queued_capacity_waits_for_its_provisioning(shared: dict[str, Any], plan_whole: Whole) -> None:
    plan = plan_whole()
    assert {each.name: each.checked for each in plan.tenancy.queues.queues} == {
        "experiments": ("spot",),
        "a": ("spot",),
        "b": (),
        "c": (),
    }


@pytest.mark.parametrize(
    ("admission", "policy"), [("open", "None"), ("held", "Hold"), ("draining", "HoldAndDrain")]
)
def test_a_pipeline_can_be_held_from_the_stack_file(
    shared: dict[str, Any], plan_whole: Whole, admission: str, policy: str
) -> None:
    """Q3."""
    shared["headroom:pipelines"]["a"]["admission"] = admission
    assert queue(plan_whole(), "a").stop_policy == policy


def test_flavors_tolerate_what_gke_puts_on_the_nodes(shared: dict[str, Any], plan_whole: Whole) -> None:
    flavors = {flavor.name: flavor for flavor in plan_whole().tenancy.queues.flavors}
    assert flavors["cpu"].tolerations == ()
    assert ("nvidia.com/gpu", "present", "NoSchedule") in flavors["l4"].tolerations
    assert ("cloud.google.com/gke-queued", "true", "NoSchedule") in flavors["spot"].tolerations


def test_more_pools_than_a_queue_can_list_are_refused(
    config: dict[str, Any], plan_whole: Whole, refused: Callable[[], list[str]]
) -> None:
    pool = config["headroom:pools"]["cpu"]
    config["headroom:pools"] = {f"p{number}": pool for number in range(64)}
    plan_whole()
    config["headroom:pools"]["one-more"] = pool
    assert refused()[0].startswith("headroom:pools: has 65 pools, and a queue can list 64")
