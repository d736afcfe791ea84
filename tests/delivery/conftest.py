"""Releases of the production stack's pipelines, and of configurations that a test changes."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from headroom.delivery.releases import ModelImage, ReleasePlan, name_image, plan_release
from headroom.planning.plan import Plan, plan_config
from headroom.spec.server import Server
from headroom.spec.stack_file import load_config
from tests.conftest import ROOT

DIGEST = "sha256:" + "ab" * 32


@cache
def config_of(stack: str) -> dict[str, Any]:
    return load_config(ROOT / f"Pulumi.{stack}.yaml")


@cache
def plan_of(stack: str) -> Plan:
    return plan_config(config_of(stack), stack, f"Pulumi.{stack}.yaml")


def release_of(plan: Plan, pipeline: str, server: Server | None = None, version: str = "7") -> ReleasePlan:
    server = server or Server(image="m")
    assert plan.delivery is not None
    return plan_release(
        plan, pipeline, server, ModelImage(version, name_image(plan.delivery, server), DIGEST), "f"
    )


PIPELINES = [("prod", f"{name}-serving") for name in ("assistant", "feed", "fraud", "shelf")]
PIPELINES.append(("dev", "feed-serving"))


@pytest.fixture(params=PIPELINES, ids=lambda each: "-".join(each))
def release(request: pytest.FixtureRequest) -> ReleasePlan:
    """A release of each pipeline that the two stacks deliver."""
    stack, pipeline = request.param
    return release_of(plan_of(stack), pipeline)


@pytest.fixture
def feed() -> ReleasePlan:
    """A release of the feed in production: on L4, in the phases of the preset `standard`."""
    return release_of(plan_of("prod"), "feed-serving")


@pytest.fixture
def fraud() -> ReleasePlan:
    """A release of the fraud model in production, on processors."""
    return release_of(plan_of("prod"), "fraud-serving")


@pytest.fixture
def replan() -> Callable[[Callable[[dict[str, Any]], object]], Plan]:
    """Plan the production stack as a test has changed its configuration."""

    def change(edit: Callable[[dict[str, Any]], object]) -> Plan:
        config = copy.deepcopy(config_of("prod"))
        edit(config)
        return plan_config(config, "prod", "Pulumi.prod.yaml")

    return change
