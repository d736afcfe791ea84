"""The rule for who may approve: those that the stack file names, and the job that brings models back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from headroom.planning.delivery import RUNNER, name_role
from headroom.planning.operations import NAMESPACE, list_returning
from policies.canary_rules import production_stages
from policies.identity_rules import CUSTOM_ROLES, EVERYWHERE, Grant, is_binding, read_grants
from policies.model import Model
from policies.property_rules import show_value
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

_APPROVE = "clouddeploy.rollouts.approve"
_CLOUD_DEPLOY = "roles/clouddeploy."
_APPROVER = f"{_CLOUD_DEPLOY}approver"
_LOOKING = frozenset(f"{_CLOUD_DEPLOY}{role}" for role in ("jobRunner", "viewer", "serviceAgent"))
_WITHOUT_APPROVALS = _LOOKING | frozenset(
    f"{_CLOUD_DEPLOY}{role}" for role in ("customTargetTypeAdmin", "developer", "policyAdmin", "releaser")
)
"""Roles that lack it (cloud.google.com/deploy/docs/iam-roles-permissions, 2026-11); any other may have it."""
_OF_PIPELINE = "gcp:clouddeploy/deliveryPipelineIamMember:DeliveryPipelineIamMember"
_OF_TARGET = "gcp:clouddeploy/targetIamMember:TargetIamMember"
_PLACES = {
    _OF_PIPELINE: ("gcp:clouddeploy/deliveryPipeline:DeliveryPipeline",),
    _OF_TARGET: ("gcp:clouddeploy/target:Target",),
}
_OF_PROJECT = "gcp:projects/iAMMember:IAMMember"
_PEOPLE = ("group:", "user:")
_AGENT = ("gcp:projects/serviceIdentity:ServiceIdentity",)
"""Whose address has the project's number, and so is where the principals of the cluster's jobs come from."""
_REMEDY = "name approvers in delivery.approvals of the pipeline, as infra/components/delivery.py binds them"


@dataclass(frozen=True, slots=True)
class _Seat:
    """An approver of one delivery pipeline or of one target."""

    kind: str
    place: Any
    member: Any


def _check_approvers(model: Model, _: Settings) -> Iterator[Found]:
    bindings = [resource for resource in model.bindings if is_binding(resource.type)]
    planned = _planned_seats(model, bindings)
    for resource in bindings:
        for grant in read_grants(resource):
            role = _approving_role(model, resource, grant.role)
            if role and not (
                _is_planned(model, resource, grant, planned) or _is_return(model, resource, grant, planned)
            ):
                message = (
                    f"gives {role} to {show_value(grant.member)}, who so may approve what nobody else does"
                )
                yield resource, message, _REMEDY
            elif not role and model.is_production and _holds_everywhere(resource, grant):
                message = f"gives {grant.role} to {show_value(grant.member)}, who so may deliver any model"
                yield resource, message, _REMEDY


def _approving_role(model: Model, resource: Resource, role: Any) -> str:
    """Return how a role that may hold the permission is told of; empty: it does not."""
    if isinstance(role, str) and role.startswith("roles/"):
        return role if role.startswith(_CLOUD_DEPLOY) and role not in _WITHOUT_APPROVALS else ""
    own = find_own_roles(model, resource, role)
    if own:
        return next((f"the role {made.name}" for made in own if _may_approve(made)), "")
    if isinstance(role, Missing):
        return f"a role that is {role.value}"
    if any(
        role == f"projects/{site.project}/roles/{name_role(RUNNER, site.stack)}"
        for site in model.records.regions
    ):
        return ""
    elsewhere = str(role).startswith(("projects/", "organizations/"))
    return f"{role}, which the stack does not make," if elsewhere else ""


def find_own_roles(model: Model, resource: Resource, role: Any) -> list[Resource]:
    """Return the stack's own roles that a binding's role may be, by its name or by where it comes from."""
    made = [
        urn.rpartition("::")[2]
        for key in ("role", "policyData")
        for urn in resource.options.sources.get(key, ())
    ]
    named = str(role).rpartition("/")[2]
    return [own for own in model.of(*CUSTOM_ROLES) if own.name in made or own.read("roleId") == named]


def _may_approve(role: Resource) -> bool:
    permissions = role.read("permissions")
    return permissions is UNKNOWN or not {_APPROVE, UNKNOWN}.isdisjoint(each(permissions))


def _holds_everywhere(resource: Resource, grant: Grant) -> bool:
    """A role for the project holds for every pipeline."""
    role = str(grant.role)
    return resource.type.startswith(EVERYWHERE) and role.startswith(_CLOUD_DEPLOY) and role not in _LOOKING


def _planned_seats(model: Model, bindings: list[Resource]) -> frozenset[_Seat]:
    """Return the seats of whoever approves for a delivery pipeline and for its production: it takes both."""
    held = {
        _Seat(resource.type, place, resource.read("member"))
        for resource in bindings
        if resource.read("role") == _APPROVER and (place := _place(model, resource)) is not ABSENT
    }
    found: set[_Seat] = set()
    for pipeline in model.delivery_pipelines:
        name = pipeline.read("name")
        targets = [read(stage, "targetId") for stage in production_stages(pipeline)]
        for member, target in product({seat.member for seat in held}, targets):
            both = {_Seat(_OF_PIPELINE, name, member), _Seat(_OF_TARGET, target, member)}
            found |= both if both <= held else set()
    return frozenset(found)


def _is_planned(model: Model, resource: Resource, grant: Grant, planned: frozenset[_Seat]) -> bool:
    return str(grant.member).startswith(_PEOPLE) and _is_seated(model, resource, grant, planned)


def _is_seated(model: Model, resource: Resource, grant: Grant, planned: frozenset[_Seat]) -> bool:
    place = _place(model, resource)
    return grant.role == _APPROVER and _Seat(resource.type, place, grant.member) in planned


def _place(model: Model, resource: Resource) -> Any:
    """Return the name of the pipeline or the target that a role is given on."""
    name, types = resource.read("name"), _PLACES.get(resource.type, ())
    if name is not UNKNOWN:
        return name if types else ABSENT
    made = {urn.rpartition("::")[2] for urn in resource.options.sources.get("name", ())}
    return next((found.read("name") for found in model.of(*types) if found.name in made), ABSENT)


def _is_return(model: Model, resource: Resource, grant: Grant, planned: frozenset[_Seat]) -> bool:
    """Whether it is the platform's own job that approves: as approvers do, or by a role of the project's own.

    Before a project's first update no more is known of a job's principal than what it is made of.
    """
    is_own = resource.type in (_OF_PROJECT, *_PLACES) and find_own_roles(model, resource, grant.role)
    if not is_own and not _is_seated(model, resource, grant, planned):
        return False
    if grant.member is UNKNOWN:
        words = resource.name.split("-")
        return resource.options.comes_from("member", _AGENT) and any(job in words for job in list_returning())
    place = re.escape(f"{resource.read('project')}.svc.id.goog/subject/ns/{NAMESPACE}/sa/")
    jobs = "|".join(map(re.escape, list_returning()))
    pools = r"principal://iam[.]googleapis[.]com/projects/\d+/locations/global/workloadIdentityPools/"
    return re.fullmatch(f"{pools}{place}({jobs})", str(grant.member)) is not None


APPROVAL_RULES = (
    Rule(
        name="approvers-are-planned",
        description="Who may approve is named for each model, or is the job that brings models back.",
        family="operations",
        severity="high",
        reference="D1",
        remedy="Name approvers in delivery.approvals of the pipeline, and let nobody else approve.",
        of_stack=_check_approvers,
        settings=("production",),
    ),
)
