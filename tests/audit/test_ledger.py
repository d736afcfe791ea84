"""Q8: who has how much of what; pools count as pods ask, cloud quotas as the cloud counts."""

from dataclasses import replace
from typing import Any

import pytest

from headroom.audit.ledger import PoolRow, QuotaRow
from headroom.audit.snapshot import Unread
from tests.audit.worlds import World, flat, limits, make_world, pipeline


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


def quota(world: World, quota_id: str) -> QuotaRow:
    return next(row for row in world.audit().quotas if row.quota.quota_id == quota_id)


def pool(world: World, name: str, resource: str) -> PoolRow:
    return next(row for row in world.audit().pools if (row.pool, row.resource) == (name, resource))


def test_a_row_of_a_pool_says_what_is_granted_provisioned_promised_and_used(healthy: World) -> None:
    row = pool(healthy, "l4", "gpus")
    assert (row.share.capacity, row.provisioned, row.promised, row.caps) == (20, 20, 8 + 4 + 4, 12 + 8)
    assert (row.used, row.peak) == (4 + 2 + 2, 4 + 2 + 2)
    assert [(each.name, each.owner, each.guarantee, each.cap, each.used) for each in row.holdings] == [
        ("rank", "user:ada@acme.example", 8, 12, 4),
        ("seek", "user:bo@acme.example", 4, 8, 2),
        ("experiments", "", 4, 20, 2),
    ]


def test_what_is_beyond_the_guarantee_is_borrowed(healthy: World) -> None:
    row = pool(healthy.used("rank", "l4", "gpus", flat(11)), "l4", "gpus")
    assert row.holdings[0].borrowed == 3


def test_a_quota_counts_the_nodes_that_promises_take(healthy: World) -> None:
    row = quota(healthy, "NVIDIA-L4-GPUS-per-project-region")
    assert (row.granted, row.drawn, row.promised, row.provisioned) == (20, 20, 16, 20.0)
    assert (row.used, row.peak) == (10, 10)
    assert {each.name: (each.guarantee, each.cap, each.used) for each in row.holdings} == {
        "rank": (8.0, 12.0, 4.0),
        "seek": (4.0, 8.0, 2.0),
        "experiments": (4.0, 20.0, 2.0),
    }


def test_physical_and_allocatable_devices_are_never_mixed() -> None:
    """Four pods share a GPU: 80 devices for pods are 20 of the cloud's, and 12 promised are 3."""
    shared = {
        "machine": "g2-standard-48",
        "zones": ["us-central1-a"],
        "nodes": {"max": 5},
        "gpu": {"sharing": {"strategy": "time-sharing", "clients": 4}},
    }
    world = make_world(
        pools={"l4": shared},
        pipelines={"rank": pipeline("user:a@acme.example", "training", limits("l4", gpus=(12, 32)))},
        quota={"experiments": {"share": 0.2}},
    )
    devices = pool(world, "l4", "gpus")
    assert (devices.share.capacity, devices.share.headroom, devices.provisioned) == (80, 16, 80)
    cloud = quota(world, "NVIDIA-L4-GPUS-per-project-region")
    assert cloud.drawn == 20
    assert cloud.promised == 8  # 28 devices are two nodes of sixteen, with four GPUs each
    held = {each.name: each.guarantee for each in cloud.holdings}
    assert held["rank"] == pytest.approx(3.0)


def test_one_pipeline_that_is_not_known_makes_the_sum_unknown(healthy: World) -> None:
    """Unknown is never zero."""
    blind = healthy.but(
        queues=Unread("no answer"),
        queue_use=tuple(each for each in healthy.value("queue_use") if each.queue != "seek"),
    )
    row = pool(blind, "l4", "gpus")
    assert (row.used, row.peak, row.forecast) == (None, None, None)
    assert {each.name: each.used for each in row.holdings} == {"rank": 4, "seek": None, "experiments": 2}
    held = quota(blind, "NVIDIA-L4-GPUS-per-project-region").holdings
    assert {each.name: each.used for each in held}["seek"] is None


def test_without_nodes_nothing_is_known_to_be_provisioned(healthy: World) -> None:
    blind = healthy.but(nodes=Unread("no answer"))
    assert pool(blind, "l4", "gpus").provisioned is None
    assert quota(blind, "NVIDIA-L4-GPUS-per-project-region").provisioned is None


def test_what_queues_hold_now_comes_from_the_cluster_and_else_from_the_series(healthy: World) -> None:
    def hold(queue: Any) -> Any:
        return replace(queue, reserved=tuple(replace(each, total=7) for each in queue.reserved))

    row = pool(healthy.queue("rank", hold), "l4", "gpus")
    assert (row.holdings[0].used, row.holdings[0].peak) == (7, 7)
    assert pool(healthy.but(queues=Unread("no answer")), "l4", "gpus").holdings[0].used == 4


def test_slices_are_promised_as_a_whole(healthy: World) -> None:
    """16 chips are guaranteed and 16 stay free: two slices of four hosts."""
    row = quota(healthy, "TPU-LITE-PODSLICE-V5-per-project-region")
    assert (row.promised, row.drawn) == (32, 48)
