"""Rules for how models get into production: approved, to a few first, and back without anybody's help."""

from collections.abc import Iterator
from typing import Any

from headroom.planning.delivery import RESTRICTED
from headroom.planning.regions import name_target
from policies.canary_rules import check_canary, find_site, production_pipelines, production_stages
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings

DELIVERY_LABEL = "headroom/delivery"
DEPLOY_POLICY = "gcp:clouddeploy/deployPolicy:DeployPolicy"
_NEXT = "@next"
"""The stage after the one that a release is in, as it is where none is named
(cloud.google.com/deploy/docs/automation-rules, 2026-11)."""
_TIMED = "timedPromoteReleaseRule"


def _check_delivered(model: Model, _: Settings) -> Iterator[Found]:
    names = {pipeline.read("name") for pipeline in model.delivery_pipelines}
    for space in model.namespaces if model.is_production else ():
        stage = space.resource.read("metadata", "labels", DELIVERY_LABEL)
        is_led = model.records.lead is not None and stage == "production"
        staged = stage == "staging" or is_led
        if space.kind in ("serving", UNKNOWN) and not staged and f"{model.stack}-{space.name}" not in names:
            yield (
                space.resource,
                f"no delivery pipeline is called {model.stack}-{space.name}, so its models get to all users "
                "at once, whoever made them",
                "give the pipeline a delivery in the stack file",
            )


def _check_approved(model: Model, _: Settings) -> Iterator[Found]:
    targets = {target.read("name"): target for target in model.delivery_targets}
    for pipeline in production_pipelines(model):
        for number, stage in enumerate(production_stages(pipeline)):
            target = targets.get(name := read(stage, "targetId"))
            if target is None and number == 0:
                shown = (
                    name.value if isinstance(name, Missing) else f"{name}, which is no target of the stack"
                )
                yield (
                    pipeline,
                    f"its first stage of production delivers to a target that is {shown}",
                    "name a target of the stack",
                )
            elif target is not None and (number == 0 or _asks(model, pipeline, name)):
                yield from _check_asked(target)


def _asks(model: Model, pipeline: Resource, target: Any) -> bool:
    """Whether a further target wants an approval of its own: as its region's stack file says, and always
    where it is the stack's own cluster again."""
    site, name = find_site(model, target), pipeline.read("name")
    served = str(name).removeprefix(f"{model.stack}-")
    known = (target, name_target(site.stack, served)) if site else (target,)
    return site is None or not model.records.asking.isdisjoint(known)


def _check_asked(target: Resource) -> Iterator[Found]:
    value = target.read("requireApproval")
    if value is not True:
        shown = value.value if isinstance(value, Missing) else "false"
        message = f"requireApproval is {shown}, so that nobody is asked before production"
        yield target, message, "set it to true"


def _check_order(model: Model, _: Settings) -> Iterator[Found]:
    """A promotion to a stage or a phase that is named passes over what lies before it."""
    for automation in model.delivery_automations:
        rules = automation.read("rules")
        for rule in [UNKNOWN] if rules is UNKNOWN else each(rules):
            promotion = read(rule, "promoteReleaseRule")
            target, phase = read(promotion, "destinationTargetId"), read(promotion, "destinationPhase")
            if target not in (ABSENT, _NEXT):
                shown = target.value if isinstance(target, Missing) else target
                message = f"promotes to a stage that is {shown}, and may pass over those before it"
                yield automation, message, f"promote to {_NEXT}"
            if phase is not ABSENT and promotion is not UNKNOWN:
                shown = phase.value if isinstance(phase, Missing) else phase
                message = f"promotes to a phase that is {shown}, and may pass over the canary"
                yield automation, message, "remove destinationPhase"
            if rule is not UNKNOWN and read(rule, _TIMED) is not ABSENT:
                message = "promotes by the clock, whether or not the stage before has been watched"
                yield automation, message, f"promote to {_NEXT} after a stage"


