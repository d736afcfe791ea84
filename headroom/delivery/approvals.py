"""Whether what somebody asks of a release may be asked now: approving, letting it go on, rolling back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from headroom.delivery.commands import commands_of, region_arguments, step_command
from headroom.delivery.names import name_people
from headroom.delivery.progress import (
    IN_PROGRESS,
    PENDING_APPROVAL,
    SUCCEEDED,
    Release,
    Request,
    Rollout,
    find_held,
    find_position,
    is_return,
    is_way_back,
    name_delivery_pipeline,
    sort_latest,
)
from headroom.delivery.regions import find_present, find_returning
from headroom.planning.delivery import FREEZES
from headroom.planning.plan import Plan
from headroom.planning.rollouts import STABLE, RolloutPlan
from headroom.spec.errors import suggest


class RefusedError(Exception):
    """What was asked may not be done now; the message says why and what to do."""


class UnknownReleaseError(ValueError):
    """There is no such release of this pipeline."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did, as audit logs say: `kind` is `release` or `approve`, `who` a lower-case address."""

    kind: str
    release: str
    rollout: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be asked of Cloud Deploy, and what whoever asks has to know of it."""

    request: Request
    rollout: str
    """The full name of the rollout that it is about."""
    does: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Returns:
    """Rollbacks that wait for an approval: those that need nobody's judgement, and those left to people."""

    approved: tuple[Step, ...]
    left: tuple[Rollout, ...]


@dataclass(frozen=True, slots=True)
class SelfApproval:
    """An approval that may be of one's own release; not `certain` where who released it is unknown."""

    act: Act
    certain: bool


def plan_approval(
    plan: Plan,
    delivered: RolloutPlan,
    rollouts: Iterable[Rollout],
    release: str | None,
    moment: datetime,
) -> tuple[Step, Rollout]:
    """Return the approval of the rollout that waits for one, not yet whether the caller may give it.

    That of a rollback overrides a freeze that holds at the moment, which has a zone. Raises RefusedError
    where none or more than one waits, UnknownReleaseError where there is no such release.
    """
    rollouts = tuple(rollouts)
    _require_known(rollouts, release)
    latest = _sort_production(delivered, rollouts)
    waiting = [each for each in latest if each.state == PENDING_APPROVAL and release in (None, each.release)]
    names = tuple(dict.fromkeys(each.release for each in waiting))
    if not waiting:
        look = step_command(plan, "status", delivered.pipeline)
        who = f"{release} does not wait" if release else "no release waits"
        raise RefusedError(f"{who} for approval in production; see how far it is: {look}")
    if len(names) > 1:
        raise RefusedError(f"several releases wait for approval: {', '.join(names)}; name one with --release")
    rollout = waiting[0]
    place = _name_place(delivered, rollout)
    return _approve(plan, rollout, moment, place, returns=is_return(rollout, rollouts)), rollout


def plan_returns(
    plan: Plan, delivered: RolloutPlan, rollouts: Iterable[Rollout], moment: datetime
) -> Returns:
    """Return the approval of the rollback that undoes a failed canary, and the rollbacks that people judge.

    It overrides a freeze that holds at the moment, which has a zone.
    """
    latest = _sort_production(delivered, rollouts)
    waiting = [each for each in latest if each.state == PENDING_APPROVAL and each.rollback_of]
    back = [each for each in waiting if is_way_back(each, latest)]
    return Returns(
        tuple(_approve(plan, each, moment, _name_place(delivered, each), returns=True) for each in back),
        tuple(each for each in waiting if each not in back),
    )


def _sort_production(delivered: RolloutPlan, rollouts: Iterable[Rollout]) -> list[Rollout]:
    """Return the rollouts to production, the first region's first, and of each the latest first."""
    known = tuple(rollouts)
    return [each for region in delivered.regions for each in sort_latest(known, region.production.name)]


def _name_place(delivered: RolloutPlan, rollout: Rollout) -> str:
    return (delivered.find_region(rollout.target) or delivered).place


def _approve(plan: Plan, rollout: Rollout, moment: datetime, place: str, *, returns: bool) -> Step:
    body: dict[str, Any] = {"approved": True}
    if returns:
        body |= _override_freezes(plan, moment)
    does = f"approves that {rollout.release} {'comes back to' if returns else 'begins in'} {place}"
    return Step(Request(f"{rollout.name}:approve", body), rollout.name, does)


