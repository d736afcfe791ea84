"""Q1, Q2: limits made complete and checked against what the pools have."""

from collections.abc import Callable
from typing import Any

import pytest

A = ["us-central1-a"]
CPU = {"cpu": {"guarantee": 4, "cap": 8}, "memory": {"guarantee": "16Gi", "cap": "32Gi"}}


def pipeline(kind: str, limits: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "model": "m", "owner": "user:a@b.co", "limits": limits}


@pytest.fixture
def pools(config: dict[str, Any]) -> dict[str, Any]:
    config["headroom:pools"] |= {
        "l4": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 2}},
        "v5e": {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"max": 2}},
    }
    config["headroom:pipelines"] = {}
    return config


@pytest.mark.parametrize("kind", ["serving", "training", "validation"])
@pytest.mark.parametrize(
    ("pool", "limits"),
    [("cpu", CPU), ("l4", {"gpus": {"guarantee": 1, "cap": 2}}), ("v5e", {"chips": {"guarantee": 16, "cap": 16}})],
)  # fmt: skip
def test_serving_training_and_validation_run_on_any_kind_of_pool(
    pools: dict[str, Any], plan_whole: Callable[[], Any], kind: str, pool: str, limits: dict[str, Any]
) -> None:
    """Q1."""
    pools["headroom:pipelines"]["p"] = pipeline(kind, {pool: limits})
    assert {limit.pool for limit in plan_whole().pipelines[0].limits} == {pool}


def test_data_pipelines_run_on_processors_only(
    pools: dict[str, Any], plan_whole: Callable[[], Any], refused: Callable[[], list[str]]
) -> None:
    """Q1."""
    pools["headroom:pipelines"]["p"] = pipeline("data", {"cpu": CPU})
    plan_whole()
    pools["headroom:pipelines"]["p"] = pipeline("data", {"l4": {"gpus": {"guarantee": 1, "cap": 1}}})
    assert refused() == [
        "headroom:pipelines.p.limits.l4: is a pool of accelerators; data pipelines run on processors only"
    ]


def test_memory_is_counted_beside_cpu(pools: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    """Q1."""
    pools["headroom:pipelines"]["p"] = pipeline("data", {"cpu": {"cpu": CPU["cpu"]}})
    assert refused() == [
        "headroom:pipelines.p.limits.cpu.memory: is required, such as {guarantee: 32Gi, cap: 64Gi}"
    ]


def test_on_accelerators_cpu_and_memory_default_to_the_hosts_share(
    pools: dict[str, Any], plan_whole: Callable[[], Any]
) -> None:
    pools["headroom:pipelines"]["p"] = pipeline("training", {"l4": {"gpus": {"guarantee": 1, "cap": 4}}})
    plan = plan_whole()
    limits = {limit.resource: limit for limit in plan.pipelines[0].limits}
    pool = next(pool for pool in plan.pools if pool.name == "l4")
    assert limits["cpu"].derived
    assert limits["cpu"].cap == pool.cpu_millis_per_node
    assert limits["cpu"].guarantee == pool.cpu_millis_per_node // 4
    assert limits["memory"].cap == pool.memory_bytes_per_node
    assert not limits["gpus"].derived


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"l5": {}},
            "headroom:pipelines.p.limits.l5: names no pool of this stack; choose one of cpu, l4, v5e",
        ),
        ({"cpu": CPU | {"gpus": {"guarantee": 0, "cap": 1}}}, "limits.cpu.gpus: the pool cpu has no gpus"),
        ({"v5e": {"gpus": {"guarantee": 1, "cap": 1}}}, "limits.v5e.gpus: the pool v5e has no gpus"),
        ({"v5e": {"cpu": CPU["cpu"]}}, "limits.v5e.chips: is required"),
        (
            {"v5e": {"chips": {"guarantee": 4, "cap": 16}}},
            "limits.v5e.chips.guarantee: is 4, and v5e is scheduled by whole slices of 16 chips; write 0 or 16",
        ),
        (
            {"v5e": {"chips": {"guarantee": 0, "cap": 9}}},
            "limits.v5e.chips.cap: is 9, and v5e is scheduled by whole slices of 16 chips; write 16",
        ),
    ],
)
def test_limits_that_no_pool_can_grant_are_refused(
    pools: dict[str, Any], refused: Callable[[], list[str]], limits: dict[str, Any], message: str
) -> None:
    pools["headroom:pipelines"]["p"] = pipeline("training", limits)
    assert any(message in problem for problem in refused()), refused()
