"""When jobs run: five fields as cron has them, in UTC."""

import re
from calendar import monthrange
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_PART: Final = re.compile(r"(?:\*|(?P<first>[0-9]{1,2})(?:-(?P<last>[0-9]{1,2}))?)(?:/(?P<step>[0-9]{1,2}))?")
_LEAP_YEAR: Final = 2028


def require_schedule(text: str) -> str:
    """Return `text` if it is a schedule that Kubernetes takes and that comes up; raise ValueError.

    Fields are minute, hour, day of the month, month, and day of the week with 0 for Sunday: numbers, ranges,
    lists, `*` and steps, no names and no words such as @daily
    (kubernetes.io/docs/concepts/workloads/controllers/cron-jobs, 2026-11).
    """
    fields = text.split(" ")
    if len(fields) != len(_FIELDS):
        raise ValueError("must be the five fields of cron, one blank apart, such as 23 5 * * *")
    values = [_read(field, name, low, high) for field, (name, low, high) in zip(fields, _FIELDS, strict=True)]
    _, _, days, months, _ = values
    if fields[4] == "*" and min(days) > max(monthrange(_LEAP_YEAR, month)[1] for month in months):
        raise ValueError("names a day that none of its months has, so it never comes up")
    return text


def _read(field: str, name: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"its {name} must be numbers, ranges, lists or steps, such as 5, 1-5 or */2")
        first = int(match["first"]) if match["first"] else low
        last = int(match["last"]) if match["last"] else high if not match["first"] or match["step"] else first
        step = int(match["step"] or 1)
        if not low <= first <= last <= high or step < 1:
            raise ValueError(f"its {name} must be from {low} to {high}, the smaller number first")
        found |= set(range(first, last + 1, step))
    return found


Schedule = Annotated[
    str,
    StringConstraints(max_length=128),
    AfterValidator(require_schedule),
    Field(examples=["23 5 * * *"]),
]
"""Five fields of cron, in UTC."""
