"""What somebody changes or deletes by hand is seen without touching the state, and mended (runbook drift.md)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.install import PulumiCli
from sandbox.engine.working_copy import copy_project
from sandbox.engine.workspace import SOURCE_ROOT, Sandbox
from sandbox.google.store import LIVE, WorldObject
from sandbox.google.world import World
from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import CLUSTER, holdings, open_world
from tests.e2e.recovery import NODE_POOL, keep_two_pools, see_drift

FIREWALL = "gcp:compute/firewall:Firewall"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, pulumi_cli: PulumiCli) -> EngineSandbox:
    """A small environment in each tier, up; a test leaves it as it found it."""
    folder = tmp_path_factory.mktemp("drift")
    project = copy_project(SOURCE_ROOT, folder / "project")
    platform = EngineSandbox(Sandbox(project, folder / "state"), pulumi_cli)
    for stack in ("dev", "prod"):
        platform.edit_stack_file(stack, keep_two_pools)
        platform.up(stack).require_success()
    return platform


def state_of(platform: EngineSandbox, stack: str) -> bytes:
    folder = platform.sandbox.state / "backend" / ".pulumi" / "stacks" / "headroom"
    return Path(folder / f"{stack}.json").read_bytes()


def pool_of(world: World, stack: str, pool: str) -> WorldObject:
    ending = f"clusters/{stack}-cluster/nodePools/{pool}-"
    (found,) = [item for item in world.objects(NODE_POOL) if ending in item.id]
    return found


def tamper(world: World) -> dict[str, str]:
    """One property changed, a firewall rule and a pool deleted."""
    world.drift(pool_of(world, "dev", "cpu").id, "autoscaling.totalMaxNodeCount", 40)
    world.remove("firewalls/dev-control-plane-to-webhooks")
    world.remove(pool_of(world, "dev", "l4").id)
    return {"dev-pool-cpu": "update", "dev-control-plane-to-webhooks": "create", "dev-pool-l4": "create"}


def take_protection_away(world: World) -> dict[str, str]:
    world.drift("clusters/prod-cluster", "deletionProtection", value=False)
    return {"prod-cluster": "update"}


@pytest.mark.parametrize(("stack", "change"), [("dev", tamper), ("prod", take_protection_away)])
def test_drift_is_seen_by_a_refreshed_preview_and_mended_by_a_refreshed_up(
    running: EngineSandbox, stack: str, change: Callable[[World], dict[str, str]]
) -> None:
    """Q1, "See it" and "Mend it" of docs/runbooks/drift.md."""
    world = open_world(running)
    before = {(item.type, item.id) for item in world.objects(status=LIVE)}
    expected = change(world)

    state = state_of(running, stack)
    assert see_drift(running, stack) == expected
    assert state_of(running, stack) == state

    running.up(stack, "--refresh").require_success()
    assert {(item.type, item.id) for item in world.objects(status=LIVE)} == before
    assert see_drift(running, stack) == {}


def test_a_cluster_that_is_gone_comes_back_with_all_that_was_in_it(
    running: EngineSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q1, "A cluster that is gone" of docs/runbooks/drift.md."""
    world = open_world(running)
    before = holdings(running, "dev")
    for item in world.objects(NODE_POOL) + world.objects(CLUSTER):
        if "/dev-cluster" in item.id:
            world.remove(item.id)
    seen = running.preview("dev", "--refresh")
    assert any("failed to read resource state" in error for error in seen.errors), seen.errors

    with monkeypatch.context() as patch:
        patch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
        running.refresh("dev").require_success()
    assert not [each for each in running.export("dev") if each["type"].startswith("kubernetes:")]
    running.up("dev").require_success()
    assert holdings(running, "dev") == before
    assert see_drift(running, "dev") == {}


def test_what_google_itself_changes_is_no_drift(running: EngineSandbox) -> None:
    """The autoscaler's node count and Google's version upgrades never show."""
    world = open_world(running)
    pool = pool_of(world, "dev", "cpu").id
    world.drift(pool, "nodeCount", 7)
    world.drift(pool, "version", "1.99.1-gke.1")
    world.drift("clusters/dev-cluster", "masterVersion", "1.99.1-gke.1")
    assert see_drift(running, "dev") == {}


def test_a_pool_made_anew_with_other_settings_is_deleted_by_hand_and_comes_back(
    running: EngineSandbox,
) -> None:
    """ "A pool that was made anew" of docs/runbooks/drift.md: its name is taken, so `up` alone cannot."""
    world = open_world(running)
    pool = pool_of(world, "dev", "l4").id
    world.drift(pool, "nodeConfig.shieldedInstanceConfig.enableSecureBoot", value=False)
    assert see_drift(running, "dev") == {"dev-pool-l4": "replace"}
    refused = running.up("dev", "--refresh")
    assert any(f"resource - {pool} - already exists" in error for error in refused.errors)

    world.remove(pool)
    running.up("dev", "--refresh").require_success()
    assert see_drift(running, "dev") == {}


def test_drift_that_is_wanted_is_kept_by_writing_it_down(running: EngineSandbox) -> None:
    """ "Keep it" of docs/runbooks/drift.md."""
    world = open_world(running)
    world.drift(pool_of(world, "dev", "cpu").id, "autoscaling.totalMaxNodeCount", 14)

    def set_max(nodes: int) -> Callable[[dict[str, Any]], None]:
        return lambda config: config["headroom:pools"]["cpu"]["nodes"].update(max=nodes)

    running.edit_stack_file("dev", set_max(14))
    shared = {"dev-cohort-pipelines", "dev-queue-experiments", "dev-quota-experiments"}
    assert see_drift(running, "dev") == dict.fromkeys(shared, "update")
    running.up("dev", "--refresh").require_success()
    assert pool_of(world, "dev", "cpu").properties["autoscaling"]["totalMaxNodeCount"] == 14
    assert see_drift(running, "dev") == {}

    running.edit_stack_file("dev", set_max(12))
    running.up("dev").require_success()
