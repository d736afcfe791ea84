"""Two updates of one stack at once, and what a killed one leaves: the lock (runbook stuck-lock.md)."""

from pathlib import Path

import pytest

from sandbox.google.store import LIVE
from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import CLUSTER, open_world
from tests.e2e.recovery import (
    UNREADABLE,
    cancel,
    delete_empty_attributes,
    keep_two_pools,
    kill_engine_once,
    recover,
    running_update,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("save_every_step")
SLOW = 0.02
"""A cluster takes six to twelve seconds at this pace: long enough to come upon."""


def locks(platform: EngineSandbox) -> list[Path]:
    return list((platform.sandbox.state / "backend" / ".pulumi" / "locks").rglob("*.json"))


def test_of_two_updates_at_once_one_is_refused_and_the_other_completes(platform: EngineSandbox) -> None:
    """Q1, "Is it still running?" of docs/runbooks/stuck-lock.md."""
    platform.edit_stack_file("dev", keep_two_pools)
    open_world(platform).set_pace("two", SLOW)
    with running_update(platform, "dev") as first:
        wait_until(lambda: bool(locks(platform)), "the first update locks the stack")
        second = platform.up("dev")
        assert first.poll() is None
        assert second.exit_code != 0
        assert "the stack is currently locked by 1 lock(s)" in second.stderr + second.stdout
        assert f"(pid {first.pid})" in second.stderr + second.stdout
        assert first.wait() == 0
    assert locks(platform) == []
    platform.up("dev", "--expect-no-changes").require_success()


def test_the_lock_of_a_killed_update_stays_until_it_is_cancelled(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """Q1, "Take the lock away" of docs/runbooks/stuck-lock.md."""
    platform.edit_stack_file("dev", keep_two_pools)
    world = open_world(platform)
    world.set_pace("killed", SLOW)
    kill_engine_once(platform, "dev", lambda: bool(world.objects(CLUSTER)), "the cluster is being made")
    refused = platform.up("dev")
    assert refused.exit_code != 0
    assert "the stack is currently locked by 1 lock(s)" in refused.stderr + refused.stdout
    cancel(platform, "dev")
    assert locks(platform) == []

    recover(platform, "dev", tmp_path)
    platform.up("dev", "--expect-no-changes").require_success()
    assert len(world.objects(CLUSTER, LIVE)) == 1


def test_a_state_whose_attributes_were_half_written_is_read_again_without_them(
    platform: EngineSandbox,
) -> None:
    """Q1, "A state that cannot be read" of docs/runbooks/stuck-lock.md; what a kill leaves at a bad moment."""
    platform.edit_stack_file("dev", keep_two_pools)
    platform.up("dev").require_success()
    folder = platform.sandbox.state / "backend" / ".pulumi" / "stacks" / "headroom"
    attributes = folder / "dev.json.attrs"
    attributes.write_text("")
    refused = platform.up("dev")
    assert refused.exit_code != 0
    assert UNREADABLE in refused.stderr + refused.stdout

    assert delete_empty_attributes(platform) == [attributes]
    platform.up("dev", "--expect-no-changes").require_success()
