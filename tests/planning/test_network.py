"""Address ranges hold the pools at their peak, or the message says how wide they must be."""

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.network import check_network
from headroom.planning.plan import plan_config
from headroom.spec.network import Network
from tests.conftest import MINIMAL


def test_ranges_may_not_overlap(config: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    config["headroom:network"] = {"pods": "10.0.0.0/14"}
    assert refused() == ["headroom:network.pods: overlaps nodes, 10.0.0.0/20; choose ranges apart"]


def test_ranges_are_private(config: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    config["headroom:network"] = {"pods": "8.0.0.0/14"}
    assert refused()[0].startswith("headroom:network.pods: is no private range")


def test_sizes_that_do_not_depend_on_the_pools_are_stated(
    config: dict[str, Any], refused: Callable[[], list[str]], plan_whole: Callable[[], object]
) -> None:
    config["headroom:network"] = {"services": "10.32.0.0/27", "control_plane": "10.48.0.0/28"}
    plan_whole()
    config["headroom:network"] = {"services": "10.32.0.0/28", "control_plane": "10.48.0.0/29"}
    assert refused() == [
        "headroom:network.control_plane: must be a /28 or wider for the control plane",
        "headroom:network.services: must be a /27 or wider for the cluster's services",
    ]


def test_pods_that_do_not_fit_are_counted_in_the_message(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:network"] = {"pods": "10.64.0.0/22"}
    config["headroom:pools"]["cpu"]["nodes"]["max"] = 4
    # 4 nodes and one of an upgrade, 6 system nodes and one: 12 blocks of 256.
    assert refused() == [
        "headroom:network.pods: a /22 has 1,024 addresses, and the pods of 12 nodes need 3,072; "
        "use /20 or wider, or lower the pools' max"
    ]


@given(st.integers(1, 2000), st.integers(10, 24))
def test_a_range_of_the_advised_width_always_suffices(nodes: int, prefix: int) -> None:
    config = MINIMAL | {
        "headroom:pools": {"cpu": {"machine": "n2-standard-16", "nodes": {"max": nodes}}},
        "headroom:network": {"pods": "100.64.0.0/10"},
    }
    plan = plan_config(config, "test", "f")
    narrow = Network(pods=IPv4Network(("172.16.0.0", 32 - min(32 - prefix, 16))))
    for problem in check_network(narrow, plan.all_pools):
        if problem.path == "headroom:network.pods":
            advised = int(problem.message.split("use /")[1].split(" ")[0])
            assert advised < narrow.pods.prefixlen
            wide = Network.model_construct(**dict(narrow) | {"pods": IPv4Network((0, advised))})
            assert not any(
                "addresses" in found.message and found.path == problem.path
                for found in check_network(wide, plan.all_pools)
            )
