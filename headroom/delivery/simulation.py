"""A rollout played through: phases of the plan, judged by its alerts, answered by people, stopped by freezes.

The traffic is that of a rollout which nothing stops. What alerts say at a moment depends on what came before
it alone, so the first that fires is the one that would have; what follows it is not read.

Not simulated: how long Cloud Deploy's jobs and a person's answer take, and chance.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from headroom.delivery.judging import Firing, Watch
from headroom.delivery.traffic import FAULTS, SICK, SOUND, Share, Traffic, add_bystanders
from headroom.planning.delivery import RESTRICTED, ROUTE_UPDATE_SECONDS, FreezePlan
from headroom.planning.rollouts import RolloutPlan

EVERYWHERE = "everywhere"
ROLLED_BACK = "rolled back"
WAITS = "waits"
REFUSED = "refused"

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rollout meets with."""

    fault: str | None = None
    """What is wrong with the new model, a key of FAULTS; None: nothing."""
    sick_stable: bool = False
    """Whether the present model is at fault."""
    sick_other: bool = False
    """Whether another model's canary, and the staging of this one, are at fault."""
    first: bool = False
    """Whether the pipeline has never been released before."""
    approved: bool = True
    """Whether somebody approves that it begins, where that is asked for."""
    increased: bool = True
    """Whether somebody lets it go on from phases that hold."""
    begins: datetime | None = None
    """When it begins, for the freezes; None: at a time without any."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rollout ended."""

    pipeline: str
    preset: str
    fault: str | None
    end: str
    """`everywhere`, `rolled back`, `waits` or `refused`."""
    phase: str
    """The phase it ended in; empty where none had begun."""
    reason: str
    """The alert that fired, or what it waits for or was refused by; empty where nothing was in the way."""
    seconds: int
    """From the first phase's beginning to the end."""
    requests: float
    """Requests that the new model answered until then, in the busy hour."""
    share: float
    """What share of all requests of that time they are; 1 where all go to it at once."""
    day_share: float
    """What share they are of a day as busy as the busy hour."""
    skipped: tuple[str, ...] = ()
    """Phases that are skipped as the pipeline has nothing to compare with."""


def plan_watches(rollout: RolloutPlan) -> tuple[Watch, ...]:
    """Return the phases in time: each begins when the one before has been watched."""
    watches, begin = [], 0
    for phase in rollout.phases:
        start = begin + ROUTE_UPDATE_SECONDS
        end = start + phase.watch_seconds
        watches.append(Watch(phase.id, phase.percent, begin, start, end, phase.hold))
        begin = end
    return tuple(watches)


def plan_traffic(rollout: RolloutPlan, trial: Trial) -> tuple[Traffic, ...]:
    """Return the requests of a rollout that nothing stops: those of the busy hour.

    A starved canary is asked half as often as the plan says it must be.
    """
    watches = plan_watches(rollout)
    traffic = Traffic(
        environment=rollout.production.environment,
        pipeline=rollout.pipeline,
        qps=count_qps(rollout, trial),
        stable=SICK if trial.sick_stable else SOUND,
        canary=FAULTS[trial.fault] if trial.fault else SOUND,
        shares=tuple(Share(watch.begin, watch.percent) for watch in watches),
        end_seconds=watches[-1].end,
    )
    return add_bystanders(traffic, sick_other=trial.sick_other)


def count_qps(rollout: RolloutPlan, trial: Trial) -> float:
    """Return how many queries a second all of the pipeline's users send."""
    return rollout.least_qps / 2 if trial.fault == "starved" else rollout.qps


def decide_outcome(
    rollout: RolloutPlan,
    freezes: Sequence[FreezePlan],
    trial: Trial,
    firings: Mapping[str, Sequence[Firing]],
) -> Outcome:
    """Return how the rollout ends, given which alerts the watch of each phase sees, and when."""
    watches = plan_watches(rollout)
    if frozen := _find_freeze(freezes, "CREATE", trial, 0):
        return _end(rollout, trial, REFUSED, frozen)
    if rollout.production.approval and not trial.approved:
        return _end(rollout, trial, WAITS, "approval to begin")
    if trial.first:
        skipped = tuple(watch.phase for watch in watches)
        return _end(rollout, trial, EVERYWHERE, "", skipped=skipped)
    for watch in watches:
        if seen := firings.get(watch.phase):
            return _repair(rollout, freezes, trial, watch, seen[0])
        if reason := _find_hindrance(freezes, trial, watch):
            return _end(rollout, trial, WAITS, reason, watch, watch.end)
    return _end(rollout, trial, EVERYWHERE, "", watches[-1], watches[-1].end)


def _find_hindrance(freezes: Sequence[FreezePlan], trial: Trial, watch: Watch) -> str:
    """Return what keeps a phase that was watched to its end from going on; empty: nothing."""
    if watch.hold and not trial.increased:
        return "approval to increase"
    return _find_freeze(freezes, "ADVANCE", trial, watch.end)


def _repair(
    rollout: RolloutPlan, freezes: Sequence[FreezePlan], trial: Trial, watch: Watch, firing: Firing
) -> Outcome:
    """A retry fails at once, as the alert still fires; where a freeze refuses one, the repair ends there."""
    for action in (*["RETRY_JOB"] * rollout.retries, "ROLLBACK"):
        if frozen := _find_freeze(freezes, action, trial, firing.seconds):
            return _end(rollout, trial, WAITS, frozen, watch, firing.seconds)
    end = firing.seconds + ROUTE_UPDATE_SECONDS
    return _end(rollout, trial, ROLLED_BACK, firing.alert, watch, end)


def _find_freeze(freezes: Sequence[FreezePlan], action: str, trial: Trial, seconds: int) -> str:
    """Return what is told of the freeze that refuses the action then; empty where none does."""
    if trial.begins is None or action not in RESTRICTED:
        return ""
    moment = trial.begins + timedelta(seconds=seconds)
    return next((f"freeze {freeze.name}" for freeze in freezes if freeze.holds(moment)), "")


def _end(
    rollout: RolloutPlan,
    trial: Trial,
    end: str,
    reason: str,
    watch: Watch | None = None,
    seconds: int = 0,
    skipped: tuple[str, ...] = (),
) -> Outcome:
    qps = count_qps(rollout, trial)
    requests = sum(qps * percent / 100 * length for percent, length in _list_shares(rollout, seconds))
    return Outcome(
        pipeline=rollout.pipeline,
        preset=rollout.preset,
        fault=trial.fault,
        end=end,
        phase=watch.phase if watch else "",
        reason=reason,
        seconds=seconds,
        requests=requests,
        share=_share(requests, qps * seconds, everybody=bool(skipped)),
        day_share=requests / (qps * _DAY_SECONDS),
        skipped=skipped,
    )


def _share(requests: float, of_all: float, *, everybody: bool) -> float:
    if everybody:
        return 1.0
    return requests / of_all if of_all else 0.0


def _list_shares(rollout: RolloutPlan, end: int) -> Iterator[tuple[int, int]]:
    """Yield the per cent of each phase and for how long they went to the new model before the end."""
    watches: Iterable[Watch] = plan_watches(rollout)
    begins = [*((watch.begin, watch.percent) for watch in watches), (end, 0)]
    for (begin, percent), (after, _) in pairwise(begins):
        if begin < end:
            yield percent, min(after, end) - begin
