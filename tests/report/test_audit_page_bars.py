"""Bars: widths are to the amounts as the whole is to the bar, and what is not known is not drawn."""

from dataclasses import replace
from itertools import pairwise

import pytest

from headroom.audit.ledger import PoolRow
from headroom.report.audit_page_bars import (
    NARROW,
    WIDE,
    divide_use,
    pool_bar,
    quota_bar,
    small_bar,
)
from tests.audit.worlds import World, flat, make_world, series


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


def row_of(world: World, pool: str = "l4", resource: str = "gpus") -> PoolRow:
    return next(row for row in world.audit().pools if (row.pool, row.resource) == (pool, resource))


def widths(bar) -> dict[str, float]:
    return {each.kind: each.width / WIDE for each in (*bar.promised, *(bar.used or ()))}


def test_a_pool_of_20_is_drawn_as_it_is_shared_and_used(healthy: World) -> None:
    """Q8: guarantee 12, shared 4, headroom 4; 8 + 2 used within guarantees, 2 borrowed, 2 by experiments."""
    bar = pool_bar(row_of(healthy.used("rank", "l4", "gpus", flat(10))))
    parts = {"guarantee": 12, "shared": 4, "headroom": 4, "within": 10, "borrowed": 2, "experiments": 2}
    assert widths(bar) == pytest.approx({kind: amount / 20 for kind, amount in parts.items()}, abs=1e-3)
    assert [each.kind for each in bar.used or ()] == ["within", "borrowed", "experiments"]
    assert {each.kind: each.x for each in bar.marks} == {"limit": WIDE, "there": WIDE, "peak": 218.4}
    assert "20 GPUs, 12 are guaranteed, 4 shared, 4 headroom" in bar.description
    assert "10 within guarantees, 2 borrowed, 2 by experiments" in bar.description


def test_parts_of_a_bar_meet_without_gap_or_overlap(healthy: World) -> None:
    for row in healthy.used("etl", "cpu", "cpu", flat(31_234)).audit().pools:
        bar = pool_bar(row)
        for parts in (bar.promised, bar.used or ()):
            for before, after in pairwise(parts):
                assert before.x + before.width == pytest.approx(after.x)
            assert parts[-1].x + parts[-1].width <= WIDE + 0.01


def test_more_promised_than_there_is_reaches_beyond_the_limit(healthy: World) -> None:
    row = row_of(healthy)
    over = replace(row, share=replace(row.share, guaranteed=24))
    bar = pool_bar(over)
    assert widths(bar) == pytest.approx(
        {"guarantee": 24 / 28, "headroom": 4 / 28, "within": 6 / 28, "experiments": 2 / 28}, abs=1e-3
    )
    limit = next(each for each in bar.marks if each.kind == "limit")
    assert limit.x == pytest.approx(WIDE * 20 / 28, abs=0.1)


def test_use_of_which_a_part_is_not_known_is_not_drawn(healthy: World) -> None:
    row = row_of(healthy)
    blind = replace(row, used=None, peak=None)
    assert divide_use(blind) is None
    bar = pool_bar(blind)
    assert bar.used is None
    assert {each.kind for each in bar.marks} == {"limit", "there"}
    assert "What is in use is not known." in bar.description


def test_a_quota_is_drawn_to_the_largest_of_its_numbers(healthy: World) -> None:
    world = healthy.grant("NVIDIA-L4-GPUS-per-project-region", 10)
    row = next(row for row in world.audit().quotas if row.quota.quota_id.startswith("NVIDIA-L4"))
    bar = quota_bar(row)
    assert bar.promised[0].width == pytest.approx(NARROW * 16 / 20)
    assert {each.kind: each.x for each in bar.marks} == {
        "limit": NARROW / 2,
        "drawn": NARROW,
        "peak": NARROW / 2,
    }
    assert "Granted 10; promised 16" in bar.description


@pytest.mark.parametrize(
    ("granted", "said"), [(-1, "Granted unlimited"), (None, "What is granted is not known")]
)
def test_a_quota_without_a_limit_has_no_mark_of_one(healthy: World, granted: int | None, said: str) -> None:
    row = replace(healthy.audit().quotas[0], granted=granted)
    bar = quota_bar(row)
    assert "limit" not in {each.kind for each in bar.marks}
    assert bar.description.startswith(said)


def test_an_empty_quota_is_no_division_by_zero(healthy: World) -> None:
    row = replace(healthy.audit().quotas[0], granted=0, drawn=0, promised=0, used=0, peak=0, provisioned=0)
    assert quota_bar(row).promised == ()


@pytest.mark.parametrize(
    ("used", "expected"),
    [(0, (72, 48, 0, 0)), (6, (72, 48, 36, 0)), (10, (72, 48, 48, 12)), (24, (36, 24, 24, 48))],
)
def test_a_small_bar_is_as_wide_as_its_cap_or_its_use(
    healthy: World, used: int, expected: tuple[int, ...]
) -> None:
    held = next(each for each in row_of(healthy).holdings if each.name == "rank")
    bar = small_bar(replace(held, used=used))
    assert (bar.cap, bar.guarantee, bar.used, bar.borrowed) == expected


def test_a_peak_of_a_series_that_ends_unknown_is_still_marked(healthy: World) -> None:
    row = row_of(healthy.used("rank", "l4", "gpus", series([8, 9, None])))
    assert row.peak is not None
    assert "peak" in {each.kind for each in pool_bar(row).marks}