def _check_rollback(model: Model, _: Settings) -> Iterator[Found]:
    for pipeline in production_pipelines(model):
        automations = [each for each in model.delivery_automations if is_of(each, pipeline)]
        for stage in production_stages(pipeline):
            target = read(stage, "targetId")
            if not any(_rolls_back(automation, target) for automation in automations):
                where = automations[-1] if automations else pipeline
                yield (
                    where,
                    f"nothing rolls {pipeline.read('name')} back in production when a rollout fails",
                    "keep an automation with a repairRolloutRule of all jobs and phases, which ends in a "
                    "rollback, for every target of production",
                )
    yield from _check_freezes(model)


def is_of(automation: Resource, pipeline: Resource) -> bool:
    """Return whether an automation is of a delivery pipeline, by its name or by where it comes from."""
    name = automation.read("deliveryPipeline")
    if name is UNKNOWN:
        return pipeline.urn in automation.options.sources.get("deliveryPipeline", frozenset())
    return name == pipeline.read("name")


def selects(automation: Resource, target: Any) -> bool:
    """Return whether an automation certainly is of a target, or of all."""
    chosen = {
        read(each_one, "id")
        for each_one in each(automation.read("selector", "targets"))
        if read(each_one, "labels") in (ABSENT, {})
    }
    return bool(chosen & {target, "*"})


def may_select(automation: Resource, target: Any) -> bool:
    """Return whether an automation may be of a target: which targets have labels nobody knows here."""
    entries = each(automation.read("selector", "targets"))
    return not entries or any(
        read(entry, "labels") not in (ABSENT, {}) or read(entry, "id") in (target, "*", UNKNOWN, ABSENT)
        for entry in entries
    )


def _rolls_back(automation: Resource, target: Any) -> bool:
    if automation.read("suspended") not in (ABSENT, False):
        return False
    repairs = [read(rule, "repairRolloutRule") for rule in each(automation.read("rules"))]
    phases = [
        phase
        for repair in repairs
        if all(read(repair, part) in (ABSENT, []) for part in ("jobs", "phases"))
        for phase in each(read(repair, "repairPhases"))
    ]
    return selects(automation, target) and any(isinstance(read(phase, "rollback"), dict) for phase in phases)


def _check_freezes(model: Model) -> Iterator[Found]:
    """A policy that names no actions restricts all of them."""
    for policy in model.of(DEPLOY_POLICY) if model.is_production else ():
        for rule in each(policy.read("rules")):
            actions = read(rule, "rolloutRestriction", "actions")
            if has_unknown(actions) or not each(actions) or "ROLLBACK" in each(actions):
                yield (
                    policy,
                    "may restrict ROLLBACK, so that a bad model stays while nothing is delivered",
                    f"restrict {', '.join(RESTRICTED)} alone",
                )


DELIVERY_RULES = (
    Rule(
        name="models-are-delivered",
        description="What serves in production gets its models by a delivery pipeline.",
        family="operations",
        severity="high",
        reference="D7",
        remedy="Give the pipeline a delivery in the stack file.",
        of_stack=_check_delivered,
        settings=("production",),
    ),
    Rule(
        name="deliveries-are-approved",
        description="Nothing is delivered to production, or a region that asks, before somebody approved it.",
        family="operations",
        severity="high",
        reference="D1",
        remedy="Set requireApproval of the production target.",
        of_stack=_check_approved,
        settings=("production",),
    ),
    Rule(
        name="releases-go-in-order",
        description="Automations promote a release to the next stage alone, and to its first phase.",
        family="operations",
        severity="high",
        reference="D8",
        remedy="Promote to @next.",
        of_stack=_check_order,
    ),
    Rule(
        name="canaries-come-first",
        description="A model is staged, then serves a part of the users, and alerts judge it there.",
        family="operations",
        severity="high",
        reference="D8",
        remedy="Keep staging and the canary's phases, verified and judged by alerts.",
        of_stack=check_canary,
        settings=("production", "canary"),
    ),
    Rule(
        name="rollbacks-are-automated",
        description="A rollout that fails in production is rolled back without anybody's help.",
        family="operations",
        severity="high",
        reference="D8",
        remedy="Keep the automation that repairs rollouts.",
        of_stack=_check_rollback,
        settings=("production",),
    ),
)
