"""The page about the deliveries of a model, from the very plan that the program turns into resources."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from string import Template

from headroom.alerts.durations import format_duration
from headroom.alerts.rules import find_rule
from headroom.delivery.commands import (
    RELEASE,
    Commands,
    commands_of,
    region_arguments,
    release_command,
    step_command,
)
from headroom.delivery.diagram import render_diagram
from headroom.delivery.failures import describe_refusals, is_approved_by_itself, list_failures
from headroom.delivery.names import name_people
from headroom.planning.delivery import DeliveryPlan, FreezePlan
from headroom.planning.notifications import known_rules
from headroom.planning.pipelines import Resource, format_amount
from headroom.planning.plan import Plan
from headroom.planning.rollouts import PhasePlan, RolloutPlan
from headroom.spec.server import Requests

_TEMPLATE = Path(__file__).parent / "templates" / "page.md"
_VERSION = "VERSION"


def render_pages(plan: Plan) -> dict[str, str]:
    """Return the page of each delivered model by the model's name, where its releases begin."""
    if plan.delivery is None or plan.delivery.lead is not None:
        return {}
    head = (
        f"<!-- Written by `headroom docs -s {plan.environment}` from Pulumi.{plan.environment}.yaml: change "
        "that, not this. -->\n\n"
    )
    pages: dict[str, list[str]] = {}
    for rollout in plan.delivery.rollouts:
        pages.setdefault(rollout.model, []).append(render_page(plan, plan.delivery, rollout))
    return {model: head + "\n".join(texts) for model, texts in pages.items()}


def render_page(plan: Plan, delivery: DeliveryPlan, rollout: RolloutPlan) -> str:
    """Return the page of one pipeline."""
    text = Template(_TEMPLATE.read_text(encoding="utf-8"))
    return text.substitute(
        model=rollout.model,
        pipeline=rollout.pipeline,
        environment=plan.environment,
        diagram=render_diagram(rollout),
        people=_rows(_list_people(plan, rollout)),
        approval_rule=_say_approval(rollout),
        places=_rows(_list_places(rollout)),
        regions=_say_regions(rollout),
        first_elsewhere=_say_first_elsewhere(rollout),
        replicas="; ".join(_say_replica(region) for region in rollout.regions),
        phases=_rows(_list_phases(rollout)),
        gates=_rows(_list_gates(rollout)),
        least_qps=f"{rollout.least_qps:.3g}",
        failures=_rows(list_failures(plan, delivery, rollout)),
        first_approval=f", once {name_people(rollout.approvals.begin)} approved,"
        if rollout.approvals.begin
        else "",
        freezes=_list_freezes(delivery),
        **_say_validation(rollout),
        **_say_commands(plan, delivery, rollout),
    )


def _list_people(plan: Plan, rollout: RolloutPlan) -> Iterable[tuple[str, str]]:
    people = rollout.approvals
    yield "answers for it", name_people([rollout.owner])
    yield "release", name_people(people.release)
    yield "approve that a release begins in production", name_people(people.begin) or "nobody is asked"
    for region in rollout.further:
        if region.approvals.begin:
            yield f"approve that it begins in {region.place}", name_people(region.approvals.begin)
    held = [
        f"{phase.percent} %{_where(region)}"
        for region in rollout.regions
        for phase in region.phases
        if phase.hold
    ]
    if held:
        yield f"let it go on after {', '.join(held)} of the users", name_people(people.increase)
    yield "roll back, at any time", name_people(people.roll_back)
    if rollout.approvers:
        by_itself = "the cluster, from a failed canary; else " if is_approved_by_itself(plan) else ""
        yield "approve a rollback, where it waits for that", by_itself + name_people(rollout.approvers)


def _say_approval(rollout: RolloutPlan) -> str:
    if not any(region.approvals.begin for region in rollout.regions):
        return "Validation and the alerts alone decide."
    return (
        "Nobody may approve what they released themselves: who approves is not who releases. From somebody "
        "in both groups `headroom release approve` refuses it, which Cloud Deploy itself would not; where it "
        "was done past that command, `headroom release audit` finds it in the audit logs."
    )


def _say_rollback_approval(plan: Plan, rollout: RolloutPlan) -> str:
    """What a rollback may wait for where production asks for approvals, and who can end that."""
    people, approvers = rollout.approvals, rollout.approvers
    if not approvers:
        return ""
    barred = [who for who in people.roll_back if who not in approvers]
    lacking = f" {name_people(barred)} may release, and therefore may not approve." if barred else ""
    commands = "\n".join(_step(plan, rollout, verb) for verb in ("status", "approve"))
    if is_approved_by_itself(plan):
        return (
            "**A rollback waits for nobody:** production asks for approvals, and Google's documents except "
            "no rollback. Where the way back from a canary that failed waits, a job in the cluster approves "
            "it at the next minute, in a freeze too; any other rollback is for people. Should it not run, "
            f"{name_people(approvers)} can approve it:\n\n```sh\n{commands}\n```\n\n"
        )
    return (
        "**A rollback may wait for an approval, one that is begun by itself too:** production asks for one "
        "before a rollout begins there, and Google's documents except no rollback. Until then the canary "
        f"goes on answering its share of the requests. {name_people(approvers)} can approve it, in a "
        f"freeze too.{lacking} `status` says whether one waits:\n\n```sh\n{commands}\n```\n\n"
    )


