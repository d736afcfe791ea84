"""What earlier releases left behind goes on under the program of today: nothing is replaced, nothing deleted."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import EngineSandbox
from tests.e2e.fixtures.record import HERE, STACKS
from tests.e2e.recovery import restore_state

STATES = sorted(HERE.glob("state-*.json"))
HARMLESS = {"same", "create", "update", "read"}


def name_of(state: Path) -> tuple[str, str]:
    """Version and stack of a recorded state."""
    found = re.fullmatch(r"state-(\d+\.\d+\.\d+)-(\w+)\.json", state.name)
    assert found is not None, state.name
    return found[1], found[2]


def take_over(platform: EngineSandbox, state: Path) -> str:
    """Import a recorded state with its stack file, under this sandbox's key; returns the stack."""
    version, stack = name_of(state)
    settings = (HERE / f"Pulumi-{version}-{stack}.yaml").read_text()
    (platform.project / f"Pulumi.{stack}.yaml").write_text(settings)
    assert platform.export(stack) == []
    ours = yaml.safe_load((platform.sandbox.working_copy / f"Pulumi.{stack}.yaml").read_text())
    content = json.loads(state.read_text())
    key = {"type": "passphrase", "state": {"salt": ours["encryptionsalt"]}}
    content["deployment"]["secrets_providers"] = key
    imported = platform.sandbox.state.with_name(state.name)
    imported.write_text(json.dumps(content))
    restore_state(platform, stack, imported)
    return stack


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.stem)
def test_a_release_s_state_goes_on_without_replacement_or_deletion(
    platform: EngineSandbox, state: Path
) -> None:
    """Q1."""
    stack = take_over(platform, state)
    preview = platform.preview(stack).require_success()
    assert set(preview.changes) <= HARMLESS, preview.steps
    assert preview.changes["same"] > 0


def test_a_change_that_would_replace_is_noticed(platform: EngineSandbox) -> None:
    stack = take_over(platform, HERE / "state-0.1.0-dev.json")

    def another_disk(config: dict[str, Any]) -> None:
        config["headroom:pools"]["cpu"]["boot_disk"] = {"size": "300Gi"}

    platform.edit_stack_file(stack, another_disk)
    assert not set(platform.preview(stack).require_success().changes) <= HARMLESS


def test_the_present_release_has_recorded_its_states(root: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert {(version, stack) for stack in STACKS} <= {name_of(state) for state in STATES}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.stem)
def test_a_recorded_state_holds_no_machine_s_paths_and_no_keys(state: Path) -> None:
    text = state.read_text()
    assert not re.search(r'"(ciphertext|secrets_providers|stackTrace|sourcePosition)"', text)
    assert not re.search(r"/(tmp|root|home|work)/", text)
