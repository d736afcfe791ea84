"""Maintenance windows: what fits into a snooze, and what may be asked of Google when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.mutes import HEAD_START, KEPT_AFTER_END, Window, find_window, plan_mute
from headroom.spec.alerting import Mute

START, END = datetime(2026, 12, 1, 22, tzinfo=UTC), datetime(2026, 12, 2, 4, tzinfo=UTC)
TIMES = {"start": "2026-12-01T22:00:00Z", "end": "2026-12-02T04:00:00Z"}
MUTE = Mute.model_validate(TIMES)


@given(st.integers(0, 200))
def test_every_policy_is_muted_once_by_snoozes_of_at_most_16(count: int) -> None:
    policies = [f"p{number}" for number in range(count)]
    snoozes = plan_mute("m", MUTE, policies).snoozes
    assert [policy for snooze in snoozes for policy in snooze.policies] == policies
    assert all(1 <= len(snooze.policies) <= 16 and not snooze.filter for snooze in snoozes)
    assert len({snooze.key for snooze in snoozes}) == len(snoozes) == -(-count // 16)


def test_a_snooze_of_one_pipeline_has_exactly_one_policy() -> None:
    mute = Mute.model_validate(TIMES | {"pipelines": ["feed", "fraud"]})
    snoozes = plan_mute("m", mute, ["a", "b"]).snoozes
    assert [(snooze.policies, snooze.filter) for snooze in snoozes] == [
        (("a",), 'metric.labels.pipeline="feed"'),
        (("a",), 'metric.labels.pipeline="fraud"'),
        (("b",), 'metric.labels.pipeline="feed"'),
        (("b",), 'metric.labels.pipeline="fraud"'),
    ]


def test_a_mute_to_come_is_asked_for_as_it_is() -> None:
    window = find_window(plan_mute("m", MUTE, ["a"]), START - timedelta(seconds=1))
    assert window == Window("2026-12-01T22:00:00Z", "2026-12-02T04:00:00Z", begun=False)


def test_a_mute_that_should_have_begun_begins_a_moment_from_now_since_google_takes_no_past() -> None:
    window = find_window(plan_mute("m", MUTE, ["a"]), START + timedelta(hours=1))
    assert window == Window("2026-12-01T23:02:00Z", "2026-12-02T04:00:00Z", begun=True)


def test_a_mute_that_ends_in_a_moment_does_not_begin_after_its_end() -> None:
    window = find_window(plan_mute("m", MUTE, ["a"]), END - HEAD_START / 2)
    assert window
    assert window.start == window.end


@pytest.mark.parametrize(("late", "is_kept"), [(KEPT_AFTER_END, True), (KEPT_AFTER_END * 1.01, False)])
def test_an_end_that_was_brought_forward_is_told_to_google_even_a_day_late(
    late: timedelta, is_kept: bool
) -> None:
    window = find_window(plan_mute("m", MUTE, ["a"]), END + late)
    assert (window is not None) == is_kept
