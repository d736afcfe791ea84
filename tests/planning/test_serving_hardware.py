"""Serving on larger hardware than training is pointed out, never forbidden (Q7)."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.plan import Plan
from headroom.planning.serving_hardware import compare_hardware

ZONES = ["us-central1-a"]
POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"machine": "n2-standard-16", "nodes": {"max": 4}},
    "l4": {"machine": "g2-standard-48", "zones": ZONES, "nodes": {"max": 4}},
    "quarter": {
        "machine": "a3-highgpu-8g",
        "zones": ZONES,
        "nodes": {"max": 1},
        "gpu": {"sharing": {"strategy": "mps", "clients": 16}},
    },
    "a100": {"machine": "a2-highgpu-8g", "zones": ZONES, "nodes": {"max": 4}},
    "v100": {
        "machine": "n1-standard-16",
        "zones": ZONES,
        "nodes": {"max": 2},
        "gpu": {"type": "nvidia-tesla-v100", "count": 2},
    },
    "h100": {"machine": "a3-highgpu-8g", "zones": ZONES, "nodes": {"max": 4}},
}
CPU = {"cpu": {"guarantee": 1, "cap": 2}, "memory": {"guarantee": "1Gi", "cap": "2Gi"}}


@pytest.fixture
def remarks(config: dict[str, Any], plan_whole: Callable[[], Plan]) -> Callable[..., list[str]]:
    """The remarks on a model that trains and serves on the pools named."""

    def find(trains: tuple[str, ...], serves: tuple[str, ...]) -> list[str]:
        def pipeline(kind: str, pools: tuple[str, ...]) -> dict[str, Any]:
            limits = {pool: CPU if pool == "cpu" else {"gpus": {"guarantee": 1, "cap": 1}} for pool in pools}
            return {"kind": kind, "model": "m", "owner": "user:a@b.co", "limits": limits}

        config["headroom:pools"] = {name: POOLS[name] for name in dict.fromkeys((*trains, *serves))}
        config["headroom:pipelines"] = {"s": pipeline("serving", serves)}
        if trains:
            config["headroom:pipelines"]["t"] = pipeline("training", trains)
        plan = plan_whole()
        found = compare_hardware(plan.pipelines, {pool.name: pool for pool in plan.pools})
        return [str(problem) for problem in found]

    return find


@pytest.mark.parametrize(
    ("trains", "serves"),
    [
        (("h100",), ("l4",)),
        (("h100",), ("h100",)),
        (("cpu",), ("cpu",)),
        (("l4", "h100"), ("a100",)),
        ((), ("h100",)),
        (("v100",), ("cpu",)),
        (("a100",), ("quarter",)),
    ],
)
def test_serving_on_smaller_or_equal_hardware_is_not_remarked_on(
    remarks: Callable[..., list[str]], trains: tuple[str, ...], serves: tuple[str, ...]
) -> None:
    """Q7."""
    assert remarks(trains, serves) == []


def test_serving_above_training_is_pointed_out_with_both_figures(remarks: Callable[..., list[str]]) -> None:
    """Q7."""
    (remark,) = remarks(("l4",), ("h100",))
    assert remark.startswith(
        "headroom:pipelines.s.limits.h100: serves on larger hardware than the model trains on"
    )
    assert "nvidia-h100-80gb above nvidia-l4 of pool l4, 989 to 121 TFLOP/s in 16 bits" in remark


def test_only_the_pools_above_the_best_training_pool_are_named(remarks: Callable[..., list[str]]) -> None:
    """Q7."""
    found = remarks(("l4", "a100"), ("l4", "a100", "h100"))
    assert [remark.split(":")[1] for remark in found] == ["pipelines.s.limits.h100"]


def test_an_accelerator_for_what_trains_on_processors_is_pointed_out(
    remarks: Callable[..., list[str]],
) -> None:
    """Q7."""
    (remark,) = remarks(("cpu",), ("l4",))
    assert "the model trains on processors" in remark


def test_without_published_peaks_memory_is_compared(remarks: Callable[..., list[str]]) -> None:
    """Q7: unknown is not fine."""
    (remark,) = remarks(("v100",), ("a100",))
    assert "40 to 16 GiB of memory" in remark
