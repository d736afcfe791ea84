"""Rules for how models get into production: approved, to a few first, and back without anybody's help."""

from collections.abc import Iterator
from typing import Any

from policies.alert_rules import ALERT_POLICY
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings

DELIVERY_LABEL = "headroom/delivery"
_CANARY = ("strategy", "canary", "customCanaryDeployment", "phaseConfigs")
_KEEP = "keep it as infra/components/delivery.py makes it"


def _check_delivered(model: Model, _: Settings) -> Iterator[Found]:
    names = {pipeline.read("name") for pipeline in model.delivery_pipelines}
    for space in model.namespaces if model.is_production else ():
        staged = space.resource.read("metadata", "labels", DELIVERY_LABEL) == "staging"
        if space.kind in ("serving", UNKNOWN) and not staged and f"{model.stack}-{space.name}" not in names:
            yield (
                space.resource,
                f"no delivery pipeline is called {model.stack}-{space.name}, so its models get to all users "
                "at once, whoever made them",
                "give the pipeline a delivery in the stack file",
            )


def _check_approved(model: Model, _: Settings) -> Iterator[Found]:
    targets = {target.read("name"): target for target in model.delivery_targets}
    for pipeline in _pipelines(model):
        name = read(_last_stage(pipeline), "targetId")
        target = targets.get(name)
        if target is None:
            shown = name.value if isinstance(name, Missing) else f"{name}, which is no target of the stack"
            yield (
                pipeline,
                f"its last stage delivers to a target that is {shown}",
                "name a target of the stack",
            )
        elif target.read("requireApproval") is not True:
            value = target.read("requireApproval")
            shown = value.value if isinstance(value, Missing) else "false"
            yield (
                target,
                f"requireApproval is {shown}, so that nobody is asked before production",
                "set it to true",
            )


def _check_canary(model: Model, _: Settings) -> Iterator[Found]:
    for pipeline in _pipelines(model):
        stages, phases = each(_stages(pipeline)), read(_last_stage(pipeline), *_CANARY)
        if len(stages) < 2:
            yield pipeline, "delivers to production without staging", "put a stage before it"
        partial = [phase for phase in each(phases) if read(phase, "percentage") != 100]
        if not partial:
            shown = UNKNOWN.value if has_unknown(phases) else "not there"
            yield pipeline, f"its canary is {shown}, so that all users get a model at once", _KEEP
        for phase in partial:
            yield from _check_phase(pipeline, phase)


def _check_phase(pipeline: Resource, phase: Any) -> Iterator[Found]:
    percentage, name = read(phase, "percentage"), read(phase, "phaseId")
    shown = name if isinstance(name, str) else "a phase"
    if isinstance(percentage, Missing):
        yield pipeline, f"{shown} has a percentage that is {percentage.value}", "write it out"
    if read(phase, "verify") is not True:
        yield pipeline, f"{shown} is not verified, so a canary that is silent passes", "set verify to true"
    checks = read(phase, "analysis", "googleCloud", "alertPolicyChecks")
    policies = [policy for check in each(checks) for policy in each(read(check, "alertPolicies"))]
    if not policies and not (
        has_unknown(checks) and pipeline.options.comes_from("serialPipeline", (ALERT_POLICY,))
    ):
        yield (
            pipeline,
            f"{shown} is judged by no alert, so that it always passes",
            "name the alerts that gate it",
        )
    elif UNKNOWN in policies and not pipeline.options.comes_from("serialPipeline", (ALERT_POLICY,)):
        yield pipeline, f"which alerts judge {shown} is {UNKNOWN.value}", "name alert policies of the stack"


def _check_rollback(model: Model, _: Settings) -> Iterator[Found]:
    for pipeline in _pipelines(model):
        target = read(_last_stage(pipeline), "targetId")
        automations = [each for each in model.delivery_automations if _is_of(each, pipeline)]
        if not any(_rolls_back(automation, target) for automation in automations):
            where = automations[-1] if automations else pipeline
            yield (
                where,
                f"nothing rolls {pipeline.read('name')} back in production when a rollout fails",
                "keep an automation with a repairRolloutRule that ends in a rollback",
            )


def _is_of(automation: Resource, pipeline: Resource) -> bool:
    name = automation.read("deliveryPipeline")
    if name is UNKNOWN:
        return pipeline.urn in automation.options.sources.get("deliveryPipeline", frozenset())
    return name == pipeline.read("name")


def _rolls_back(automation: Resource, target: Any) -> bool:
    if automation.read("suspended") not in (ABSENT, False):
        return False
    targets = {read(each, "id") for each in each(automation.read("selector", "targets"))}
    phases = [
        phase
        for rule in each(automation.read("rules"))
        for phase in each(read(rule, "repairRolloutRule", "repairPhases"))
    ]
    return bool(targets & {target, "*"}) and any(
        isinstance(read(phase, "rollback"), dict) for phase in phases
    )


def _pipelines(model: Model) -> tuple[Resource, ...]:
    """Those of production; one whose suspended is set delivers nothing, and is judged all the same."""
    return model.delivery_pipelines if model.is_production else ()


def _stages(pipeline: Resource) -> Any:
    return pipeline.read("serialPipeline", "stages")


def _last_stage(pipeline: Resource) -> Any:
    stages = _stages(pipeline)
    if stages is UNKNOWN:
        return UNKNOWN
    return stages[-1] if each(stages) else ABSENT


DELIVERY_RULES = (
    Rule(
        name="models-are-delivered",
        description="What serves in production gets its models by a delivery pipeline.",
        family="operations",
        severity="high",
        level="mandatory",
        reference="D7",
        remedy="Give the pipeline a delivery in the stack file.",
        of_stack=_check_delivered,
        settings=("production",),
    ),
    Rule(
        name="deliveries-are-approved",
        description="Nothing is delivered to production before somebody has approved it.",
        family="operations",
        severity="high",
        level="mandatory",
        reference="D1",
        remedy="Set requireApproval of the production target.",
        of_stack=_check_approved,
        settings=("production",),
    ),
    Rule(
        name="canaries-come-first",
        description="A model is staged, then serves a part of the users, and alerts judge it there.",
        family="operations",
        severity="high",
        level="mandatory",
        reference="D8",
        remedy="Keep staging and the canary's phases, verified and judged by alerts.",
        of_stack=_check_canary,
        settings=("production",),
    ),
    Rule(
        name="rollbacks-are-automated",
        description="A rollout that fails in production is rolled back without anybody's help.",
        family="operations",
        severity="high",
        level="mandatory",
        reference="D8",
        remedy="Keep the automation that repairs rollouts.",
        of_stack=_check_rollback,
        settings=("production",),
    ),
)
