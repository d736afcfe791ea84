"""How far releases are: where each stands, who has to act, and by which command."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from headroom.alerts.durations import format_duration
from headroom.delivery.commands import commands_of, region_arguments, step_command
from headroom.delivery.names import name_people
from headroom.planning.plan import Plan
from headroom.planning.rollouts import STABLE, PhasePlan, RolloutPlan

PENDING_APPROVAL, IN_PROGRESS, SUCCEEDED = "PENDING_APPROVAL", "IN_PROGRESS", "SUCCEEDED"
"""States of rollouts (cloud.google.com/deploy/docs/api/reference/rest/v1/
projects.locations.deliveryPipelines.releases.rollouts#state, 2026-11)."""

UNBEGUN = (PENDING_APPROVAL, "APPROVAL_REJECTED", "PENDING", "PENDING_RELEASE")
"""States of rollouts that have changed nothing yet, or never will."""

NOBODY = "nobody"

_STOPPED = ("FAILED", "CANCELLED", "HALTED")

_PASSED = ("SUCCEEDED", "SKIPPED")
_SAID = {
    "PENDING": "waits for the rollout before it",
    "PENDING_RELEASE": "waits until it is rendered",
    "APPROVAL_REJECTED": "was rejected",
    "CANCELLING": "is being cancelled",
    "CANCELLED": "was cancelled",
    "HALTED": "was halted",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a rollout, and its state as Cloud Deploy says it."""

    id: str
    state: str


@dataclass(frozen=True, slots=True)
class Release:
    """A release; `rendering` is the state of that."""

    name: str
    created: str
    """When, in RFC 3339 and UTC."""
    rendering: str
    abandoned: bool


@dataclass(frozen=True, slots=True)
class Rollout:
    """A release on its way to a target; `name` is the resource's full one."""

    name: str
    release: str
    target: str
    state: str
    created: str
    phases: tuple[Phase, ...]
    rollback_of: str
    """The rollout that it rolls back, by its full name; empty: it is no rollback."""
    rolled_back_by: tuple[str, ...]
    failure: str

    @property
    def id(self) -> str:
        """The rollout's name within its release."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of Cloud Deploy: a POST of `body` to `path`, below the version of the API."""

    path: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a release stands; `waits_for` are people or what goes on by itself, `command` is who acts's."""

    release: str
    stage: str
    phase: str
    state: str
    waits_for: str
    command: str


def name_delivery_pipeline(plan: Plan, pipeline: str) -> str:
    """Return the full name of the resource that delivers a pipeline."""
    commands = commands_of(plan, pipeline)
    return (
        f"projects/{commands.project}/locations/{commands.region}/deliveryPipelines/"
        f"{commands.delivery_pipeline}"
    )


def sort_latest(rollouts: Iterable[Rollout], target: str) -> list[Rollout]:
    """Return the rollouts to a target, the latest first."""
    return sorted((each for each in rollouts if each.target == target), key=lambda each: each.created)[::-1]


def find_live(rollouts: Iterable[Rollout], target: str) -> Rollout | None:
    """Return the rollout whose model all users of the target have; None where none succeeded yet."""
    return next((each for each in sort_latest(rollouts, target) if each.state == SUCCEEDED), None)


def find_position(rollout: Rollout) -> tuple[str, str]:
    """Return the last phase that a rollout has passed and the one that comes or runs now.

    Either is empty where there is none.
    """
    passed = [phase.id for phase in rollout.phases if phase.state in _PASSED]
    coming = next((phase for phase in rollout.phases if phase.state not in _PASSED), None)
    return passed[-1] if passed else "", coming.id if coming else ""


def find_held(plan: RolloutPlan, rollout: Rollout) -> PhasePlan | None:
    """Return the phase after which a rollout waits to be let on; None where it does not wait for that."""
    region = plan.find_region(rollout.target)
    if rollout.state != IN_PROGRESS or region is None:
        return None
    passed, coming = find_position(rollout)
    is_waiting = any(phase.id == coming and phase.state == "PENDING" for phase in rollout.phases)
    return next((phase for phase in region.phases if is_waiting and phase.hold and phase.id == passed), None)


def is_return(rollout: Rollout, rollouts: Iterable[Rollout]) -> bool:
    """Whether a rollout is the rollback to a release that the target had before and that was not rolled back
    itself: none of the new ones that ask for an approval to begin."""
    return bool(rollout.rollback_of) and any(
        each.release == rollout.release
        and each.target == rollout.target
        and each.state == SUCCEEDED
        and not each.rolled_back_by
        and each.created < rollout.created
        for each in rollouts
    )


def is_way_back(rollout: Rollout, rollouts: Iterable[Rollout]) -> bool:
    """Whether a rollout does no more than undo a canary that failed: nobody has to judge that.

    It is the latest to its target, rolls back the one just before it, which failed or was stopped, and brings
    what all users had until then. Any other rollback chooses a release, which is for people.
    """
    latest = sort_latest(rollouts, rollout.target)
    if not latest or latest[0].name != rollout.name or not is_return(rollout, latest):
        return False
    before = [each for each in latest[1:] if each.state not in UNBEGUN]
    if not before or before[0].name != rollout.rollback_of or before[0].state not in _STOPPED:
        return False
    live = find_live(before[1:], rollout.target)
    return live is not None and live.release == rollout.release and not live.rolled_back_by


def list_standings(
    plan: Plan, delivered: RolloutPlan, releases: Iterable[Release], rollouts: Iterable[Rollout]
) -> tuple[Standing, ...]:
    """Return where each release stands, region by region, the one in which something happened last first."""
    rollouts = tuple(rollouts)
    found: list[tuple[str, Standing]] = []
    for release in releases:
        own = [each for each in rollouts if each.release == release.name]
        last = max([release.created, *(each.created for each in own)])
        for latest in _list_latest(delivered, own) or [None]:
            live = find_live(rollouts, latest.target) if latest else None
            standing = _stand(plan, delivered, release, latest, live)
            if latest and latest == live:
                standing = _await_next(delivered, standing, latest, own)
            found.append((last, standing))
    return tuple(standing for _, standing in sorted(found, key=lambda pair: pair[0], reverse=True))


def _list_latest(delivered: RolloutPlan, own: Iterable[Rollout]) -> list[Rollout]:
    """The latest rollout to each region, in their order; where there is none yet, that to staging."""
    own = tuple(own)
    latest = [sort_latest(own, region.production.name)[:1] for region in delivered.regions]
    return [each for found in latest for each in found] or sort_latest(own, delivered.staging.name)[:1]


def _await_next(
    delivered: RolloutPlan, standing: Standing, rollout: Rollout, own: Iterable[Rollout]
) -> Standing:
    """A release that all users of a region have goes on to the next, unless it is there already."""
    region, reached = delivered.find_region(rollout.target), {each.target for each in own}
    if region is None or not delivered.further:
        return standing
    said = replace(standing, state="answers all users there")
    later = delivered.regions[delivered.regions.index(region) + 1 :]
    if not later or later[0].production.name in reached:
        return said
    wait = f" {format_duration(later[0].wait_seconds)} later" if later[0].wait_seconds else ""
    return replace(said, waits_for=f"promotion to {later[0].place}{wait}, by itself")


def _stand(
    plan: Plan, delivered: RolloutPlan, release: Release, latest: Rollout | None, live: Rollout | None
) -> Standing:
    if latest is None:
        return _stand_unrolled(plan, delivered, release)
    region = delivered.find_region(latest.target)
    stage = region.place if region else "staging"
    state, waits_for, command = _say(plan, delivered, latest, live)
    if release.abandoned and latest is not live:
        state, waits_for, command = "was abandoned", NOBODY, ""
    passed, coming = find_position(latest)
    phase = passed if find_held(delivered, latest) else coming or passed
    return Standing(release.name, stage, phase, state, waits_for, command)


def _stand_unrolled(plan: Plan, delivered: RolloutPlan, release: Release) -> Standing:
    if release.abandoned:
        return Standing(release.name, "", "", "was abandoned", NOBODY, "")
    if release.rendering == "FAILED":
        command = commands_of(plan, delivered.pipeline).gcloud(f"releases describe {release.name}")
        return Standing(
            release.name, "", "", "cannot be rendered", name_people(delivered.approvals.release), command
        )
    return Standing(release.name, "", "", "is being rendered", "Cloud Deploy", "")


def _say(plan: Plan, delivered: RolloutPlan, rollout: Rollout, live: Rollout | None) -> tuple[str, str, str]:
    """What a rollout is doing, who has to act, and their command."""
    region = delivered.find_region(rollout.target)
    match rollout.state:
        case "PENDING_APPROVAL":
            return _say_pending(plan, delivered, rollout)
        case "IN_PROGRESS":
            return _say_running(plan, delivered, rollout)
        case "SUCCEEDED" if region is None:
            return "was validated", "promotion, by itself", ""
        case "SUCCEEDED" if rollout == live:
            return "answers all users", NOBODY, ""
        case "SUCCEEDED":
            return "was replaced", NOBODY, ""
        case "FAILED":
            return _say_failed(plan, delivered, rollout, region)
    waits_for = "Cloud Deploy" if rollout.state in ("PENDING", "PENDING_RELEASE", "CANCELLING") else NOBODY
    return _SAID.get(rollout.state, f"is in the state {rollout.state}"), waits_for, ""


def _say_pending(plan: Plan, delivered: RolloutPlan, rollout: Rollout) -> tuple[str, str, str]:
    region = delivered.find_region(rollout.target) or delivered
    people, where = region.approvals, ("--release", rollout.release, *region_arguments(region))
    command = step_command(plan, "approve", delivered.pipeline, *where)
    if rollout.rollback_of:
        return "the rollback to it waits for approval", name_people(people.approve), command
    return "waits for approval", name_people(people.begin), command


def _say_running(plan: Plan, delivered: RolloutPlan, rollout: Rollout) -> tuple[str, str, str]:
    if find_held(delivered, rollout):
        command = step_command(plan, "advance", delivered.pipeline, "--release", rollout.release)
        return "waits to be let on", name_people(delivered.approvals.increase), command
    _, coming = find_position(rollout)
    is_watched = coming not in ("", STABLE) and delivered.find_region(rollout.target) is not None
    return "is watched" if is_watched else "is being deployed", "nobody: it goes on by itself", ""


def _say_failed(
    plan: Plan, delivered: RolloutPlan, rollout: Rollout, region: RolloutPlan | None
) -> tuple[str, str, str]:
    if region is None:
        return "failed", name_people(delivered.approvals.release), _describe(plan, delivered, rollout)
    if rollout.rolled_back_by:
        return "failed, and a rollback was begun", NOBODY, ""
    command = step_command(plan, "rollback", delivered.pipeline, *region_arguments(region))
    return "failed", f"the rollback, by itself; else {name_people(delivered.approvals.roll_back)}", command


def _describe(plan: Plan, delivered: RolloutPlan, rollout: Rollout) -> str:
    commands = commands_of(plan, delivered.pipeline)
    return commands.gcloud(f"rollouts describe {rollout.id}", f"--release={rollout.release}")
