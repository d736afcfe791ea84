"""What makes a canary one: staging before it, few users first, long enough, and every alert as a judge."""

import re
from collections.abc import Iterator
from typing import Any

from headroom.planning.rollouts import CANARY, find_gates, least_watch_seconds
from policies.alert_rules import ALERT_POLICY
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown, read
from policies.rules import Found
from policies.settings import Settings

_PHASES = ("strategy", "canary", "customCanaryDeployment", "phaseConfigs")
_KEEP = "keep it as infra/components/delivery.py makes it"
_SECONDS = re.compile(r"(\d+)([.]\d+)?s")
_POLICY_NAME = re.compile(r"projects/([^/]+)/alertPolicies/[^/]+")


def production_pipelines(model: Model) -> tuple[Resource, ...]:
    """Return those of production; one whose suspended is set delivers nothing, and is judged all the same."""
    return model.delivery_pipelines if model.is_production else ()


def last_stage(pipeline: Resource) -> Any:
    """Return the stage that delivers to production."""
    stages = pipeline.read("serialPipeline", "stages")
    if stages is UNKNOWN:
        return UNKNOWN
    return stages[-1] if each(stages) else ABSENT


def read_phases(pipeline: Resource) -> Any:
    """Return the phases in which production gets a model."""
    return read(last_stage(pipeline), *_PHASES)


def check_canary(model: Model, settings: Settings) -> Iterator[Found]:
    """Find the pipelines of production whose stages or phases let a bad model through to everybody."""
    pipelines = production_pipelines(model)
    production = {read(last_stage(pipeline), "targetId") for pipeline in pipelines}
    for pipeline in pipelines:
        yield from _check_stages(pipeline, production)
        phases = read_phases(pipeline)
        partial = [phase for phase in each(phases) if read(phase, "percentage") != 100]
        if not partial:
            shown = UNKNOWN.value if has_unknown(phases) else "not there"
            yield pipeline, f"its canary is {shown}, so that all users get a model at once", _KEEP
            continue
        yield from _check_shares(pipeline, each(phases), settings)
        for phase in partial:
            yield from _check_phase(pipeline, phase)
            yield from _check_gates(pipeline, phase, model.stack)


def _check_stages(pipeline: Resource, production: set[Any]) -> Iterator[Found]:
    stages = each(pipeline.read("serialPipeline", "stages"))
    if len(stages) < 2:
        yield pipeline, "delivers to production without staging", "put a stage before it"
    for number, stage in enumerate(stages[:-1]):
        target = read(stage, "targetId")
        if isinstance(target, Missing):
            yield pipeline, f"stage {number} delivers to a target that is {target.value}", "write it out"
        elif target in production or "production" in each(read(stage, "profiles")):
            yield pipeline, f"stage {number} delivers to production, before the canary", _KEEP
        if read(stage, "strategy", "standard", "verify") is not True:
            yield (
                pipeline,
                f"stage {number} is not verified, so what does not work in staging goes on",
                "set verify to true",
            )


def _check_shares(pipeline: Resource, phases: Any, settings: Settings) -> Iterator[Found]:
    most, before = settings.canary.first_percent, 0.0
    for number, phase in enumerate(phases):
        percentage, shown = read(phase, "percentage"), _name(phase)
        if not isinstance(percentage, int | float):
            said = percentage.value if isinstance(percentage, Missing) else percentage
            yield pipeline, f"{shown} has a percentage that is {said}", "write it out"
            continue
        if number == 0 and percentage > most:
            yield (
                pipeline,
                f"{shown} gives {percentage:g} % of the requests to a model that nobody has used yet, and "
                f"canary.first_percent is {most}",
                f"begin with {most} % or less",
            )
        if percentage <= before:
            yield (
                pipeline,
                f"{shown} has {percentage:g} %, after {before:g} %",
                "make every phase larger than the one before",
            )
        before = percentage


def _check_phase(pipeline: Resource, phase: Any) -> Iterator[Found]:
    shown, least = _name(phase), least_watch_seconds(find_gates(""))
    if read(phase, "verify") is not True:
        yield pipeline, f"{shown} is not verified, so a canary that is silent passes", "set verify to true"
    duration = read(phase, "analysis", "duration")
    found = _SECONDS.fullmatch(duration) if isinstance(duration, str) else None
    if read(phase, "analysis") is not ABSENT and (found is None or int(found[1]) < least):
        said = duration.value if isinstance(duration, Missing) else duration
        yield (
            pipeline,
            f"the analysis of {shown} has a duration that is {said}, and the slowest of its alerts takes "
            f"{least} s to have certainly fired",
            f"watch for {least}s or more",
        )


def _check_gates(pipeline: Resource, phase: Any, stack: str) -> Iterator[Found]:
    checks, shown = read(phase, "analysis", "googleCloud", "alertPolicyChecks"), _name(phase)
    is_made = pipeline.options.comes_from("serialPipeline", (ALERT_POLICY,))
    if not each(checks):
        if not (has_unknown(checks) and is_made):
            yield (
                pipeline,
                f"{shown} is judged by no alert, so that it always passes",
                "name the alerts that gate it",
            )
        return
    by_id = {read(check, "id"): check for check in each(checks)}
    judges: list[Any] = []
    for gate in find_gates(stack):
        check = by_id.get(gate.policy, ABSENT)
        policies = each(read(check, "alertPolicies"))
        if not policies:
            yield pipeline, f"{shown} is not judged by {gate.policy}", _KEEP
            continue
        yield from _check_labels(pipeline, check, shown, stack)
        for policy in policies:
            if policy is UNKNOWN and not is_made:
                yield (
                    pipeline,
                    f"which alerts judge {shown} is {UNKNOWN.value}",
                    "name alert policies of the stack",
                )
            elif policy is not UNKNOWN and (policy in judges or not _is_own(policy, pipeline, gate.policy)):
                yield pipeline, f"{policy} judges {shown} in the place of {gate.policy}", _KEEP
        judges += [policy for policy in policies if policy is not UNKNOWN]


def _check_labels(pipeline: Resource, check: Any, shown: str, stack: str) -> Iterator[Found]:
    """An alert counts only with all labels of the check, so that another one makes it count never."""
    name = pipeline.read("name")
    served = name.removeprefix(f"{stack}-") if isinstance(name, str) else name
    wanted = {"environment": stack, "pipeline": served, "track": CANARY}
    if read(check, "labels") != wanted:
        labels = ", ".join(f"{key}={value}" for key, value in wanted.items() if value is not UNKNOWN)
        yield (
            pipeline,
            f"{read(check, 'id')} does not judge {shown} by the alerts of {labels}, so it may never fail",
            "set the labels of the check to these",
        )


def _is_own(policy: Any, pipeline: Resource, gate: str) -> bool:
    """Whether a name is of the pipeline's own project, as far as it says: a project has a number, too."""
    found = _POLICY_NAME.fullmatch(str(policy))
    if found is None:
        return gate in str(policy)
    return found[1].isdecimal() or found[1] == pipeline.read("project")


def _name(phase: Any) -> str:
    name = read(phase, "phaseId")
    return name if isinstance(name, str) else "a phase"
