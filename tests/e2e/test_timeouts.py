"""Waits that end before Google does: what took effect all the same (runbook half-failed-up.md)."""

import json
from pathlib import Path

from sandbox.google.store import LIVE
from tests.e2e.conftest import EngineSandbox, Update
from tests.e2e.outcomes import CLUSTER, open_world
from tests.e2e.recovery import (
    NODE_POOL,
    adopt,
    delete_first_pool,
    init_errors,
    keep_two_pools,
    see_drift,
    taken_names,
)

NETWORK = "gcp:compute/network:Network"
STOPPED = "timeout while waiting for state to become 'DONE'"


def stopped_waiting(update: Update, what: str) -> bool:
    return update.exit_code != 0 and any(f"{what}: {STOPPED}" in error for error in update.errors)


def test_a_wait_that_ended_too_early_is_completed_by_the_runbook(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """Q1, "A wait that ended too early" and "The first pool that stayed" of docs/runbooks/half-failed-up.md: a
    network is adopted, a cluster is in the state already, a node pool is found again.
    """
    platform.edit_stack_file("dev", keep_two_pools)
    world = open_world(platform)
    for token in (NETWORK, CLUSTER, NODE_POOL):
        world.inject("timeout-after", "create", token)

    assert stopped_waiting(platform.up("dev"), "Error waiting for creating Network")
    taken = taken_names(platform.up("dev"))
    assert list(taken.values()) == ["projects/acme-ml-dev/global/networks/dev-network"]
    adopt(platform, "dev", taken, tmp_path)

    assert stopped_waiting(platform.up("dev"), "Error waiting for creating Cluster")
    assert init_errors(platform, "dev") == ["dev-cluster"]
    platform.preview("dev", "--refresh").require_success()
    platform.up("dev", "--refresh").require_success()
    assert init_errors(platform, "dev") == []
    assert world.faults() == []

    assert delete_first_pool(platform)
    platform.up("dev", "--refresh", "--expect-no-changes").require_success()
    assert len(world.objects(CLUSTER, LIVE)) == 1
    assert len(world.objects(NODE_POOL, LIVE)) == 3


def test_an_update_that_was_not_waited_for_is_looked_at_again_by_the_next(platform: EngineSandbox) -> None:
    """ "A wait that ended too early" of an update: nothing to adopt."""
    platform.edit_stack_file("dev", keep_two_pools)
    platform.up("dev").require_success()
    world = open_world(platform)
    platform.edit_stack_file("dev", lambda config: config["headroom:pools"]["cpu"]["nodes"].update(max=13))
    world.inject("timeout-after", "update", NODE_POOL)

    assert stopped_waiting(platform.up("dev"), "Error waiting for updating NodePool")
    assert init_errors(platform, "dev") == ["dev-pool-cpu"]
    platform.up("dev", "--refresh").require_success()
    assert see_drift(platform, "dev") == {}


def test_an_adopted_cluster_shows_one_update_that_names_what_an_import_cannot_know(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """Step 4 of "Adopt what is there already" of docs/runbooks/half-failed-up.md: labels and two switches, nothing that Google computed."""
    platform.edit_stack_file("dev", keep_two_pools)
    open_world(platform).inject("lost-answer", "create", CLUSTER)
    platform.up("dev")
    adopt(platform, "dev", taken_names(platform.up("dev")), tmp_path)

    preview = platform.preview("dev").require_success()
    (step,) = [each for each in preview.report["steps"] if each["op"] not in ("same", "create")]
    assert (step["op"], step["urn"].rpartition("::")[2]) == ("update", "dev-cluster")
    assert set(step["detailedDiff"]) == {
        "deletionProtection",
        "pulumiLabels",
        "removeDefaultNodePool",
        "resourceLabels",
    }, json.dumps(step["detailedDiff"])
    platform.up("dev").require_success()
    assert not delete_first_pool(platform), "the update of an adopted cluster removes it"
    platform.up("dev", "--refresh", "--expect-no-changes").require_success()
