"""A crash at every kind of step, of the provider or of the engine, and the way back by the runbooks alone."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.install import PulumiCli
from sandbox.engine.working_copy import copy_project
from sandbox.engine.workspace import SOURCE_ROOT, Sandbox
from sandbox.google.store import LIVE
from tests.e2e.conftest import EngineSandbox, Update
from tests.e2e.recovery import (
    CLUSTER,
    NODE_POOL,
    adopt,
    delete_doubles,
    holdings,
    keep_two_pools,
    kill_engine_once,
    open_world,
    picture,
    recover,
    taken_names,
)

pytestmark = pytest.mark.recovery
DIED = re.compile(r"error reading from server|connection error|connection reset|transport is closing")
"""What the engine says of calls during which the provider died, and of those that found it dead."""


@dataclass(frozen=True)
class Outcome:
    """Where an undisturbed `up` ends: the state's picture, the world's holdings, of which types they are."""

    picture: dict[str, Any]
    holdings: list[tuple[str, str]]
    types: tuple[str, ...]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, pulumi_cli: PulumiCli) -> Outcome:
    folder = tmp_path_factory.mktemp("undisturbed")
    project = copy_project(SOURCE_ROOT, folder / "project")
    platform = EngineSandbox(Sandbox(project, folder / "state"), pulumi_cli)
    platform.edit_stack_file("dev", keep_two_pools)
    platform.up("dev").require_success()
    resources = platform.export("dev")
    types = sorted({each["type"] for each in resources if each["type"].startswith("gcp:")})
    return Outcome(picture(resources), holdings(platform, "dev"), tuple(types))


def require_same(platform: EngineSandbox, outcome: Outcome) -> None:
    """The state and the world are those of an undisturbed `up`, and another one changes nothing."""
    platform.up("dev", "--refresh", "--expect-no-changes").require_success()
    assert picture(platform.export("dev")) == outcome.picture
    assert holdings(platform, "dev") == outcome.holdings


def is_crash(update: Update) -> bool:
    """Whether an update ended because the provider died."""
    return update.exit_code != 0 and any(DIED.search(error) for error in update.errors)


@pytest.mark.parametrize("crash", ["crash", "crash-after"])
def test_a_provider_that_dies_at_a_creation_of_each_type_in_turn_is_recovered_from(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path, crash: str
) -> None:
    """Q1: before and after the effect; the update that recovers from one crash is struck by the next."""
    platform.edit_stack_file("dev", keep_two_pools)
    world = open_world(platform)
    world.set_pace("crash", 0)
    for token in undisturbed.types:
        world.inject(crash, "create", token)
    crashes = 0
    for _ in range(3 * len(undisturbed.types)):
        update = platform.up("dev", "--parallel", "1")
        if update.exit_code == 0:
            break
        taken = taken_names(update)
        assert is_crash(update) or taken, update.errors or update.stderr
        crashes += is_crash(update)
        adopt(platform, "dev", taken, tmp_path)
    assert crashes == len(undisturbed.types)
    assert world.faults() == []
    assert bool(delete_doubles(platform, "dev")) == (crash == "crash-after")
    require_same(platform, undisturbed)


def edits() -> Iterator[Callable[[dict[str, Any]], None]]:
    """Endless edits, each of which updates the pool `cpu` and replaces the pool `l4`."""

    def edit(nodes: int, size: str) -> Callable[[dict[str, Any]], None]:
        def apply(config: dict[str, Any]) -> None:
            config["headroom:pools"]["cpu"]["nodes"]["max"] = nodes
            config["headroom:pools"]["l4"]["boot_disk"] = {"size": size}

        return apply

    return (edit(12 + number, f"{200 + number}Gi") for number in itertools.count(1))


def test_a_provider_that_dies_at_each_step_of_a_replacement_is_recovered_from(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """Update in place, creation of the new pool, deletion of the old one; before and after the effect."""
    platform.edit_stack_file("dev", keep_two_pools)
    platform.up("dev").require_success()
    world = open_world(platform)
    steps = itertools.product(("crash", "crash-after"), ("update", "create", "delete"))
    for (crash, operation), edit in zip(steps, edits(), strict=False):
        platform.edit_stack_file("dev", edit)
        world.inject(crash, operation, NODE_POOL)
        update = platform.up("dev")
        assert is_crash(update), (crash, operation, update.errors)
        recover(platform, "dev", tmp_path)
        platform.up("dev", "--refresh", "--expect-no-changes").require_success()
        assert len(world.objects(NODE_POOL, LIVE)) == 3, (crash, operation)


@pytest.mark.parametrize(
    "token",
    [
        "gcp:projects/service:Service",
        "gcp:serviceaccount/account:Account",
        "gcp:compute/network:Network",
        CLUSTER,
        NODE_POOL,
    ],
)
def test_an_engine_that_is_killed_is_recovered_from(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path, token: str
) -> None:
    """Q1: SIGKILL while the cloud makes something of this type: a lock, operations that nobody ended."""
    platform.edit_stack_file("dev", keep_two_pools)
    world = open_world(platform)
    world.set_pace(token, 0.01)
    kill_engine_once(platform, "dev", lambda: bool(world.objects(token)), f"the cloud makes {token}")
    world.set_pace(token, 0.001)
    recover(platform, "dev", tmp_path)
    delete_doubles(platform, "dev")
    require_same(platform, undisturbed)