def _override_freezes(plan: Plan, moment: datetime) -> dict[str, Any]:
    if plan.delivery is None or not any(freeze.holds(moment) for freeze in plan.delivery.freezes):
        return {}
    place = f"projects/{plan.project}/locations/{plan.region}/deployPolicies"
    return {"overrideDeployPolicy": [f"{place}/{plan.environment}-{FREEZES}"]}


def require_other(
    delivered: RolloutPlan, rollout: Rollout, caller: str | None, releasers: Iterable[str]
) -> None:
    """Raise RefusedError unless the caller is known, and is known not to have released what is approved."""
    people = (delivered.find_region(rollout.target) or delivered).approvals
    who = f"who may: {name_people(people.begin)}, but for whoever released it"
    if caller is None:
        raise RefusedError(
            "Google does not say who you are, and nobody may approve their own release; sign in with "
            f"gcloud auth application-default login; {who}"
        )
    known = {each for each in releasers if each}
    if not known:
        raise RefusedError(
            f"the audit logs do not say who released {rollout.release}, and nobody may approve their own "
            f"release: an entry may take a minute to arrive; {who}"
        )
    if caller in known:
        raise RefusedError(
            f"{caller} released {rollout.release}, and nobody may approve what they released; {who}"
        )


def plan_advance(delivered: RolloutPlan, rollouts: Iterable[Rollout], release: str | None) -> Step:
    """Return the step by which a rollout goes on from a phase that holds.

    Raises RefusedError where none is held, UnknownReleaseError where there is no such release.
    """
    rollouts = tuple(rollouts)
    _require_known(rollouts, release)
    running = next(
        (
            each
            for each in _sort_held(delivered, rollouts)
            if each.state == IN_PROGRESS and release in (None, each.release)
        ),
        None,
    )
    if running is None:
        raise RefusedError("no rollout to production is under way, so that none can go on")
    passed, coming = find_position(running)
    if find_held(delivered, running) is None:
        raise RefusedError(
            f"{running.release} is in the phase {coming or passed}, and no phase holds it: it goes on by "
            "itself when what is watched is well"
        )
    region = delivered.find_region(running.target) or delivered
    where = f" in {region.place}" if region.place_suffix else ""
    whole = f"all users{where}" if coming == STABLE else f"the phase {coming}{where}"
    return Step(
        Request(f"{running.name}:advance", {"phaseId": coming}),
        running.name,
        f"lets {running.release} go on from the phase {passed} to {whole}",
    )


def plan_rollbacks(
    plan: Plan,
    delivered: RolloutPlan,
    releases: Iterable[Release],
    rollouts: Iterable[Rollout],
    release: str | None,
    moment: datetime,
) -> tuple[Step, ...]:
    """Return the rollbacks of all regions that have the newest release, as `plan_rollback` does of one.

    Raises what that raises where none of them can go back.
    """
    releases, rollouts = tuple(releases), tuple(rollouts)
    steps: list[Step] = []
    refused: list[Exception] = []
    returning = find_returning(delivered, rollouts)
    for region in returning:
        try:
            steps.append(plan_rollback(plan, region, releases, rollouts, release, moment))
        except (RefusedError, UnknownReleaseError) as error:
            refused.append(error)
    if refused and not steps:
        raise refused[0]
    told = (
        *map(str, refused),
        *_warn_of_coming(plan, delivered, find_present(returning[0], rollouts), rollouts),
    )
    return (replace(steps[0], warnings=(*told, *steps[0].warnings)), *steps[1:])


def _warn_of_coming(
    plan: Plan, delivered: RolloutPlan, present: Rollout | None, rollouts: Iterable[Rollout]
) -> Iterable[str]:
    """A promotion that is under way does not end with a rollback of what is `present`."""
    if present is None:
        return
    had = {each.target for each in rollouts if each.release == present.release}
    coming = [region.place for region in delivered.further if region.production.name not in had]
    if coming:
        abandon = commands_of(plan, delivered.pipeline).gcloud(f"releases abandon {present.release}")
        yield (
            f"{present.release} may still come to {' and '.join(coming)}; so that it never does, who "
            f"releases abandons it:\n{abandon}"
        )