def _list_places(rollout: RolloutPlan) -> Iterable[tuple[str, ...]]:
    staging, production = rollout.staging, rollout.production
    yield (
        "staging",
        "none",
        f"`{staging.name}`",
        f"`{staging.namespace}`",
        f"`{staging.environment}`",
        str(rollout.staging_replicas),
    )
    for region in rollout.regions:
        production = region.production
        names = (f"`{production.name}`", f"`{production.namespace}`", f"`{production.environment}`")
        shares = ", ".join(f"{phase.percent} %" for phase in region.phases)
        replicas = ", ".join(str(phase.replicas) for phase in region.phases)
        yield f"canary{_where(region)}", shares, *names, f"{replicas} beside the present model's"
        yield f"stable{_where(region)}", "all", *names, f"{region.replicas} in the busy hour"


def _where(region: RolloutPlan) -> str:
    return f" in {region.place}" if region.place_suffix else ""


def _say_regions(rollout: RolloutPlan) -> str:
    if not rollout.further:
        return ""
    first = rollout.production.site
    rows = [
        f"Users are in {len(rollout.regions)} regions, each a stack with a cluster and a quota of its own:",
        "",
    ]
    rows.append(f"1. `{first.stack}`: {first.region}, project `{first.project}`")
    for number, region in enumerate(rollout.further, start=2):
        site = region.production.site
        after = f"{format_duration(region.wait_seconds)} after" if region.wait_seconds else "once"
        when = f"{after} all users of the one before have it"
        asked = f", once {name_people(region.approvals.begin)} approved" if region.approvals.begin else ""
        rows.append(f"{number}. `{site.stack}`: {site.region}, project `{site.project}`; {when}{asked}")
    return "\n".join(["", *rows, ""])


def _list_phases(rollout: RolloutPlan) -> Iterable[tuple[str, ...]]:
    for region in rollout.regions:
        for number, phase in enumerate(region.phases):
            is_last = number == len(region.phases) - 1
            yield (
                f"{phase.percent} %{_where(region)}",
                format_duration(phase.watch_seconds),
                _say_next(phase, region, is_last=is_last),
                f"{phase.requests_at_risk:,.0f}",
            )


def _say_next(phase: PhasePlan, rollout: RolloutPlan, *, is_last: bool) -> str:
    on = "all users" if is_last else "the next phase"
    return (
        f"{on}, when {name_people(rollout.approvals.increase)} let it" if phase.hold else f"{on}, by itself"
    )


def _list_gates(rollout: RolloutPlan) -> Iterable[tuple[str, ...]]:
    rules = known_rules()
    for gate in rollout.gates:
        rule = find_rule(rules, gate.alert)
        if rule is None:
            raise ValueError(f"{gate.alert} judges canaries and is no alert")
        link = f"[{gate.alert}](../../../{rule.runbook})"
        meaning = rule.summary.partition(": ")[2]
        yield (
            link,
            format_duration(gate.judgement_seconds),
            meaning.replace("{{ $labels.metric }}", "quality"),
        )


def _list_freezes(delivery: DeliveryPlan) -> str:
    if not delivery.freezes:
        return "None: releases go on at all times."
    rows = [f"- {freeze.name}: {describe_freeze(freeze)}" for freeze in delivery.freezes]
    return "\n".join([f"Refused meanwhile: {describe_refusals()}. Rolling back is possible:", "", *rows])


def describe_freeze(freeze: FreezePlan) -> str:
    """Return when a freeze is."""
    if freeze.start and freeze.end:
        return f"from {freeze.start:%Y-%m-%d %H:%M} to {freeze.end:%Y-%m-%d %H:%M} UTC"
    days = ", ".join(day.capitalize() for day in freeze.days)
    begin, end = divmod(freeze.from_minute, 60), divmod(freeze.to_minute, 60)
    return f"{days}, {begin[0]:02}:{begin[1]:02} to {end[0]:02}:{end[1]:02}, {freeze.time_zone}"


def _say_validation(rollout: RolloutPlan) -> dict[str, str]:
    validation, requests = rollout.validation, Requests()
    demands = ["it exports what its alerts look at", "its errors and latency are within its own objectives"]
    for bound in validation.quality:
        sides = (("at least", bound.least), ("at most", bound.most))
        demands += [f"{bound.metric} is {side} {value:g}" for side, value in sides if value is not None]
    if validation.worse is not None:
        demands.append(f"none of these is worse than the present model's by more than {validation.worse:.2%}")
    if validation.skew is not None:
        demands.append(f"its predictions are no further than {validation.skew:g} from the present model's")
    return {
        "validated": "is validated there by a job",
        "validation_minutes": format_duration(validation.timeout_seconds),
        "sent": f"which half is for {requests.count} recorded requests, or what releases/ says",
        "validation_demands": "; ".join(demands),
    }


