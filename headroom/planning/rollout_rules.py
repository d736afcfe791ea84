"""What no delivery can be: phases that nothing can judge, approvals of one's own, more than the caps hold."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import ceil
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headroom.planning.node_pools import PoolPlan
from headroom.planning.pipelines import format_amount
from headroom.planning.regions import Lead, name_target
from headroom.planning.rollouts import (
    GatePlan,
    RolloutPlan,
    find_gates,
    least_watch_seconds,
    people_of,
    phases_of,
    plan_rollout,
    read_starvation,
)
from headroom.planning.staging import SURGE, find_delivered, find_staged, name_staging
from headroom.spec.delivery import Delivery, PipelineDelivery, WeeklyFreeze
from headroom.spec.errors import Problem
from headroom.spec.pipelines import ServingPipeline
from headroom.spec.platform import Platform

LONGEST_NAME = 63
"""Of a target of Cloud Deploy (cloud.google.com/deploy/docs/api/reference/rest/v1/projects.locations.targets,
2026-11)."""

Finding = tuple[str, str]


def check_deliveries(
    platform: Platform,
    environment: str,
    settled: Mapping[str, ServingPipeline],
    pools: Mapping[str, PoolPlan],
    lead: Lead | None = None,
) -> list[Problem]:
    """Return what is wrong with the deliveries of a platform; `lead` is whom its releases come from.

    `settled` are the delivered pipelines whose limits and demand are sound, with limits; the others' requests
    and replicas are not judged.
    """
    problems = _check_freezes(platform.delivery)
    for name, pipeline in _find_known(platform, lead).items():
        path = f"headroom:pipelines.{name}"
        found = [
            *_check_form(name, pipeline, environment, follows=lead is not None),
            *_check_people(name, pipeline, platform, lead),
            *(_check_validation(pipeline, platform) if lead is None else ()),
        ]
        problems += [Problem(f"{path}.{key}", text) for key, text in found]
        if name in settled and not found:
            rollout = plan_rollout(name, settled[name], platform, environment, pools, lead)
            problems += [
                Problem(f"{path}.{key}", text)
                for key, text in (
                    *_check_requests(pipeline, rollout),
                    *_check_caps(pipeline, settled[name], rollout),
                )
            ]
    return problems


def _find_known(platform: Platform, lead: Lead | None) -> Mapping[str, ServingPipeline]:
    """What is delivered here; where releases come from another stack, as far as that delivers it too."""
    here = find_delivered(platform.pipelines)
    if not platform.delivery.follows:
        return here
    there = find_delivered(lead.platform.pipelines) if lead else {}
    return {name: pipeline for name, pipeline in here.items() if name in there}


def find_undelivered(platform: Platform) -> list[Problem]:
    """Return the serving pipelines of production that nothing delivers."""
    if platform.environment.tier != "production":
        return []
    copies = {name_staging(name) for name in find_staged(platform)}
    return [
        Problem(f"headroom:pipelines.{name}", "serves and has no delivery: no canary tries its new models")
        for name, pipeline in sorted(platform.pipelines.items())
        if isinstance(pipeline, ServingPipeline) and pipeline.delivery is None and name not in copies
    ]


def _check_form(
    name: str, pipeline: ServingPipeline, environment: str, *, follows: bool
) -> Iterator[Finding]:
    delivery = _delivery(pipeline)
    if pipeline.demand is None:
        yield (
            "delivery",
            "needs a demand beside it: without queries per second nobody knows what a canary gets to answer",
        )
    longest = name_target(environment, name if follows else name_staging(name))
    if len(longest) > LONGEST_NAME:
        yield (
            "delivery",
            f"would make the target {longest}, of {len(longest)} characters, where Cloud Deploy takes "
            f"{LONGEST_NAME}; give the pipeline a shorter name",
        )
    yield from _check_phases(delivery, find_gates(environment))


def _check_phases(delivery: PipelineDelivery, gates: tuple[GatePlan, ...]) -> Iterator[Finding]:
    least = ceil(least_watch_seconds(gates) / 60)
    slowest = max(gates, key=lambda gate: gate.judgement_seconds)
    before = 0
    for number, phase in enumerate(delivery.phases or ()):
        key = f"delivery.phases[{number}]"
        if phase.percent <= before:
            yield (
                f"{key}.percent",
                f"is {phase.percent}, after a phase of {before}; every phase is larger than the one before",
            )
        if phase.minutes < least:
            yield (
                f"{key}.minutes",
                f"is {phase.minutes}, and {slowest.alert} takes {least} minutes to have certainly fired: a "
                f"bad model could pass; write {least} or more",
            )
        before = phase.percent


def _check_people(
    name: str, pipeline: ServingPipeline, platform: Platform, lead: Lead | None
) -> Iterator[Finding]:
    delivery = _delivery(pipeline)
    people = people_of(name, pipeline, platform, lead)
    if not people.begin and platform.environment.tier == "production" and lead is None:
        yield (
            "delivery.approvals.begin",
            "is required in production, here or in headroom:delivery.approvals: who approves that a release "
            "goes to production, such as [group:ml-approvers@acme.example]",
        )
    if not people.increase and any(phase.hold for phase in phases_of(delivery)):
        yield (
            "delivery.approvals.increase",
            "names nobody, and a phase holds until somebody lets it go on; name who may"
            + (f" in Pulumi.{lead.stack}.yaml" if lead else "")
            + ", or let none hold",
        )
    for what, members in (("begin", people.begin), ("increase", people.increase)):
        if set(members) & set(people.release):
            yield (
                f"delivery.approvals.{what}",
                "names somebody who may release too, and nobody approves what they released themselves; name "
                "others there, or in release, which is by default the owner of the pipeline",
            )
            return


def _check_validation(pipeline: ServingPipeline, platform: Platform) -> Iterator[Finding]:
    if not (_delivery(pipeline).validation.image or platform.delivery.validation_image):
        yield (
            "delivery.validation.image",
            "is required, here or as headroom:delivery.validation_image: the job that judges releases in "
            "staging, by digest",
        )


def _check_requests(pipeline: ServingPipeline, rollout: RolloutPlan) -> Iterator[Finding]:
    least, window = read_starvation()
    delivery = _delivery(pipeline)
    percent = ceil(least / window / rollout.qps * 100)
    for number, phase in enumerate(rollout.phases):
        got = rollout.qps * phase.percent / 100 * window
        if got >= least:
            continue
        key = f"phases[{number}].percent" if delivery.phases else "preset"
        remedy = f"write {percent} or more" if percent < 100 else "no share is enough; leave the delivery out"
        yield (
            f"delivery.{key}",
            f"gives a canary of {phase.percent} % some {got:.0f} requests in {window // 60} minutes of the "
            f"busy hour, and it is judged by {least:g} or more; {remedy}"
            + ("" if delivery.phases or percent >= 100 else " in phases of your own"),
        )
        return


def _check_caps(
    pipeline: ServingPipeline, settled: ServingPipeline, rollout: RolloutPlan
) -> Iterator[Finding]:
    """Where the three do not fit at once, pods of the new model wait for those of the old, for ever."""
    limits, largest = settled.limits[rollout.pool], max(rollout.phases, key=lambda phase: phase.percent)
    for resource, part in rollout.replica:
        limit, needed = getattr(limits, resource), rollout.peak_replicas * part
        if limit is None or limit.cap >= needed:
            continue
        where = f"limits.{rollout.pool}.{resource}.cap" if pipeline.limits else "demand"
        estimated = "" if pipeline.limits else f"gives an estimated cap of {resource} that "
        yield (
            where,
            f"{estimated}is {format_amount(resource, limit.cap)}, and a rollout takes "
            f"{format_amount(resource, needed)}: {rollout.replicas} replicas of the present model, "
            f"{largest.replicas} of a canary of {largest.percent} % and {SURGE} as it takes over; "
            + ("raise the cap, or " if pipeline.limits else "raise burst, give limits, or ")
            + "end with a smaller phase",
        )


def _check_freezes(delivery: Delivery) -> list[Problem]:
    return [
        Problem(
            f"headroom:delivery.freezes.{name}.time_zone",
            "is no time zone that this machine knows, such as Europe/Berlin",
        )
        for name, freeze in delivery.freezes.items()
        if isinstance(freeze, WeeklyFreeze) and not _is_zone(freeze.time_zone)
    ]


def _is_zone(name: str) -> bool:
    if name == "UTC":
        return True
    try:
        datetime.now(UTC).astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _delivery(pipeline: ServingPipeline) -> PipelineDelivery:
    if pipeline.delivery is None:
        raise ValueError("is not delivered")
    return pipeline.delivery
