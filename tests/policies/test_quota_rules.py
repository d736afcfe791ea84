"""Every rule that guards the quota finds what breaks it, in one change, and an unknown value is never fine."""

from typing import Any

import pytest

from headroom.spec.quota import SystemPods
from policies.model import Records
from policies.quota_rules import QUOTA_RULES
from policies.resources import UNKNOWN
from policies.settings import ChangeLimits, HeadroomLimits, ObjectLimits, Settings
from tests.policies import capacity_cases, headroom_cases, queue_cases, tenancy_cases, work_cases
from tests.policies.scenes import Change, Scene, open_scene

GPU, TPU = "nvidia.com/gpu", "google.com/tpu"
_TABLES = (headroom_cases, queue_cases, tenancy_cases, capacity_cases, work_cases)
FAILING = [case for table in _TABLES for case in table.FAILING]
NOT_KNOWN = [case for table in _TABLES for case in table.NOT_KNOWN]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_stacks_of_the_project_are_clean(stack: str) -> None:
    assert [str(verdict) for verdict in open_scene(stack).verdicts()] == []


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [pytest.param(rule, change, said, id=f"{rule}: {what}") for rule, what, change, said in FAILING],
)
def test_a_change_that_breaks_a_rule_is_found(rule: str, change: Change, said: str) -> None:
    """Q2, Q3, Q5, Q7: whatever the program is changed to."""
    scene = open_scene("dev")
    change(scene)
    assert any(said in finding for finding in scene.found(rule)), scene.found(rule)


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(NOT_KNOWN)],
)
def test_what_is_not_known_is_found_and_hides_nothing_else(rule: str, change: Change, said: str) -> None:
    scene = open_scene("dev")
    change(scene)
    assert any(said in finding for finding in scene.found(rule)), scene.found(rule)


def test_every_rule_has_a_case_that_breaks_it_and_one_that_is_not_known() -> None:
    names = {rule.name for rule in QUOTA_RULES}
    assert {case[0] for case in FAILING} == names
    assert {case[0] for case in NOT_KNOWN} == names


@pytest.mark.parametrize("rule", QUOTA_RULES, ids=lambda rule: rule.name)
def test_every_rule_says_what_it_is_for_and_what_to_do(rule: Any) -> None:
    assert rule.family == "quota"
    assert rule.description.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.reference.startswith("Q")
    assert (rule.of_resource is None) != (rule.of_stack is None)
    assert (rule.level == "advisory") == (rule.name in {"serving-not-above-training", "grants-are-awaited"})
    for path in rule.settings:
        model: Any = Settings
        for key in path.split("."):
            assert key in model.model_fields
            model = model.model_fields[key].annotation


def test_what_is_known_is_summed_beside_what_is_not() -> None:
    """Q2: one unknown guarantee does not hide that the others are too much by themselves."""
    scene = open_scene("dev")
    scene.set_quota("dev-queue-feed-training", "v5e", TPU, "nominalQuota", "48")
    scene.set_quota("dev-queue-shelf-training", "v5e", TPU, "nominalQuota", UNKNOWN)
    found = scene.found("guarantees-within-capacity")
    assert any("add up to 48, 16 too much" in each for each in found)
    assert any("not known" in each for each in found)


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"headroom": HeadroomLimits(share=0.5)}, "headroom-kept"),
        ({"headroom": HeadroomLimits(pools={"l4": 0.5})}, "headroom-kept"),
        ({"objects": ObjectLimits(pods=100)}, "objects-are-bounded"),
        (
            {"system_pods": SystemPods.model_validate({"cpu": "4", "memory": "1Gi"})},
            "guarantees-within-capacity",
        ),
    ],
)
def test_settings_ask_for_more(settings: dict[str, Any], rule: str) -> None:
    scene = open_scene("dev")
    scene.settings = Settings(**settings)
    assert rule in scene.broken()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: work_cases.bind(s, "headroom-gateway", "view"),
        lambda s: work_cases.own_role(s, "headroom-gateway", "get", "runs"),
        lambda s: work_cases.bind(s, "feed-training", "headroom-pipeline-owner"),
        lambda s: work_cases.add_namespace(s, "gke-managed-metrics", {}),
    ],
    ids=["reads", "reads by a role of its own", "works in a queue", "Google's own"],
)
def test_who_only_reads_or_works_in_a_queue_is_let_be(change: Change) -> None:
    """Q3: the rule from its other side."""
    scene = open_scene("dev")
    change(scene)
    assert scene.found("namespaces-have-queues") == []


def test_what_the_api_server_fills_in_is_no_other_search() -> None:
    scene = open_scene("dev")
    filled = {"whenCanBorrow": "MayStopSearch", "whenCanPreempt": "TryNextFlavor"}
    for each in scene.registrations:
        if each["type"].endswith(":ClusterQueue"):
            each["inputs"]["spec"] |= {"flavorFungibility": filled, "fairSharing": None}
    assert scene.found("queues-search-as-planned") == []


def test_a_taint_that_a_flavor_tolerates_or_that_only_asks_keeps_nobody_off() -> None:
    taints = [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        {"key": "a", "value": "b", "effect": "PREFER_NO_SCHEDULE"},
    ]
    scene = open_scene("dev").put("dev-pool-l4", "nodeConfig", "taints", to=taints)
    assert scene.found("nodes-are-in-queues") == []


def test_settings_allow_lending() -> None:
    scene = open_scene("dev").set_quota("dev-queue-experiments", "l4", GPU, "lendingLimit", "4")
    scene.set_quota("dev-cohort-pipelines", "l4", GPU, "borrowingLimit", "4")
    assert scene.broken() == {"headroom-never-lent"}
    scene.settings = Settings(headroom=HeadroomLimits(lend=True))
    assert scene.broken() == set()


def test_a_loss_of_no_more_than_the_set_share_is_let_pass() -> None:
    """Q2, Q5: the bound itself, from both sides."""
    scene = open_scene("dev")
    scene.set_quota("dev-queue-feed-data", "cpu", "cpu", "nominalQuota", "21600m")
    assert scene.found("promises-are-kept") == []
    scene.set_quota("dev-queue-feed-data", "cpu", "cpu", "nominalQuota", "21599m")
    assert len(scene.found("promises-are-kept")) == 1
    scene.settings = Settings(change=ChangeLimits(share=0.11))
    assert scene.found("promises-are-kept") == []


def test_a_stack_without_queues_and_nodes_breaks_nothing() -> None:
    """A program of another kind, such as `bootstrap`, is judged by the same pack."""
    scene = Scene("dev", [], Records())
    private = {"uniformBucketLevelAccess": True, "publicAccessPrevention": "enforced"}
    scene.add("gcp:storage/bucket:Bucket", "state", {"name": "state", **private})
    assert scene.verdicts() == ()
