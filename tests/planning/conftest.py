"""Plans of single pools and of small platforms."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.node_pools import PoolPlan
from headroom.planning.plan import Plan, plan_config
from headroom.spec.errors import StackFileError

Planner = Callable[..., PoolPlan]


@pytest.fixture
def plan_one(config: dict[str, Any]) -> Planner:
    """Plan one pool, called `p`, in us-central1 unless told otherwise."""

    def plan(region: str = "us-central1", serving: dict[str, Any] | None = None, **pool: Any) -> PoolPlan:
        config["gcp:region"] = region
        config["headroom:cluster"]["zones"] = [f"{region}-a", f"{region}-b"]
        config["headroom:pools"] = {"p": pool}
        if serving:
            config["headroom:pipelines"] = {
                "s": {"kind": "serving", "model": "m", "owner": "user:a@b.co", "limits": {"p": serving}}
            }
        return plan_config(config, "test", "f").pools[0]

    return plan


@pytest.fixture
def plan_whole(config: dict[str, Any]) -> Callable[[], Plan]:
    """Plan the configuration as the test has changed it."""
    return lambda: plan_config(config, "test", "f")


@pytest.fixture
def refused(config: dict[str, Any]) -> Callable[[], list[str]]:
    """Return the problems of the configuration as the test has changed it."""

    def problems() -> list[str]:
        with pytest.raises(StackFileError) as refusal:
            plan_config(config, "test", "f")
        return [str(problem) for problem in refusal.value.problems]

    return problems


@pytest.fixture
def delivered(config: dict[str, Any]) -> dict[str, Any]:
    """The serving pipeline `s`, which is delivered, of a configuration that plans well; to change at will."""
    pipeline = {
        "kind": "serving",
        "model": "m",
        "owner": "group:owners@acme.dev",
        "demand": {
            "pool": "cpu",
            "qps": 100,
            "latency_ms": 80,
            "service_time_ms": 8,
            "replica": {"cpu": 1, "memory": "2Gi"},
        },
        "limits": {"cpu": {"cpu": {"guarantee": 2, "cap": 8}, "memory": {"guarantee": "4Gi", "cap": "16Gi"}}},
        "delivery": {"preset": "standard"},
    }
    config["headroom:delivery"] = {
        "approvals": {"begin": ["group:approvers@acme.dev"]},
        "validation_image": "us-docker.pkg.dev/acme-ml/tools/validate@sha256:" + "a1" * 32,
    }
    config["headroom:pipelines"] = {"s": pipeline}
    return pipeline
