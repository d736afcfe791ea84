"""Q4: estimates beside limits."""

from typing import Any

import pytest

from headroom.planning.comparison import Comparison, compare_limits, find_strays, new_limits
from headroom.planning.estimates import Observation
from headroom.planning.plan import assess
from headroom.spec.stack_file import parse_config

ABOUT = {"model": "m", "owner": "user:a@b.co"}
DEMAND = {"pool": "l4", "qps": 100, "latency_ms": 80, "service_time_ms": 12, "service_variation": 0.5}


def gpus(guarantee: int, cap: int) -> dict[str, Any]:
    return {"l4": {"gpus": {"guarantee": guarantee, "cap": cap}}}


@pytest.fixture
def world(config: dict[str, Any]) -> dict[str, Any]:
    config["headroom:pools"]["l4"] = {
        "machine": "g2-standard-48",
        "zones": ["us-central1-a"],
        "nodes": {"max": 8},
    }
    serving = ABOUT | {"kind": "serving"}
    config["headroom:pipelines"] = {
        "bare": serving | {"limits": gpus(1, 4)},
        "both": serving | {"demand": DEMAND, "limits": gpus(1, 2)},
        "free": serving | {"demand": DEMAND},
    }
    return config


def compare(
    world: dict[str, Any], *observations: Observation, names: tuple[str, ...] = ()
) -> dict[str, Comparison]:
    platform = parse_config(world, "f")
    pools = assess(platform, "test").pools
    return {each.pipeline: each for each in compare_limits(platform, pools, observations, names)}


def seen(pipeline: str, resource: Any, mean: float, peak: float, pool: str = "l4") -> Observation:
    return Observation(pipeline, pool, resource, 30, mean, peak, peak)


def test_a_pipeline_has_its_estimate_its_limit_and_the_difference(world: dict[str, Any]) -> None:
    """Q4."""
    (line,) = compare(world)["both"].lines
    assert line.amount is not None
    assert (line.amount.guarantee, line.amount.likely) == (2, 3)
    assert (line.limit, line.difference, line.standing) == ((1, 2), (1, 1), "short")


def test_an_estimate_without_limits_is_what_the_plan_takes(world: dict[str, Any]) -> None:
    found = compare(world)["free"]
    assert [(line.standing, line.difference) for line in found.lines] == [("estimated", None)]
    assert not found.short


def test_what_is_not_known_is_unknown_and_neither_short_nor_covered(world: dict[str, Any]) -> None:
    found = compare(world)["bare"]
    assert [(line.resource, line.limit, line.standing) for line in found.lines] == [
        ("gpus", (1, 4), "unknown")
    ]
    assert not found.short
    assert new_limits([found]) == {}


def test_use_gives_an_estimate_where_there_is_no_demand(world: dict[str, Any]) -> None:
    """Q4: from prototypes."""
    found = compare(world, seen("bare", "gpus", 1.5, 6.0))["bare"]
    (line,) = found.lines
    assert line.amount is not None
    assert (line.amount.guarantee, line.amount.likely, line.standing) == (2, 6, "short")
    assert new_limits([found]) == {"bare": {"l4": {"gpus": ("2", "6")}}}


def test_the_hosts_share_follows_the_devices(world: dict[str, Any]) -> None:
    """Cpu and memory of an accelerator's host are only estimated where the stack file limits them."""
    used = [seen("bare", "gpus", 1, 2), seen("bare", "cpu", 9_000, 9_000)]
    assert [line.resource for line in compare(world, *used)["bare"].lines] == ["gpus"]
    world["headroom:pipelines"]["bare"]["limits"]["l4"]["cpu"] = {"guarantee": 4, "cap": 8}
    assert {line.resource for line in compare(world, *used)["bare"].lines} == {"gpus", "cpu"}


def test_limits_that_are_the_estimate_are_not_written_again(world: dict[str, Any]) -> None:
    world["headroom:pipelines"]["both"]["limits"] = gpus(2, 3)
    assert new_limits(compare(world).values()) == {"free": {"l4": {"gpus": ("2", "3")}}}


def test_an_estimate_is_shown_although_the_limits_are_hopeless(world: dict[str, Any]) -> None:
    world["headroom:pipelines"]["both"]["limits"] = gpus(1, 1)
    found = compare(world)["both"]
    assert [line.standing for line in found.lines] == ["short"]
    assert "120% busy" in found.problems[0].message


def test_names_choose_the_pipelines(world: dict[str, Any]) -> None:
    assert compare(world, names=("free",)).keys() == {"free"}


def test_what_strangers_used_is_told_and_counts_for_nothing(world: dict[str, Any]) -> None:
    platform = parse_config(world, "f")
    pools = assess(platform, "test").pools
    used = [
        seen("gone", "gpus", 1, 2),
        seen("bare", "gpus", 1, 2, pool="t4"),
        seen("bare", "chips", 1, 2),
        seen("bare", "gpus", 1, 2),
    ]
    strays = find_strays(platform, pools, used)
    assert [each.split(" counts")[0] for each in strays] == [
        "what gone used of gpus in l4",
        "what bare used of gpus in t4",
        "what bare used of chips in l4",
    ]
    (line,) = compare(world, *used[:3])["bare"].lines
    assert line.standing == "unknown"
