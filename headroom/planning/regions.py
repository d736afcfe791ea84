"""Production in several regions: a stack for each. Releases go on from the one that leads to the others.

A stack is one region, since what it shares out is: machines, their quota and the headroom are a region's.
Each has a project of its own, whose image policy, topics and freezes there is one of.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from headroom.planning.staging import find_delivered, find_staged, name_staging
from headroom.spec.delivery import Delivery, PipelineDelivery
from headroom.spec.errors import Problem, suggest
from headroom.spec.platform import Platform

USUAL_WAIT_MINUTES = 60

_PATH = "headroom:delivery"
_OF_THE_LEAD = ("builders", "freezes", "validation_image")
_OF_THE_LEADING_PIPELINE = ("staging", "validation")

Neighbours = Mapping[str, Platform]
"""The stacks that a stack file names, by name, as far as there are files of them."""

ALONE: Neighbours = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SitePlan:
    """Where a stack is: what it is called, its project, and the region of its cluster."""

    stack: str
    project: str
    region: str

    @property
    def cluster(self) -> str:
        """The full name of its cluster."""
        return f"projects/{self.project}/locations/{self.region}/clusters/{self.stack}-cluster"

    @property
    def nodes(self) -> str:
        """Who its nodes are, as an IAM member."""
        return f"serviceAccount:{self.stack}-nodes@{self.project}.iam.gserviceaccount.com"


@dataclass(frozen=True, slots=True)
class Lead:
    """The stack from which releases come."""

    stack: str
    platform: Platform


def plan_site(stack: str, platform: Platform) -> SitePlan:
    """Return where a stack is."""
    return SitePlan(stack, platform.project, platform.region)


def find_lead(platform: Platform, neighbours: Neighbours) -> Lead | None:
    """Return the stack from which releases come; None where they begin here, or there is no such file."""
    named = platform.delivery.follows
    return Lead(named, neighbours[named]) if named and named in neighbours else None


def find_followers(platform: Platform, environment: str, neighbours: Neighbours) -> dict[str, Platform]:
    """Return the stacks to which releases go on and that know it, in that order."""
    return {
        name: neighbours[name]
        for name in platform.delivery.regions
        if name in neighbours and _follows(neighbours[name], environment)
    }


def check_regions(platform: Platform, environment: str, neighbours: Neighbours) -> list[Problem]:
    """Return what is wrong with what a stack says of others; not what is wrong with the others."""
    delivery = platform.delivery
    if delivery.follows is None:
        problems = [
            problem
            for number, name in enumerate(delivery.regions)
            for problem in _check_follower(platform, environment, neighbours, number, name)
        ]
        if delivery.wait_minutes is not None:
            problems.append(
                Problem(f"{_PATH}.wait_minutes", "is for a stack that follows another; remove it")
            )
        return problems + _check_targets(platform, environment, neighbours)
    problems = list(_check_lead(platform, environment, neighbours, delivery.follows))
    problems += [
        Problem(f"{_PATH}.{key}", f"is said by {delivery.follows}, which releases come from; remove it")
        for key in _find_said(delivery, _OF_THE_LEAD)
    ]
    if not problems:
        lead = neighbours[delivery.follows]
        problems += [
            Problem(f"headroom:pipelines.{name}.{key}", message)
            for name in find_delivered(platform.pipelines)
            for key, message in _check_pipeline(name, platform, delivery.follows, lead)
        ]
    return problems


def find_unled(platform: Platform, environment: str, neighbours: Neighbours) -> list[Problem]:
    """Return a note where a stack awaits releases and none come yet: it is brought up first."""
    lead = find_lead(platform, neighbours)
    if lead is None or environment in lead.platform.delivery.regions:
        return []
    message = (
        f"names {lead.stack}, whose releases do not come here yet; once this is up, add {environment} to "
    )
    return [Problem(f"{_PATH}.follows", f"{message}headroom:delivery.regions of Pulumi.{lead.stack}.yaml")]


def find_left_out(platform: Platform, environment: str, neighbours: Neighbours) -> list[Problem]:
    """Return a note for each region to which releases of a pipeline do not go on."""
    here = find_delivered(platform.pipelines)
    return [
        Problem(f"{_PATH}.regions", f"{name} gets no releases of {', '.join(left)}: no delivery is there")
        for name, there in find_followers(platform, environment, neighbours).items()
        if (left := sorted(here.keys() - find_delivered(there.pipelines).keys()))
    ]


def _follows(platform: Platform, environment: str) -> bool:
    return platform.delivery.follows == environment and not platform.delivery.regions


def _check_follower(
    platform: Platform, environment: str, neighbours: Neighbours, number: int, name: str
) -> Iterator[Problem]:
    path, before = f"{_PATH}.regions[{number}]", platform.delivery.regions[:number]
    if name == environment or name in before:
        yield Problem(path, f"is {'this stack itself' if name == environment else 'named twice'}; remove it")
        return
    if name not in neighbours:
        yield Problem(path, f"names no stack: there is no Pulumi.{name}.yaml beside this file")
        return
    there = neighbours[name]
    if not _follows(there, environment):
        yield Problem(
            path,
            f"names {name}, which does not follow this stack; write follows: {environment} in its "
            "headroom:delivery, and no regions",
        )
    taken = {platform.project: environment} | {
        neighbours[each].project: each for each in before if each in neighbours
    }
    yield from _check_alike(path, name, there, platform, taken)


def _check_lead(platform: Platform, environment: str, neighbours: Neighbours, lead: str) -> Iterator[Problem]:
    path = f"{_PATH}.follows"
    if platform.delivery.regions:
        yield Problem(f"{_PATH}.regions", f"is for the stack that leads, which is {lead}; name them there")
    if lead == environment:
        yield Problem(path, "is this stack itself; remove it")
        return
    if lead not in neighbours:
        yield Problem(path, f"names no stack: there is no Pulumi.{lead}.yaml beside this file")
        return
    there = neighbours[lead]
    if there.delivery.follows:
        yield Problem(path, f"names {lead}, which follows a stack itself; name the one that leads")
        return
    yield from _check_alike(path, lead, there, platform, {platform.project: environment})


def _check_alike(
    path: str, name: str, there: Platform, platform: Platform, taken: Mapping[str, str]
) -> Iterator[Problem]:
    """`taken` are the projects of other stacks, this one's among them, each with its stack."""
    if there.project in taken:
        yield Problem(
            path,
            f"names {name}, in the project {there.project} of {taken[there.project]}: a project has one "
            "image policy, and so one region; give each a project of its own",
        )
    if there.environment.tier != platform.environment.tier:
        yield Problem(path, f"names {name}, whose tier is {there.environment.tier}; let both have the same")