def plan_rollback(
    plan: Plan,
    delivered: RolloutPlan,
    releases: Iterable[Release],
    rollouts: Iterable[Rollout],
    release: str | None,
    moment: datetime,
) -> Step:
    """Return the rollback of a region to a release, or to the last that succeeded before its present one.

    Raises RefusedError where there is none to go back to, UnknownReleaseError where there is no such release.
    """
    latest = sort_latest(rollouts, delivered.production.name)
    _require_known(latest, release)
    abandoned = {each.name for each in releases if each.abandoned}
    now = find_present(delivered, latest)
    present = now.release if now else ""
    good = [each.release for each in latest if each.state == SUCCEEDED and each.release != present]
    to = _choose_earlier([each for each in dict.fromkeys(good) if each not in abandoned], release, delivered)
    if latest and latest[0].state == PENDING_APPROVAL and latest[0].release == to:
        command = step_command(plan, "approve", delivered.pipeline, *region_arguments(delivered))
        raise RefusedError(f"a rollback of {delivered.place} to {to} waits for approval already: {command}")
    target = delivered.production.name
    rollout_id = f"rollback-{moment:%Y%m%d-%H%M%S}{delivered.place_suffix}"
    pipeline = name_delivery_pipeline(plan, delivered.pipeline)
    body = {
        "targetId": target,
        "rolloutId": rollout_id,
        "releaseId": to,
        "rollbackConfig": {"startingPhaseId": STABLE},
    }
    return Step(
        Request(f"{pipeline}:rollbackTarget", body),
        f"{pipeline}/releases/{to}/rollouts/{rollout_id}",
        f"gives all users of {delivered.place} {to} in the place of {present}, past the phases of the canary",
        tuple(_warn_of_rollback(plan, delivered, now)),
    )


def _sort_held(delivered: RolloutPlan, rollouts: Iterable[Rollout]) -> list[Rollout]:
    """Those that a phase holds come first."""
    known = _sort_production(delivered, rollouts)
    return sorted(known, key=lambda rollout: find_held(delivered, rollout) is None)


def _choose_earlier(good: list[str], release: str | None, region: RolloutPlan) -> str:
    to = release or next(iter(good), None)
    if to in good:
        return str(to)
    where = region.place
    what = f"{to} is not one that {where} had before" if to else f"{where} had no other release before"
    does = f"; it had {', '.join(good)}" if good else "; release a better model"
    raise RefusedError(f"{what}, so that there is nothing to go back to{does}")


def _warn_of_rollback(plan: Plan, delivered: RolloutPlan, now: Rollout | None) -> Iterable[str]:
    if now is not None and now.state == IN_PROGRESS:
        commands = commands_of(plan, delivered.pipeline)
        cancel = commands.gcloud(f"rollouts cancel {now.id}", f"--release={now.release}")
        yield f"{now.release} is under way, and the rollback waits for it; stop it:\n{cancel}"
    if delivered.production.approval:
        yield (
            f"{delivered.place} asks for approvals, so that the rollback may wait for one of "
            f"{name_people(delivered.approvals.approve)}"
        )


def find_self_approvals(acts: Iterable[Act], returns: Iterable[str]) -> tuple[SelfApproval, ...]:
    """Return the approvals by whoever released the same, and those of which it is not known.

    `returns` are rollouts that are rollbacks, as `RELEASE/ROLLOUT`: who rolls back may approve that.
    """
    acts, exempt = tuple(acts), set(returns)
    releasers: dict[str, set[str]] = {}
    for act in acts:
        if act.kind == "release":
            releasers.setdefault(act.release, set()).add(act.who)
    found = []
    for act in acts:
        if act.kind != "approve" or f"{act.release}/{act.rollout}" in exempt:
            continue
        known = releasers.get(act.release, set()) - {""}
        if not known or not act.who or act.who in known:
            found.append(SelfApproval(act, certain=bool(act.who) and act.who in known))
    return tuple(found)


def _require_known(rollouts: Iterable[Rollout], release: str | None) -> None:
    known = sorted({each.release for each in rollouts})
    if release is not None and release not in known:
        raise UnknownReleaseError(
            f"no release {release} has been rolled out{suggest(release, known) if known else ''}"
        )
