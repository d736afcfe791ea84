"""The whole graph of both stacks, as the engine is asked for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from tests.mocks import Registered


def plan_of(root: Path, stack: str) -> Plan:
    path = root / f"Pulumi.{stack}.yaml"
    return plan_config(load_config(path), stack, path.name)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_graph_of_a_stack_is_the_recorded_one(
    root: Path, stack: str, run_program: Callable[[Plan], list[Registered]], snapshot: SnapshotAssertion
) -> None:
    """Q1, and the ground of job 1: a change of what `pulumi up` asks for shows in a diff of the snapshot."""
    graph = [
        {"type": r.type, "name": r.name, "inputs": r.inputs, "options": r.options}
        for r in run_program(plan_of(root, stack))
    ]
    assert graph == snapshot(extension_class=JSONSnapshotExtension)
