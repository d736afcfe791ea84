"""What makes a canary one: staging before it, few users first, long enough, and every alert as a judge."""

import re
from collections.abc import Iterator
from typing import Any

from headroom.planning.regions import SitePlan
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


def production_stages(pipeline: Resource) -> tuple[Any, ...]:
    """Return the stages that deliver to production, region by region: all but the first, which is staging.

    There is always one, be it UNKNOWN or ABSENT.
    """
    stages = pipeline.read("serialPipeline", "stages")
    if stages is UNKNOWN:
        return (UNKNOWN,)
    listed = tuple(each(stages)) or (ABSENT,)
    return listed[1:] or listed


def read_phases(stage: Any) -> Any:
    """Return the phases in which a stage of production gets a model."""
    return read(stage, *_PHASES)


def check_canary(model: Model, settings: Settings) -> Iterator[Found]:
    """Find the pipelines of production whose stages or phases let a bad model through to everybody."""
    pipelines = production_pipelines(model)
    production = {read(stage, "targetId") for pipeline in pipelines for stage in production_stages(pipeline)}
    for pipeline in pipelines:
        yield from _check_stages(pipeline, production)
        for stage in production_stages(pipeline):
            yield from _check_phases(pipeline, stage, model, settings)


def _check_phases(pipeline: Resource, stage: Any, model: Model, settings: Settings) -> Iterator[Found]:
    phases = read_phases(stage)
    partial = [phase for phase in each(phases) if read(phase, "percentage") != 100]
    if not partial:
        shown = UNKNOWN.value if has_unknown(phases) else "not there"
        yield pipeline, f"its canary is {shown}, so that all users get a model at once", _KEEP
        return
    yield from _check_shares(pipeline, each(phases), settings)
    site = find_site(model, read(stage, "targetId"))
    for phase in partial:
        yield from _check_phase(pipeline, phase)
        yield from _check_gates(pipeline, phase, model.stack, site)


def find_site(model: Model, target: Any) -> SitePlan | None:
    """Return the stack of another region that a target of this one delivers to; None: it delivers here."""
    clusters = {each.read("gke", "cluster") for each in model.delivery_targets if each.read("name") == target}
    return next((site for site in model.records.regions if site.cluster in clusters), None)


def _check_stages(pipeline: Resource, production: set[Any]) -> Iterator[Found]:
    stages = each(pipeline.read("serialPipeline", "stages"))
    before = stages[: len(stages) - len(production_stages(pipeline))]
    if not before:
        yield pipeline, "delivers to production without staging", "put a stage before it"
    for number, stage in enumerate(before):
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


def _check_gates(pipeline: Resource, phase: Any, stack: str, site: SitePlan | None) -> Iterator[Found]:
    checks, shown = read(phase, "analysis", "googleCloud", "alertPolicyChecks"), _name(phase)
    is_made = site is None and pipeline.options.comes_from("serialPipeline", (ALERT_POLICY,))
    project, environment = (site.project, site.stack) if site else (pipeline.read("project"), stack)
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
        yield from _check_labels(pipeline, check, shown, stack, environment)
        for policy in policies:
            if policy is UNKNOWN and not is_made:
                yield (
                    pipeline,
                    f"which alerts judge {shown} is {UNKNOWN.value}",
                    "name alert policies of the stack",
                )
            elif policy is not UNKNOWN and (policy in judges or not _is_own(policy, project, gate.policy)):
                yield pipeline, f"{policy} judges {shown} in the place of {gate.policy}", _KEEP
        judges += [policy for policy in policies if policy is not UNKNOWN]


def _check_labels(
    pipeline: Resource, check: Any, shown: str, stack: str, environment: str
) -> Iterator[Found]:
    """An alert counts only with all labels of the check, so that another one makes it count never."""
    name = pipeline.read("name")
    served = name.removeprefix(f"{stack}-") if isinstance(name, str) else name
    wanted = {"environment": environment, "pipeline": served, "track": CANARY}
    if read(check, "labels") != wanted:
        labels = ", ".join(f"{key}={value}" for key, value in wanted.items() if value is not UNKNOWN)
        yield (
            pipeline,
            f"{read(check, 'id')} does not judge {shown} by the alerts of {labels}, so it may never fail",
            "set the labels of the check to these",
        )


def _is_own(policy: Any, project: Any, gate: str) -> bool:
    """Whether a name is of the project of the cluster, as far as it says: a project has a number, too."""
    found = _POLICY_NAME.fullmatch(str(policy))
    if found is None:
        return gate in str(policy)
    return found[1].isdecimal() or found[1] == project


def _name(phase: Any) -> str:
    name = read(phase, "phaseId")
    return name if isinstance(name, str) else "a phase"
