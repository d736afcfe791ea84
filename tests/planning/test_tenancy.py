"""Namespaces: what bounds them, who owns them, what their pods may do in the cloud."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.plan import Plan
from headroom.planning.tenancy import NamespacePlan, OwnerPlan

A = ["us-central1-a"]
Whole = Callable[[], Plan]


@pytest.fixture
def one(config: dict[str, Any]) -> dict[str, Any]:
    """A pipeline on two pools of GPUs; its entry, to change at will."""
    config["headroom:pools"] = {
        "l4": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}},
        "big": {"machine": "g2-standard-96", "zones": A, "nodes": {"max": 5}},
        "cpu": {"machine": "n2-standard-16", "nodes": {"max": 100}},
    }
    entry = {
        "kind": "training",
        "model": "m",
        "owner": "group:ml@acme.example",
        "limits": {
            "l4": {"gpus": {"guarantee": 0, "cap": 8}},
            "big": {"gpus": {"guarantee": 8, "cap": 16}},
        },
    }
    config["headroom:pipelines"] = {"one": entry}
    return entry


def namespace(plan: Plan, name: str = "one") -> NamespacePlan:
    return next(each for each in plan.tenancy.namespaces if each.name == name)


def test_a_namespace_is_bounded_by_its_caps_over_all_pools(one: dict[str, Any], plan_whole: Whole) -> None:
    """Q3."""
    quota = dict(namespace(plan_whole()).quota)
    assert quota["requests.nvidia.com/gpu"] == "24"
    assert {"requests.cpu", "requests.memory"} <= quota.keys()


def test_the_number_of_objects_follows_from_what_can_run_at_once(
    one: dict[str, Any], plan_whole: Whole
) -> None:
    """Q3: a flood of objects delays everybody's admission."""
    quota = dict(namespace(plan_whole()).quota)
    assert (quota["count/jobs.batch"], quota["pods"]) == ("96", "100")
    assert quota["count/workloads.kueue.x-k8s.io"] == "100"
    cores = {"cpu": {"guarantee": 0, "cap": 1000}, "memory": {"guarantee": 0, "cap": "64Gi"}}
    one["limits"] = {"cpu": cores}
    quota = dict(namespace(plan_whole()).quota)
    assert (quota["count/jobs.batch"], quota["pods"]) == ("300", "1000")


def test_nothing_in_a_namespace_goes_past_the_gateway(one: dict[str, Any], plan_whole: Whole) -> None:
    quota = dict(namespace(plan_whole()).quota)
    assert quota["services.loadbalancers"] == quota["services.nodeports"] == "0"


def test_a_container_is_no_larger_than_the_largest_node(one: dict[str, Any], plan_whole: Whole) -> None:
    plan = plan_whole()
    big = next(pool for pool in plan.pools if pool.name == "big")
    assert dict(namespace(plan).largest_container)["cpu"] == f"{big.cpu_millis_per_node}m"


@pytest.mark.parametrize(
    ("owner", "subject"),
    [
        ("group:ml@acme.example", OwnerPlan("Group", "ml@acme.example")),
        ("user:ada@acme.example", OwnerPlan("User", "ada@acme.example")),
    ],
)
def test_owners_are_groups_or_people(
    one: dict[str, Any], plan_whole: Whole, owner: str, subject: OwnerPlan
) -> None:
    one["owner"] = owner
    assert namespace(plan_whole()).owners == (subject,)


def test_cloud_roles_are_one_binding_each_with_a_key_that_stays(
    one: dict[str, Any], plan_whole: Whole
) -> None:
    one["access"] = [
        {"role": "roles/storage.objectUser", "bucket": "acme-feed"},
        {"role": "roles/bigquery.jobUser"},
    ]
    first, second = namespace(plan_whole()).bindings
    assert (first.access.bucket, second.access.bucket) == ("acme-feed", None)
    one["access"].reverse()
    assert {binding.key for binding in namespace(plan_whole()).bindings} == {first.key, second.key}


@pytest.mark.parametrize("role", ["roles/owner", "roles/editor", "roles/viewer"])
def test_roles_that_are_too_wide_are_refused(
    one: dict[str, Any], refused: Callable[[], list[str]], role: str
) -> None:
    one["access"] = [{"role": role}]
    assert refused() == [
        f"headroom:pipelines.one.access[0]: role is {role}, which is too wide for a pipeline; name what it needs"
    ]


@pytest.mark.parametrize("name", ["default", "experiments", "kube-public", "gke-managed", "kueue-system"])
def test_names_of_the_cluster_are_refused(
    config: dict[str, Any], one: dict[str, Any], refused: Callable[[], list[str]], name: str
) -> None:
    config["headroom:pipelines"] = {name: one}
    assert refused() == [
        f"headroom:pipelines.{name}: is a name that the cluster keeps for itself; choose another"
    ]


def test_experiments_have_a_namespace_with_their_owners(
    config: dict[str, Any], one: dict[str, Any], plan_whole: Whole
) -> None:
    """Q5: bounded by the headroom and what they may borrow."""
    config["headroom:quota"] = {"experiments": {"owners": ["group:research@acme.example"]}}
    experiments = namespace(plan_whole(), "experiments")
    assert experiments.owners == (OwnerPlan("Group", "research@acme.example"),)
    assert dict(experiments.quota)["requests.nvidia.com/gpu"] == "60"
    config["headroom:quota"]["experiments"]["borrow"] = False
    assert dict(namespace(plan_whole(), "experiments").quota)["requests.nvidia.com/gpu"] == "12"
