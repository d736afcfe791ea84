"""Delays are drawn from a seed, scaled, and on by default."""

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.google.cloud import Cloud
from sandbox.google.delays import DEFAULT_SCALE, SCALE, SEED, Pace, parse_scale, read_pace
from sandbox.google.facts import load_table
from tests.sandbox.google.conftest import SETTINGS

POOL = "gcp:container/nodePool:NodePool"
BUCKET = "gcp:storage/bucket:Bucket"


def test_delays_are_on_where_nobody_set_anything(empty_cloud: Cloud) -> None:
    empty_cloud.store.turn(SCALE, "")

    assert read_pace(empty_cloud.store, {}) == Pace("0", DEFAULT_SCALE)
    assert Pace().duration(POOL, "p", "create") > 0


def test_the_environment_stands_before_what_the_world_was_told(empty_cloud: Cloud) -> None:
    empty_cloud.store.turn(SEED, "7")
    empty_cloud.store.turn(SCALE, "0.5")

    assert read_pace(empty_cloud.store, {}) == Pace("7", 0.5)
    environment = {"HEADROOM_CLOUD_SEED": "8", "HEADROOM_CLOUD_SCALE": "0"}
    assert read_pace(empty_cloud.store, environment) == Pace("8", 0.0)


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf", "1e999"])
def test_a_scale_that_is_no_number_of_zero_or_more_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number of 0 or more"):
        parse_scale(text)


@given(st.text(max_size=5), st.text(max_size=20))
def test_the_same_seed_gives_the_same_delays_within_the_bounds_of_the_table(seed: str, identity: str) -> None:
    quickest, slowest = load_table("delays")["operations"][POOL]
    duration = Pace(seed, 0.01).duration(POOL, identity, "create")

    assert quickest * 0.01 <= duration <= slowest * 0.01
    assert duration == Pace(seed, 0.01).duration(POOL, identity, "create")


def test_other_seeds_give_other_delays() -> None:
    assert len({Pace(str(seed)).duration(POOL, "p", "create") for seed in range(20)}) > 15


@pytest.mark.parametrize("kind", ["service", "account", "agent", "grant", "identity_pool"])
def test_what_is_late_is_seen_only_after_its_creation_ended(kind: str) -> None:
    pace = Pace("1", 1)

    assert pace.lag(kind, BUCKET, "t") > pace.duration(BUCKET, "t", "create")
    assert Pace("1", 0).lag(kind, BUCKET, "t") == 0


def finishing_order(cloud: Cloud, seed: str) -> list[str]:
    """The order in which ten creations end that began together."""
    with cloud.store.transaction():
        cloud.store.turn(SEED, seed)
        cloud.store.turn(SCALE, "0.02")
    ended: list[str] = []

    def create(name: str) -> Callable[[], None]:
        def run() -> None:
            cloud.create(BUCKET, {"name": f"{name}-{seed}"}, SETTINGS)
            ended.append(name)
            cloud.store.close()

        return run

    threads = [threading.Thread(target=create(f"bucket-{number}")) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def test_operations_that_begin_together_end_in_an_order_of_their_own(cloud: Cloud) -> None:
    first, second = (finishing_order(cloud, seed) for seed in ("1", "2"))

    assert sorted(first) == sorted(second)
    assert first != second


def test_an_operation_takes_its_time(cloud: Cloud) -> None:
    with cloud.store.transaction():
        cloud.store.turn(SCALE, "0.01")
    started = time.perf_counter()
    cloud.create(BUCKET, {"name": "events"}, SETTINGS)

    quickest, _ = load_table("delays")["operations"]["default"]
    assert time.perf_counter() - started >= quickest * 0.01
