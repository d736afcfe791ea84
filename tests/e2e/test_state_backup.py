"""A state that was lost comes back from its backup, newest or stale (runbook state-backup.md)."""

import shutil
from pathlib import Path
from typing import Any

from sandbox.google.store import LIVE
from tests.e2e.conftest import EngineSandbox, Risen
from tests.e2e.outcomes import holdings, open_world
from tests.e2e.recovery import keep_two_pools, pools_of, recover, restore_state, save_state


def lose_state(platform: EngineSandbox) -> None:
    """What an emptied bucket looks like to Pulumi."""
    shutil.rmtree(platform.sandbox.state / "backend" / ".pulumi")


def test_a_lost_state_is_restored_and_nothing_changes(risen: Risen, tmp_path: Path) -> None:
    """Q1, "Save the state", "See that it is lost" and "Restore it" of docs/runbooks/state-backup.md."""
    platform = risen("prod")
    backup = save_state(platform, "prod", tmp_path / "prod-state.json")
    resources = len(platform.export("prod"))
    before = open_world(platform).objects(status=LIVE)

    lose_state(platform)
    assert platform.preview("prod").require_success().changes == {"create": resources}

    restore_state(platform, "prod", backup)
    again = platform.up("prod", "--refresh", "--expect-no-changes").require_success()
    assert set(again.changes) == {"same"}
    assert open_world(platform).objects(status=LIVE) == before


def test_a_stale_backup_is_completed_by_adopting_what_came_later(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """ "If the backup is older" of docs/runbooks/state-backup.md."""

    def without_l4(config: dict[str, Any]) -> None:
        keep_two_pools(config)
        del config["headroom:pools"]["l4"]
        pipelines = config["headroom:pipelines"].items()
        config["headroom:pipelines"] = {key: each for key, each in pipelines if "l4" not in pools_of(each)}

    complete = (platform.project / "Pulumi.dev.yaml").read_text()
    platform.edit_stack_file("dev", without_l4)
    platform.up("dev").require_success()
    backup = save_state(platform, "dev", tmp_path / "dev-state.json")
    (platform.project / "Pulumi.dev.yaml").write_text(complete)
    platform.edit_stack_file("dev", keep_two_pools)
    platform.up("dev").require_success()
    before = holdings(platform, "dev")

    lose_state(platform)
    restore_state(platform, "dev", backup)
    recover(platform, "dev", tmp_path)
    platform.up("dev", "--refresh", "--expect-no-changes").require_success()
    assert holdings(platform, "dev") == before