def _say_commands(plan: Plan, delivery: DeliveryPlan, rollout: RolloutPlan) -> dict[str, str]:
    commands = commands_of(plan, rollout.pipeline)
    folder = f"releases/{plan.environment}/{rollout.pipeline}"
    render = f"headroom release render -s {plan.environment} -p {rollout.pipeline} --model-version {_VERSION}"
    check = f"headroom release check -s {plan.environment} -p {rollout.pipeline}"
    step = partial(_step, plan, rollout)
    return {
        "image": f"{delivery.images.prefix}NAME:{_VERSION}",
        "validated_image": f"{delivery.images.validated_prefix}NAME",
        "server_file": f"releases/{rollout.pipeline}.yaml",
        "render_command": _nest(f"{render}\n{check}"),
        "release_command": _nest(release_command(plan, rollout.pipeline, RELEASE, folder)),
        "status_command": step("status"),
        "list_command": _nest(commands.gcloud("rollouts list", f"--release={RELEASE}")),
        "then": "then waits" if rollout.approvals.begin else "then goes on to production",
        "asked": _say_asked(plan, commands, rollout),
        "rollback_command": _either(step("rollback"), _roll_back(commands, rollout)),
        "rollback_to_command": _either(
            step("rollback", "--release", RELEASE), _roll_back(commands, rollout, f"--release={RELEASE}")
        ),
        "rollback_regions": _say_rollback_regions(rollout),
        "rollback_approval": _say_rollback_approval(plan, rollout),
        "cancel_command": commands.on_rollout("cancel"),
        "abandon_command": commands.gcloud(f"releases abandon {RELEASE}"),
    }


def _roll_back(commands: Commands, rollout: RolloutPlan, *arguments: str) -> str:
    return "\n".join(
        commands.gcloud(f"targets rollback {region.production.name}", *arguments)
        for region in rollout.regions
    )


def _say_first_elsewhere(rollout: RolloutPlan) -> str:
    if not rollout.further:
        return ""
    return (
        " It is the same in a region that has nothing yet: the first release that comes to it goes to all "
        "its users at once."
    )


def _say_rollback_regions(rollout: RolloutPlan) -> str:
    if not rollout.further:
        return ""
    last = rollout.further[-1].production.site.stack
    return (
        "It is rolled back in every region that has the newest release; in one alone with `--region`, such "
        f"as `--region {last}`. The commands of gcloud are one for each region.\n\n"
    )


def _step(plan: Plan, rollout: RolloutPlan, verb: str, *arguments: str) -> str:
    return step_command(plan, verb, rollout.pipeline, *arguments)


def _say_asked(plan: Plan, commands: Commands, rollout: RolloutPlan) -> str:
    """The commands of those who are asked, where somebody is."""
    steps = [
        step for region in rollout.regions for step in _list_asked(plan, commands, rollout.pipeline, region)
    ]
    return (
        "".join(
            f"\n{number}. {what}\n\n{' ' * width}```sh\n{' ' * width}{_nest(text, width)}\n{' ' * width}```\n"
            for number, (what, text) in enumerate(steps, start=5)
            for width in [len(f"{number}. ")]
        )
        or "\n"
    )


def _list_asked(
    plan: Plan, commands: Commands, pipeline: str, region: RolloutPlan
) -> Iterable[tuple[str, str]]:
    people, where = region.approvals, region_arguments(region)
    if people.begin:
        what = f"{name_people(people.begin)} approve that it begins in {region.place}, or reject it:"
        own = step_command(plan, "approve", pipeline, "--release", RELEASE, *where)
        answers = (commands.on_rollout(verb) for verb in ("approve", "reject"))
        yield what, _either(own, "\n".join(answers))
    phases = [phase.id for phase in region.phases] + ["stable"]
    for number, phase in enumerate(region.phases):
        if phase.hold:
            share = f"{phase.percent} % of the users{_where(region)}"
            own = step_command(plan, "advance", pipeline, "--release", RELEASE, *where)
            other = commands.on_rollout("advance", f"--phase-id={phases[number + 1]}")
            yield f"{name_people(people.increase)} let it go on from {share}:", _either(own, other)


def _either(own: str, other: str) -> str:
    """Commands of headroom's, and gcloud's that do the same."""
    return f"{own}\n\n# or\n{other}"


def _nest(text: str, width: int = 3) -> str:
    """A block within a list item, whose text begins at that column."""
    indent = " " * width
    return text.replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n")


def _say_replica(region: RolloutPlan) -> str:
    asked = " and ".join(_say_amount(*part) for part in region.replica)
    return f"{asked}, on the pool {region.pool}{_where(region)}"


def _say_amount(resource: Resource, amount: int) -> str:
    units = {"cpu": "cores", "memory": "of memory", "gpus": "GPU", "chips": "TPU chip"}
    plural = "s" if resource in ("gpus", "chips") and amount != 1 else ""
    return f"{format_amount(resource, amount)} {units[resource]}{plural}"


def _rows(cells: Iterable[Iterable[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
