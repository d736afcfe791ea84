"""Maintenance windows: which alerts are muted, and from when to when.

Cloud Monitoring's snoozes hold at most 16 policies each, one where they say of which pipelines; they cannot
begin in the past, cannot be deleted, and once they are over cannot be changed
(cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.snoozes, 2026-11).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from headroom.spec.alerting import Mute

MOST_POLICIES_OF_A_SNOOZE = 16
KEPT_AFTER_END = timedelta(days=1)
"""So long a mute that is over is kept: an end that was brought forward is told to Google even late."""
HEAD_START = timedelta(minutes=2)
"""A mute that begins at once begins that much later: by then Google has been asked for it."""


@dataclass(frozen=True, slots=True)
class SnoozePlan:
    """A part of a mute that one snooze can hold; `policies` are keys of policies, `filter` may be empty."""

    key: str
    policies: tuple[str, ...]
    filter: str


@dataclass(frozen=True, slots=True)
class MutePlan:
    """A maintenance window."""

    name: str
    start: datetime
    end: datetime
    snoozes: tuple[SnoozePlan, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A time span as Google is asked for it; where it has `begun`, its start is no longer to be changed."""

    start: str
    end: str
    begun: bool


def plan_mute(name: str, mute: Mute, policies: Sequence[str]) -> MutePlan:
    """Return the snoozes that mute the policies of these keys."""
    snoozes = tuple(
        SnoozePlan(f"{name}-{number}", muted, filter_)
        for number, (muted, filter_) in enumerate(_parts(mute, policies))
    )
    return MutePlan(name, mute.start, mute.end, snoozes)


def find_window(plan: MutePlan, now: datetime) -> Window | None:
    """Return when to mute, as seen from `now`; None where it has been over for more than a day."""
    if now > plan.end + KEPT_AFTER_END:
        return None
    begun = now >= plan.start
    start = min(now + HEAD_START, plan.end) if begun else plan.start
    return Window(_zulu(start), _zulu(plan.end), begun)


def _parts(mute: Mute, policies: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    if not mute.pipelines:
        for muted in _chunks(policies, MOST_POLICIES_OF_A_SNOOZE):
            yield muted, ""
        return
    for policy in policies:
        for pipeline in mute.pipelines:
            yield (policy,), f'metric.labels.pipeline="{pipeline}"'


def _chunks(items: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk


def _zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
