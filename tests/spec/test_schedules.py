"""Schedules are what Kubernetes takes, and come up."""

import pytest

from headroom.spec.schedules import require_schedule


@pytest.mark.parametrize(
    "text",
    [
        "23 5 * * *",
        "* * * * *",
        "*/5 0-23/2 1,15 1-12 1-5",
        "0 0 31 1,2 *",
        "0 0 29 2 *",
        "0 0 31 2 0",
        "5/20 * * * *",
    ],
)
def test_a_schedule_that_comes_up_is_taken(text: str) -> None:
    assert require_schedule(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@daily", "five fields"),
        ("23 5 * *", "five fields"),
        ("23 5 * * * *", "five fields"),
        ("TZ=UTC 23 5 * * *", "five fields"),
        ("60 5 * * *", "minute must be from 0 to 59"),
        ("0 24 * * *", "hour must be from 0 to 23"),
        ("0 0 0 * *", "day must be from 1 to 31"),
        ("0 0 * 13 *", "month must be from 1 to 12"),
        ("0 0 * * 7", "weekday must be from 0 to 6"),
        ("0 9-5 * * *", "the smaller number first"),
        ("*/0 * * * *", "minute must be"),
        ("0 0 * jan *", "month must be numbers"),
        ("0,, 0 * * *", "minute must be numbers"),
        ("? 0 * * *", "minute must be numbers"),
        ("0 0 30 2 *", "never comes up"),
        ("0 0 31 4,6,9 *", "never comes up"),
    ],
)
def test_anything_else_is_refused_with_the_field(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        require_schedule(text)
