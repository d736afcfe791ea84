"""What a plan needs of its project."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.planning.addresses import is_example
from headroom.planning.plan import Plan, plan_config
from headroom.planning.preflight import Check, MachineNeed, derive_needs, exit_code
from headroom.planning.services import ENABLED_BY_HAND
from headroom.spec.stack_file import load_config


def acme(root: Path, stack: str) -> Plan:
    return plan_config(load_config(root / f"Pulumi.{stack}.yaml"), stack, "f")


def test_the_two_apis_that_all_else_goes_through_come_first(plan_whole: Callable[[], Plan]) -> None:
    apis = [need.api for need in derive_needs(plan_whole()).apis]
    assert apis[:2] == ["serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com"]


def test_every_api_that_the_program_enables_is_needed(plan_whole: Callable[[], Plan]) -> None:
    plan = plan_whole()
    needed = {need.api for need in derive_needs(plan).apis if not need.asked_only}
    assert {f"{name}.googleapis.com" for name in plan.services} == needed - set(ENABLED_BY_HAND)
    assert "container" in plan.services


def test_private_registries_need_the_api_of_their_certificates(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    assert "secretmanager" not in plan_whole().services
    config["headroom:cluster"]["private_registries"] = {
        "registry.example": "projects/123456789012/secrets/ca/versions/1"
    }
    assert "secretmanager" in plan_whole().services
    assert "roles/secretmanager.admin" in {need.role for need in derive_needs(plan_whole()).roles}


def test_a_placement_policy_needs_the_role_that_makes_one(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    def roles() -> set[str]:
        return {need.role for need in derive_needs(plan_whole()).roles}

    assert "roles/compute.instanceAdmin.v1" not in roles()
    config["headroom:cluster"]["zones"] = ["us-central1-a", "us-central1-c"]
    config["headroom:pools"]["tpu"] = {
        "machine": "tpu7x-standard-4t",
        "zones": ["us-central1-c"],
        "topology": "2x2x2",
        "slices": {"max": 1},
    }
    assert "roles/compute.instanceAdmin.v1" in roles()


def test_groups_rbac_is_no_hindrance_where_the_stack_has_a_security_group(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    def names() -> set[str]:
        return {item.name for item in derive_needs(plan_whole()).constraints}

    assert "container.managed.enableGoogleGroupsRBAC" in names()
    config["headroom:cluster"]["security_group"] = "gke-security-groups@acme.co"
    assert "container.managed.enableGoogleGroupsRBAC" not in names()
    needs = derive_needs(plan_whole())
    assert needs.groups == ("gke-security-groups@acme.co",)
    assert "cloudidentity.googleapis.com" in {need.api for need in needs.apis}


def test_every_zone_needs_its_pools_machines_and_the_cluster_zones_the_first_node(
    config: dict[str, Any], plan_whole: Callable[[], Plan]
) -> None:
    config["headroom:pools"] = {
        "t4": {
            "machine": "n1-standard-8",
            "zones": ["us-central1-c"],
            "nodes": {"max": 2},
            "gpu": {"type": "nvidia-tesla-t4", "count": 1},
        }
    }
    needs = derive_needs(plan_whole())
    assert set(needs.machines) == {
        MachineNeed("us-central1-a", "e2-medium", ""),
        MachineNeed("us-central1-b", "e2-medium", ""),
        MachineNeed("us-central1-a", "e2-standard-4", ""),
        MachineNeed("us-central1-b", "e2-standard-4", ""),
        MachineNeed("us-central1-c", "n1-standard-8", "nvidia-tesla-t4"),
    }
    assert needs.zones == ("us-central1-a", "us-central1-b", "us-central1-c")


def test_reservations_are_needed_by_name_with_the_most_nodes_of_their_pool(root: Path) -> None:
    needs = derive_needs(acme(root, "prod"))
    assert [(item.name, item.project, item.zones, item.nodes) for item in needs.reservations] == [
        ("assistant-h100-a", "acme-ml-prod", ("europe-west4-b",), 8),
        ("assistant-h100-b", "acme-ml-prod", ("europe-west4-b",), 8),
    ]
    assert derive_needs(acme(root, "dev")).reservations == ()


def test_owners_in_example_domains_are_never_asked_for(root: Path) -> None:
    needs = derive_needs(acme(root, "dev"))
    assert needs.groups == ()
    assert "feed-ml@acme.example" in needs.example_addresses
    assert "cloudidentity.googleapis.com" not in {need.api for need in needs.apis}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@acme.example", True),
        ("a@EXAMPLE.com", True),
        ("a@mail.example.org", True),
        ("a@acme.test", True),
        ("a@acme.co", False),
        ("a@myexample.com", False),
        ("example@acme.co", False),
    ],
)
def test_domains_for_examples_are_those_that_nobody_can_own(address: str, expected: bool) -> None:
    assert is_example(address) is expected


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["ok"], 0),
        (["ok", "unknown"], 3),
        (["ok", "missing"], 1),
        (["unknown", "missing"], 1),
        (["unknown"], 3),
    ],
)
def test_the_exit_code_says_missing_before_unknown_and_never_calls_unknown_fine(
    states: list[Any], code: int
) -> None:
    assert exit_code([Check("a", "b", state, "c") for state in states]) == code
