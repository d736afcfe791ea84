"""Rules for where models are delivered to, and as whom: the stack's own cluster, by accounts of their own."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from headroom.planning.delivery import HELD_PHASES
from headroom.planning.delivery_accounts import RENDER_USAGES, TARGET_USAGES
from policies.canary_rules import production_stages, read_phases
from policies.delivery_rules import is_of, may_select, selects
from policies.identity_rules import ACCOUNTS
from policies.model import CLUSTER, Model
from policies.property_rules import show_value
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings

_PLACES = ("anthosCluster", "associatedEntities", "customTarget", "multiTarget", "run")
"""Where else than to a cluster of GKE a target may deliver."""
_ACCOUNT = re.compile(r"[a-z0-9-]+@([a-z0-9.:-]+)[.]iam[.]gserviceaccount[.]com")
_OWN = "deliver to the stack's own cluster, as infra/components/delivery.py does"
_NAME_ACCOUNT = "name an account of the target's own for every usage, as infra/components/delivery.py does"
_NONE = "none"


def _check_place(model: Model, _: Settings) -> Iterator[Found]:
    clusters = {_path(cluster) for cluster in model.clusters} | {
        site.cluster for site in model.records.regions
    }
    for target in model.delivery_targets:
        for place in _PLACES:
            if target.read(place) not in (ABSENT, {}, []):
                yield target, f"delivers by its {place}, where no rule sees it", _OWN
        cluster = target.read("gke", "cluster")
        if cluster is UNKNOWN and target.options.comes_from("gke", (CLUSTER,)):
            continue
        if cluster not in clusters:
            yield (
                target,
                f"its gke.cluster is {show_value(cluster)}, which is none of the stack or its regions",
                _OWN,
            )
    yield from _check_stages(model)


def _check_stages(model: Model) -> Iterator[Found]:
    names = {target.read("name") for target in model.delivery_targets} - {UNKNOWN, ABSENT}
    for pipeline in model.delivery_pipelines:
        stages = pipeline.read("serialPipeline", "stages")
        for stage in [UNKNOWN] if stages is UNKNOWN else each(stages):
            name = read(stage, "targetId")
            if name not in names:
                message = f"delivers to a target that is {show_value(name)}, and none of the stack"
                yield pipeline, message, "name a target of the stack in every stage"


def _path(cluster: Resource) -> str:
    """The id that Google Cloud gives a cluster."""
    project, location, name = (cluster.read(key) for key in ("project", "location", "name"))
    name = cluster.name if name is ABSENT else name
    return f"projects/{project}/locations/{location}/clusters/{name}"


def _check_accounts(model: Model, _: Settings) -> Iterator[Found]:
    for automation in model.delivery_automations:
        yield from _check_account(automation, "serviceAccount", automation.read("serviceAccount"))
    used: dict[str, str] = {}
    for target in model.delivery_targets:
        configs = target.read("executionConfigs")
        named = {usage for config in each(configs) for usage in each(read(config, "usages"))}
        missing = [usage for usage in (*RENDER_USAGES, *TARGET_USAGES) if usage not in named]
        if missing:
            shown = UNKNOWN.value if has_unknown(configs) else f"named for no {missing[0]}"
            yield target, f"its account is {shown}, and the default account may do much more", _NAME_ACCOUNT
        for config in each(configs):
            account, usages = read(config, "serviceAccount"), set(each(read(config, "usages")))
            yield from _check_account(target, "executionConfigs", account)
            if isinstance(account, str) and usages - set(RENDER_USAGES):
                other = used.setdefault(account, target.name)
                if other != target.name:
                    yield target, f"delivers as {account}, as {other} does", _NAME_ACCOUNT


def _check_account(resource: Resource, key: str, account: Any) -> Iterator[Found]:
    if account is UNKNOWN and resource.options.comes_from(key, ACCOUNTS):
        return
    found = _ACCOUNT.fullmatch(account) if isinstance(account, str) else None
    if found is None or found[1] != resource.read("project"):
        message = f"works as an account that is {show_value(account)}, and none of the project's own"
        yield resource, message, _NAME_ACCOUNT


def _check_held(model: Model, _: Settings) -> Iterator[Found]:
    """What a pipeline says that it holds, and what its automations advance, are all of its phases."""
    for pipeline in model.delivery_pipelines:
        held = _held(pipeline)
        if held is None:
            value = pipeline.read("annotations", HELD_PHASES)
            shown = value.value if isinstance(value, Missing) else f"{value}, which are none of its"
            message = f"the phases from which a person lets it go on are {shown}"
            yield pipeline, message, f"keep its annotation {HELD_PHASES}"
            continue
        automations = [each for each in model.delivery_automations if is_of(each, pipeline)]
        stages = {read(stage, "targetId"): _canary(stage) for stage in production_stages(pipeline)}
        advanced: set[tuple[Any, Any]] = set()
        for automation in automations:
            # One that is of none of them is judged as if it were of all.
            targets = [target for target in stages if may_select(automation, target)] or list(stages)
            certain = [target for target in stages if selects(automation, target)]
            here = {phase for target in targets for phase in stages[target] if f"{target}/{phase}" in held}
            for rule in _advances(automation):
                sources = each(read(rule, "sourcePhases"))
                advanced |= set(product(certain, sources))
                yield from _check_advance(automation, sources, here)
        yield from _check_going_on(pipeline, stages, held, advanced)


def _check_going_on(
    pipeline: Resource,
    stages: Mapping[Any, tuple[str, ...]],
    held: frozenset[str],
    advanced: set[tuple[Any, Any]],
) -> Iterator[Found]:
    for target, phases in stages.items():
        known = {phase for where, phase in advanced if where == target}
        for phase in phases:
            if f"{target}/{phase}" not in held and phase not in known and not has_unknown(list(known)):
                message = f"nothing lets a rollout go on from {phase}, neither a person nor an automation"
                yield pipeline, message, f"name it in the annotation {HELD_PHASES}"


def _check_advance(automation: Resource, sources: Any, held: set[str]) -> Iterator[Found]:
    if not sources or has_unknown(sources):
        shown = UNKNOWN.value if sources else "not named"
        message = f"the phases that it lets go on are {shown}, and may be any"
        yield automation, message, "name those that no person has to agree to"
    for phase in sorted(held.intersection(map(str, sources))):
        message = f"lets a rollout go on from {phase} by itself, and a person is to agree to that"
        yield automation, message, "leave it out of sourcePhases"


def _advances(automation: Resource) -> Iterator[Any]:
    rules = automation.read("rules")
    if rules is UNKNOWN:
        yield {"sourcePhases": [UNKNOWN]}
    for rule in each(rules):
        advance = UNKNOWN if rule is UNKNOWN else read(rule, "advanceRolloutRule")
        if advance is UNKNOWN:
            yield {"sourcePhases": [UNKNOWN]}
        elif advance is not ABSENT:
            yield advance


def _held(pipeline: Resource) -> frozenset[str] | None:
    """The phases that a pipeline says wait for a person, as `TARGET/PHASE`; None: it does not say."""
    text = pipeline.read("annotations", HELD_PHASES)
    if not isinstance(text, str) or not text:
        return None
    held = frozenset(text.split()) - {_NONE}
    known = {
        f"{read(stage, 'targetId')}/{phase}"
        for stage in production_stages(pipeline)
        for phase in _canary(stage)
    }
    return held if held <= known or not known else None


def _canary(stage: Any) -> tuple[str, ...]:
    """The ids of the phases of a canary, as far as they are known; the last phase goes on to nothing."""
    names = (read(phase, "phaseId") for phase in each(read_phases(stage)))
    return tuple(name for name in names if isinstance(name, str))[:-1]


TARGET_RULES = (
    Rule(
        name="targets-are-the-stacks-own",
        description="Models are delivered to the cluster of the stack, and nowhere else.",
        family="operations",
        severity="critical",
        reference="D1",
        remedy="Deliver to the stack's own cluster.",
        of_stack=_check_place,
    ),
    Rule(
        name="deliveries-have-accounts-of-their-own",
        description="Every job of a delivery runs as an account of its target, never as the default one.",
        family="operations",
        severity="high",
        reference="docs/decisions/0017-staging-is-a-pipeline-beside-its-own.md",
        remedy="Name an account of the target's own for every usage.",
        of_stack=_check_accounts,
    ),
    Rule(
        name="held-phases-wait-for-a-person",
        description="No automation lets a rollout go on from a phase that waits for a person.",
        family="operations",
        severity="high",
        reference="D8",
        remedy="Leave phases that hold out of the automations.",
        of_stack=_check_held,
    ),
)
