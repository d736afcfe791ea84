"""D1, D2, D6, D8: how a rollout ends, given what the alerts say."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.delivery import simulation
from headroom.delivery.judging import Firing
from headroom.delivery.simulation import Outcome, Trial, decide_outcome, plan_watches
from headroom.planning.delivery import FreezePlan
from headroom.planning.rollouts import RolloutPlan
from tests.delivery.conftest import plan_of

FREEZE = FreezePlan(
    "fair", "UTC", datetime(2026, 12, 18, 17, tzinfo=UTC), datetime(2027, 1, 4, 7, tzinfo=UTC)
)


def rollout_of(pipeline: str = "feed-serving") -> RolloutPlan:
    """The feed's has 1200 queries a second and phases of half an hour: 5 %, 25 % and a hold, 50 %."""
    delivery = plan_of("prod").delivery
    assert delivery is not None
    found = delivery.find_rollout(pipeline)
    assert found is not None
    return found


def play(
    trial: Trial | None = None, firings: Mapping[str, Sequence[Firing]] | None = None, **changes: object
) -> Outcome:
    rollout = replace(rollout_of(), **changes)
    return decide_outcome(rollout, (FREEZE,), trial or Trial(), firings or {})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_no_alert_stops_reaches_everybody() -> None:
    outcome = play()
    assert (outcome.end, outcome.phase, outcome.reason) == ("everywhere", "canary-50", "")
    assert outcome.seconds == 3 * (60 + 1_800), "a minute until the route is changed, and then the watching"
    assert outcome.requests == pytest.approx(1_200 * 1_860 * (0.05 + 0.25 + 0.5))


def test_what_an_alert_stops_is_rolled_back_once_the_route_is_changed() -> None:
    """D8: the phases after it never come."""
    outcome = play(firings={"canary-5": (Firing("CanaryErrors", 300),)})
    assert (outcome.end, outcome.phase, outcome.reason) == ("rolled back", "canary-5", "CanaryErrors")
    assert (outcome.seconds, outcome.share) == (360, pytest.approx(0.05))
    assert outcome.requests == pytest.approx(1_200 * 0.05 * 360)
    assert outcome.day_share == pytest.approx(0.05 * 360 / 86_400)


def test_an_alert_of_a_later_phase_is_met_there() -> None:
    outcome = play(firings={"canary-50": (Firing("CanarySlow", 4_000),)})
    assert (outcome.end, outcome.phase, outcome.seconds) == ("rolled back", "canary-50", 4_060)


def test_nothing_begins_until_it_is_approved() -> None:
    """D1."""
    outcome = play(Trial(approved=False))
    assert (outcome.end, outcome.phase, outcome.reason, outcome.requests) == (
        "waits",
        "",
        "approval to begin",
        0,
    )
    unasked = replace(rollout_of().production, approval=False)
    assert play(Trial(approved=False), production=unasked).end == "everywhere"


def test_a_phase_that_holds_goes_on_only_when_somebody_lets_it() -> None:
    """D2: the phases before it go on by themselves."""
    outcome = play(Trial(increased=False))
    assert (outcome.end, outcome.phase, outcome.reason) == ("waits", "canary-25", "approval to increase")
    free = tuple(replace(phase, hold=False) for phase in rollout_of().phases)
    assert play(Trial(increased=False), phases=free).end == "everywhere"


def test_a_canary_that_is_bad_is_rolled_back_before_anybody_is_asked() -> None:
    outcome = play(Trial(increased=False), {"canary-25": (Firing("CanaryDrift", 2_000),)})
    assert outcome.end == "rolled back"


@pytest.mark.parametrize(
    ("begins", "end", "phase"),
    [
        ("2026-12-18T14:00", "everywhere", "canary-50"),
        ("2026-12-18T16:28", "waits", "canary-25"),
        ("2026-12-18T16:29", "waits", "canary-5"),
        ("2026-12-18T16:00", "waits", "canary-25"),
        ("2026-12-18T17:00", "refused", ""),
        ("2027-01-04T07:00", "everywhere", "canary-50"),
    ],
)
def test_a_freeze_stops_what_would_begin_or_go_on_in_it(begins: str, end: str, phase: str) -> None:
    outcome = play(Trial(begins=at(begins)))
    assert (outcome.end, outcome.phase) == (end, phase)
    assert outcome.reason == ("freeze fair" if end != "everywhere" else "")


def test_a_freeze_does_not_stop_the_rollback() -> None:
    """D6: the alert fires when the freeze has lasted for ten minutes."""
    bad = {"canary-5": (Firing("CanaryErrors", 900),)}
    outcome = play(Trial(begins=at("2026-12-18T16:55")), bad)
    assert (outcome.end, outcome.seconds) == ("rolled back", 960)


@pytest.mark.parametrize(("action", "retries"), [("ROLLBACK", 0), ("ROLLBACK", 1), ("RETRY_JOB", 1)])
def test_a_freeze_that_refused_more_would_stop_it(
    action: str, retries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "RESTRICTED", (*simulation.RESTRICTED, action))
    bad, trial = {"canary-5": (Firing("CanaryErrors", 900),)}, Trial(begins=at("2026-12-18T16:55"))
    assert play(trial, bad, retries=retries).end == "waits"


def test_a_first_release_skips_its_phases_and_is_judged_by_nothing() -> None:
    """D4: all users have it at once, whatever it is like."""
    bad = {"canary-5": (Firing("CanaryErrors", 300),)}
    outcome = play(Trial(first=True, fault="errors"), bad)
    assert (outcome.end, outcome.share) == ("everywhere", 1.0)
    assert outcome.skipped == ("canary-5", "canary-25", "canary-50")
    assert play(Trial(first=True, approved=False)).end == "waits", "approval is asked for all the same"


def test_a_starved_trial_has_fewer_requests_than_the_plan_asks_for() -> None:
    rollout = rollout_of()
    assert simulation.count_qps(rollout, Trial(fault="starved")) < rollout.least_qps
    assert simulation.count_qps(rollout, Trial(fault="errors")) == rollout.qps


# The last watch ends after 5,580 seconds.
@given(st.lists(st.integers(0, 5_580), min_size=2, max_size=2).map(sorted))
def test_who_is_seen_sooner_has_answered_fewer(times: list[int]) -> None:
    sooner, later = (_rolled_back_at(seconds) for seconds in times)
    assert sooner.requests <= later.requests
    assert later.requests <= 1_200 * 0.5 * later.seconds


def _rolled_back_at(seconds: int) -> Outcome:
    watches = plan_watches(rollout_of())
    phase = next(watch.phase for watch in watches if seconds <= watch.end)
    outcome = play(firings={phase: (Firing("CanaryErrors", seconds),)})
    assert outcome.end == "rolled back"
    return outcome
