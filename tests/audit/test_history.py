"""Q8: one line for each audit, and what differs between two."""

from datetime import timedelta

import pytest

from headroom.audit.history import Move, compare, find_entry, note, parse_history, render_entry
from headroom.spec.errors import StackFileError
from tests.audit.worlds import NOW, World, flat, make_world

L4 = "NVIDIA-L4-GPUS-per-project-region"


@pytest.fixture(scope="module")
def healthy() -> World:
    return make_world()


def test_an_entry_is_one_line_and_comes_back_as_it_was(healthy: World) -> None:
    entry = note(healthy.used("rank", "l4", "gpus", flat(12)).audit())
    line = render_entry(entry)
    assert "\n" not in line
    assert parse_history(f"{line}\n\n{line}\n", "history.jsonl") == (entry, entry)


def test_two_audits_differ_in_findings_and_in_figures(healthy: World) -> None:
    before = note(healthy.used("rank", "l4", "gpus", flat(0)).audit())
    after = note(healthy.grant(L4, 400).quota_used(L4, flat(6)).audit())
    change = compare(before, after)
    assert change.appeared == (("granted-over-provisionable", f"{L4} in us-central1"),)
    assert change.gone == (("guarantee-idle", "rank/l4/gpus"),)
    assert change.moves == (
        Move(f"{L4}@us-central1", "granted", 20, 400),
        Move(f"{L4}@us-central1", "peak", 10, 6),
        Move("rank/l4/gpus", "peak", 0, 4),
    )
    assert compare(after, after).moves == ()


def test_an_entry_is_found_by_its_age_and_its_stack(healthy: World) -> None:
    entries = [note(healthy.but(at=NOW - timedelta(days=days)).audit()) for days in (10, 1, 3)]

    def at(since: str, stack: str = "test") -> int | None:
        found = find_entry(entries, stack, since, NOW)
        return (NOW - found.at).days if found else None

    assert [at("last"), at("2d"), at("24h"), at("1w"), at("2026-11-15"), at("2w")] == [1, 3, 1, 10, 10, None]
    assert at("last", "prod") is None


@pytest.mark.parametrize("since", ["", "yesterday", "d", "-3d", "3y"])
def test_what_is_no_time_is_refused(since: str) -> None:
    with pytest.raises(ValueError, match="must be last, a span such as 7d"):
        find_entry([], "test", since, NOW)


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", '{"version": 2}', '{"version": 1, "at": "x"}', '{"version": 1, "at": "2026-11-01", "stack": "s", "findings": [["a"]], "figures": {}}']
)  # fmt: skip
def test_a_line_that_is_no_entry_is_named(line: str) -> None:
    with pytest.raises(StackFileError, match=r"history\.jsonl: line 2: is no entry"):
        parse_history(f"\n{line}\n", "history.jsonl")


@pytest.mark.parametrize("since", ["99999999999999d", "999999d", pytest.param("9" * 5000 + "h", id="digits")])
def test_a_span_longer_than_time_is_refused(since: str) -> None:
    with pytest.raises(ValueError, match="is a span that begins before the year 1"):
        find_entry([], "test", since, NOW)