def _find_said(delivery: Delivery | PipelineDelivery, of_the_lead: Collection[str]) -> list[str]:
    """Keys of what is the lead's, and that a stack that follows says nevertheless."""
    said = delivery.model_fields_set & set(of_the_lead)
    return sorted(said | {f"approvals.{key}" for key in delivery.approvals.model_fields_set - {"begin"}})


def _check_pipeline(name: str, platform: Platform, lead: str, there: Platform) -> Iterator[tuple[str, str]]:
    own = find_delivered(platform.pipelines)[name]
    delivered = find_delivered(there.pipelines)
    if name not in delivered:
        yield "delivery", f"is of no pipeline that {lead} delivers" + suggest(name, delivered)
        return
    if own.model != delivered[name].model:
        yield (
            "model",
            f"is {own.model}, and {lead} releases {delivered[name].model} to it; let both be the same",
        )
    for key in _find_said(own.delivery, _OF_THE_LEADING_PIPELINE) if own.delivery else ():
        yield f"delivery.{key}", f"is said by {lead}, which releases come from; remove it"


def _check_targets(platform: Platform, environment: str, neighbours: Neighbours) -> list[Problem]:
    """Targets of all regions are in one project, where `prod` and `us-x` may not be `prod-us` and `x`."""
    taken = set(_name_targets(environment, find_delivered(platform.pipelines)))
    taken |= set(_name_targets(environment, map(name_staging, find_staged(platform))))
    problems = []
    for name, there in find_followers(platform, environment, neighbours).items():
        path = f"{_PATH}.regions[{platform.delivery.regions.index(name)}]"
        own = set(_name_targets(name, find_delivered(there.pipelines)))
        problems += [
            Problem(path, f"would make a second target {target}; rename a pipeline")
            for target in sorted(own & taken)
        ]
        taken |= own
    return problems


def _name_targets(stack: str, namespaces: Iterable[str]) -> Iterator[str]:
    return (name_target(stack, namespace) for namespace in namespaces)


def name_target(environment: str, namespace: str) -> str:
    """Return what a target is called."""
    return f"{environment}-{namespace}"
