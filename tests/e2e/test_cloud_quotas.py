"""Requests for quota through the real engine: made, adopted, raised, and in force for good."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.catalog.facts import load_facts
from headroom.live.connection import ENDPOINT_VARIABLE
from sandbox.engine.workspace import SOURCE_ROOT
from sandbox.google.apis import admin
from sandbox.google.apis.server import serve
from sandbox.google.quota_preferences import PREFERENCE
from sandbox.google.store import LIVE, Store, WorldObject
from sandbox.google.world import World
from tests.e2e.conftest import EngineSandbox, Update
from tests.e2e.outcomes import open_world

PROJECT = "acme-ml-dev"
N2 = "N2-CPUS-per-project-region/us-central1"
KEY = "dev-quota-n2-cpus-us-central1"
CONSOLE = "console-7f3a"
Headroom = Callable[..., subprocess.CompletedProcess[str]]


PROGRAM = """
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi
import pulumi_gcp as gcp

from infra.components.base import Scope
from infra.components.cloud_quotas import CloudQuotas
from infra.components.services import Services
from infra.config import load_plan
from infra.retries import retry_hook

plan = load_plan()
provider = gcp.Provider("dev-google", project=plan.project, region=plan.region)
scope = Scope("dev", plan.project, plan.region, False, provider, retry_hook())
services = Services(scope, ["container", "cloudquotas"])
pulumi.export("quotaRequests", CloudQuotas(scope, plan.quota_requests, services).answers)
"""
"""The part of the environment that asks for quota, without the hundreds of resources beside it."""


def keep_one_pool(config: dict[str, Any]) -> None:
    config["headroom:pools"] = {"cpu": {"machine": "n2-standard-16", "nodes": {"max": 12}}}
    config["headroom:pipelines"] = {}


@pytest.fixture
def world(platform: EngineSandbox) -> World:
    """A project whose APIs are enabled, with 100 N2 processors where the pool draws 208."""
    world = open_world(platform)
    store = Store(platform.sandbox.cloud)
    admin.enable_apis(store, PROJECT, [row["api"] for group in load_facts("apis") for row in group["apis"]])
    store.close()
    world.set_quota(PROJECT, N2, 100)
    platform.edit_stack_file("dev", keep_one_pool)
    for name in ("infra", "quotas"):  # The program reads the grants that lie beside it.
        (platform.project / name).unlink()
        shutil.copytree(SOURCE_ROOT / name, platform.project / name)
    (platform.project / "infra" / "__main__.py").write_text(PROGRAM)
    return world


@pytest.fixture
def headroom(platform: EngineSandbox) -> Headroom:
    command = Path(sys.executable).with_name("headroom")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        with serve(platform.sandbox.cloud) as url:
            return subprocess.run(
                [command, *arguments, "-s", "dev"],
                cwd=platform.project,
                env=os.environ | {ENDPOINT_VARIABLE: url},
                capture_output=True,
                text=True,
                check=False,
            )

    return run


def preferences(world: World) -> list[WorldObject]:
    return world.objects(PREFERENCE, LIVE)


def requests(headroom: Headroom) -> dict[str, tuple[int, int | None, str]]:
    """What the plan asks for after a pull: amount, what came of it, state; by name."""
    assert headroom("quota", "pull").returncode == 0
    planned = json.loads(headroom("plan", "--json").stdout)["quota_requests"]["requests"]
    return {each["name"]: (each["preferred"], each["granted"], each["state"]) for each in planned}


def answer(platform: EngineSandbox) -> tuple[int, int | None, str]:
    found = platform.outputs("dev")["quotaRequests"][KEY]
    return found["preferredValue"], found["grantedValue"], found["state"]


def operation(update: Update) -> str:
    """What a successful update did to the request."""
    events = (event.get("resourcePreEvent") for event in update.require_success().events)
    (found,) = [
        event["metadata"]["op"] for event in events if event and event["metadata"]["urn"].endswith(f"::{KEY}")
    ]
    return found


def run_printed_import(platform: EngineSandbox, text: str) -> None:
    """Run the one command of `text` that imports, as it stands there."""
    (line,) = [line.strip() for line in text.splitlines() if " pulumi import " in line]
    words = shlex.split(line)
    done = platform.pulumi(*words[words.index("pulumi") + 1 :], "--yes")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_asked_for_in_the_console_is_imported_and_then_raised(
    platform: EngineSandbox, world: World, headroom: Headroom
) -> None:
    """Q2: without the import the request collides, with it the one that is there is raised, and stays ours."""
    world.request_quota(PROJECT, N2, 150, CONSOLE)
    assert requests(headroom) == {CONSOLE: (208, 100, "to be asked")}
    refused = platform.up("dev")
    assert any("already exists" in error for error in refused.errors), refused.errors

    shown = headroom("quota", "show").stdout
    run_printed_import(platform, shown)
    assert operation(platform.up("dev")) == "update"
    (raised,) = preferences(world)
    assert raised.properties["name"] == CONSOLE
    assert raised.properties["quotaConfig"]["preferredValue"] == "208"
    assert raised.properties["contactEmail"] == "ada@acme.example"
    assert answer(platform) == (208, 100, "pending")
    assert requests(headroom) == {CONSOLE: (208, 100, "pending")}
    platform.up("dev", "--expect-no-changes").require_success()

    run_printed_import(platform, shown)
    platform.up("dev", "--expect-no-changes").require_success()


def test_a_request_is_answered_in_part_granted_raised_and_outlives_a_destroy(
    platform: EngineSandbox, world: World, headroom: Headroom
) -> None:
    """Q2: pending, partly granted and granted are told apart; the next raise is an update; `up` after
    `destroy` finds the request again.
    """
    assert requests(headroom) == {KEY: (208, None, "to be asked")}
    platform.up("dev").require_success()
    assert answer(platform) == (208, 100, "pending")
    for limit, state in ((150, "partly granted"), (208, "granted")):
        world.set_quota(PROJECT, N2, limit)
        assert requests(headroom) == {KEY: (208, limit, state)}
        platform.up("dev", "--refresh").require_success()
        assert answer(platform) == (208, limit, state)
    platform.up("dev", "--expect-no-changes").require_success()

    platform.edit_stack_file("dev", lambda config: config["headroom:pools"]["cpu"]["nodes"].update(max=20))
    world.answer_requests("at-once")
    assert operation(platform.up("dev")) == "update"
    assert answer(platform) == (336, 336, "granted")

    assert requests(headroom) == {KEY: (336, 336, "granted")}
    platform.destroy("dev").require_success()
    (kept,) = preferences(world)
    assert kept.properties["quotaConfig"]["grantedValue"] == "336"
    assert operation(platform.up("dev")) == "import"
    assert answer(platform) == (336, 336, "granted")
    assert len(preferences(world)) == 1
    platform.up("dev", "--expect-no-changes").require_success()
