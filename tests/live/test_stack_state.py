"""What was deployed, by exports that the engine has made, and by what is none."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from headroom.audit.expected import planned_cohorts, planned_node_pools, planned_queues
from headroom.live.connection import UnansweredError
from headroom.live.stack_state import load_state, read_state
from headroom.planning.plan import plan_config
from headroom.spec.stack_file import load_config
from tests.mocks import record


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_node_pools_of_an_export_are_those_that_were_planned(root: Path, stack: str) -> None:
    """The export is of the first release, made by the engine."""
    fixtures = root / "tests" / "e2e" / "fixtures"
    planned = plan_config(load_config(fixtures / f"Pulumi-0.1.0-{stack}.yaml"), stack, "f")
    deployed, gaps = read_state((fixtures / f"state-0.1.0-{stack}.json").read_bytes())
    held = {(each.pool, each.machine, each.max_nodes) for each in deployed.node_pools}
    assert held == {(each.pool, each.machine, each.max_nodes) for each in planned_node_pools(planned)}
    assert gaps == ()


def test_what_the_program_registers_is_what_the_plan_says(root: Path) -> None:
    """Queues, cohorts and node pools, to the unit."""
    planned = plan_config(load_config(root / "Pulumi.dev.yaml"), "dev", "f")

    async def main() -> None:
        from infra.stack import build

        await build(planned).registered()

    resources = [{"type": each.type, "inputs": each.inputs} for each in record("dev", main)]
    deployed, gaps = read_state(json.dumps({"deployment": {"resources": resources}}).encode())
    assert gaps == ()
    assert set(deployed.queues) == set(planned_queues(planned))
    assert set(deployed.cohorts) == set(planned_cohorts(planned))
    assert set(deployed.node_pools) == set(planned_node_pools(planned))


def test_what_is_to_be_deleted_is_not_there() -> None:
    pool = {
        "type": "gcp:container/nodePool:NodePool",
        "inputs": {"name": "a", "nodeConfig": {"machineType": "m"}},
    }
    deployed, _ = read_state(
        json.dumps({"deployment": {"resources": [pool, pool | {"delete": True}]}}).encode()
    )
    assert [each.name for each in deployed.node_pools] == ["a"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"deployment": null}', b"\xff"])
def test_what_is_no_export_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(UnansweredError, match="is no export of a stack"):
        read_state(content)


@pytest.mark.parametrize("content", [b'{"deployment": {}}', b'{"deployment": {"resources": [1, {}]}}'])
def test_an_empty_stack_has_nothing(content: bytes) -> None:
    deployed, gaps = read_state(content)
    assert (deployed.node_pools, deployed.queues, gaps) == ((), (), ())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnansweredError, match=r"state\.json cannot be read: No such file"):
        load_state("state.json", tmp_path, "dev")


def fake_pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('echo "error: no stack named dev" >&2; exit 255', "pulumi refused: error: no stack named dev"),
        ("exit 1", "it does not say why"),
        ("echo nonsense", "is no export of a stack"),
    ],
)
def test_a_pulumi_that_refuses_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    fake_pulumi(tmp_path, monkeypatch, script)
    with pytest.raises(UnansweredError, match=expected):
        load_state("pulumi", tmp_path, "dev")


def test_pulumi_is_asked_in_the_project_for_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'echo "{\\"deployment\\": {}}"; echo "$PWD $*" > asked'
    fake_pulumi(tmp_path, monkeypatch, script)
    found: Any = load_state("pulumi", tmp_path, "dev")
    assert found[0].queues == ()
    assert (tmp_path / "asked").read_text().split() == [
        str(tmp_path), "stack", "export", "--stack", "dev", "--non-interactive",
    ]  # fmt: skip


def test_without_pulumi_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnansweredError, match="there is no pulumi on the path"):
        load_state("pulumi", tmp_path, "dev")
