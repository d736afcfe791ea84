"""Rules for who may do what in Google Cloud: nobody everything, nobody unknown, nobody with a key."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.frameworks import checkov, trivy
from policies.model import BINDING, Model
from policies.resources import UNKNOWN, Missing, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

PUBLIC = ("allUsers", "allAuthenticatedUsers")
_CONSUMERS = re.compile(r"[:@](gmail|googlemail|googlegroups)[.]com$", re.IGNORECASE)
"""Where everybody may have an address: such a domain is everybody, and no organization answers for a user."""
_GIVING_ROLES = re.compile(
    r"roles/(resourcemanager[.](projectIamAdmin|folderAdmin|folderIamAdmin|organizationAdmin)"
    r"|iam[.](roleAdmin|organizationRoleAdmin|serviceAccountAdmin|workloadIdentityPoolAdmin)"
    r"|[\w.]*securityAdmin)",
    re.IGNORECASE,
)
"""Google's roles with which one may give oneself any other, or let oneself in as an account."""
PRIMITIVE_ROLES = ("roles/owner", "roles/editor", "roles/viewer")
_ADMIN = re.compile(r"admin|^(owner|editor)$", re.IGNORECASE)
_MACHINES = ("serviceAccount:", "principal:", "principalSet:")
EVERYWHERE = ("gcp:projects/", "gcp:folder/", "gcp:organizations/")
_IMPERSONATION = re.compile(
    r"^roles/iam[.](serviceAccount(User|TokenCreator|KeyAdmin|OpenIdTokenCreator)|workloadIdentityUser)$"
)

CUSTOM_ROLES = ("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole")
"""A role's name is computed where the same update creates the role."""
ACCOUNTS = (
    "gcp:serviceaccount/account:Account",
    "gcp:projects/serviceIdentity:ServiceIdentity",
    "gcp:logging/projectSink:ProjectSink",
    # Google's own account of a service is asked for as soon as the service is there.
    "gcp:projects/service:Service",
)
"""What has an address that is computed where the same update creates it, and never means everybody."""
_ACCESS_LISTS = {
    "gcp:storage/bucketACL:BucketACL": ("roleEntities", "predefinedAcl", "defaultAcl"),
    "gcp:storage/defaultObjectACL:DefaultObjectACL": ("roleEntities",),
    "gcp:storage/objectACL:ObjectACL": ("roleEntities", "predefinedAcl"),
    "gcp:storage/bucketAccessControl:BucketAccessControl": ("entity",),
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl": ("entity",),
    "gcp:storage/objectAccessControl:ObjectAccessControl": ("entity",),
    "gcp:bigquery/dataset:Dataset": ("accesses",),
    "gcp:bigquery/datasetAccess:DatasetAccess": ("specialGroup", "iamMember"),
}
"""Who may do what, where it is not said by IAM."""
_PUBLIC_ENTRY = re.compile(r"\b(allUsers|allAuthenticatedUsers|public[rR]ead(Write)?|authenticatedRead)\b")
_KEYS = (
    "gcp:serviceaccount/key:Key",
    "gcp:storage/hmacKey:HmacKey",
    "gcp:projects/apiKey:ApiKey",
)
_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that is given to a member; either may not be known before the update."""

    role: Any
    member: Any


def is_binding(kind: str) -> bool:
    """Return whether resources of the type give roles to members."""
    return kind.startswith("gcp:") and BINDING.search(kind) is not None


def read_grants(resource: Resource) -> tuple[Grant, ...]:
    """Return what a binding, a member or a whole policy gives to whom."""
    text = resource.read("policyData")
    if text is UNKNOWN:
        return (Grant(UNKNOWN, UNKNOWN),)
    if isinstance(text, str):
        return tuple(_read_policy(text))
    members = resource.read("members")
    listed = members if isinstance(members, list | tuple) else [members]
    found = [
        member
        for member in (resource.read("member"), *listed)
        if isinstance(member, str) or member is UNKNOWN
    ]
    return tuple(Grant(resource.read("role"), member) for member in found)


def _read_policy(text: str) -> Iterator[Grant]:
    try:
        policy = json.loads(text)
    except ValueError:
        policy = {"bindings": [{"role": UNKNOWN, "members": [UNKNOWN]}]}
    for binding in each(read(policy, "bindings")):
        for member in each(read(binding, "members")):
            yield Grant(read(binding, "role"), member)


def _check_public(resource: Resource, _: Settings) -> Iterator[Found]:
    remedy = "name those who need it"
    if is_binding(resource.type):
        for grant in read_grants(resource):
            if grant.member in PUBLIC:
                yield resource, f"gives {_show(grant.role)} to {grant.member}", remedy
            elif _CONSUMERS.search(str(grant.member)):
                yield (
                    resource,
                    f"gives {_show(grant.role)} to {grant.member}, for whom no organization answers",
                    "name an account or a group of your organization",
                )
    for key in _ACCESS_LISTS.get(resource.type, ()):
        value = resource.read(key)
        if found := _PUBLIC_ENTRY.search(str(value)):
            yield resource, f"its {key} lets {found[0]} in", remedy
        elif value is UNKNOWN:
            yield resource, f"its {key} is {UNKNOWN.value}, and may let everybody in", "write it out"


def _check_unknown_members(model: Model, _: Settings) -> Iterator[Found]:
    for resource in filter(lambda each: is_binding(each.type), model.bindings):
        if any(grant.member is UNKNOWN for grant in read_grants(resource)) and not any(
            resource.options.comes_from(key, ACCOUNTS) for key in ("member", "members", "policyData")
        ):
            yield resource, f"whom it is for is {UNKNOWN.value}, and may be everybody", "write the member out"


def _check_primitive(resource: Resource, _: Settings) -> Iterator[Found]:
    if not is_binding(resource.type):
        return
    for role in dict.fromkeys(grant.role for grant in read_grants(resource)):
        if role in PRIMITIVE_ROLES:
            yield resource, f"gives {role}, which holds for every service", "give a role of the service"


def _check_unknown_roles(model: Model, _: Settings) -> Iterator[Found]:
    for resource in filter(lambda each: is_binding(each.type), model.bindings):
        if any(isinstance(grant.role, Missing) for grant in read_grants(resource)) and not any(
            resource.options.comes_from(key, CUSTOM_ROLES) for key in ("role", "policyData")
        ):
            yield resource, f"its role is {UNKNOWN.value}, and may be owner", "write the role out"


def _check_admin(resource: Resource, _: Settings) -> Iterator[Found]:
    if not is_binding(resource.type):
        return
    for grant in read_grants(resource):
        is_machine = grant.member is UNKNOWN or str(grant.member).startswith(_MACHINES)
        if is_machine and isinstance(grant.role, str) and _ADMIN.search(grant.role.rpartition("/")[2]):
            yield (
                resource,
                f"gives {grant.role} to {_show(grant.member)}, with which whoever takes the account over may "
                "do anything there",
                "give a role without admin rights, or one of your own with what is needed",
            )


def _check_impersonation(resource: Resource, _: Settings) -> Iterator[Found]:
    if not (is_binding(resource.type) and resource.type.startswith(EVERYWHERE)):
        return
    for grant in read_grants(resource):
        if isinstance(grant.role, str) and _IMPERSONATION.match(grant.role):
            yield (
                resource,
                f"gives {grant.role} on every account of the project to {_show(grant.member)}",
                "give it on the one account, with gcp.serviceaccount.IAMMember",
            )


def _check_giving(resource: Resource, settings: Settings) -> Iterator[Found]:
    if resource.type in CUSTOM_ROLES:
        yield from _check_custom(resource, settings)
    elif is_binding(resource.type):
        for grant in read_grants(resource):
            if isinstance(grant.role, str) and _GIVING_ROLES.fullmatch(grant.role):
                yield (
                    resource,
                    f"gives {grant.role} to {_show(grant.member)}, with which one may give oneself any other",
                    "leave that to those who administer the project",
                )


def _check_custom(resource: Resource, _: Settings) -> Iterator[Found]:
    permissions = resource.read("permissions")
    if permissions is UNKNOWN or UNKNOWN in each(permissions):
        yield resource, f"its permissions are {UNKNOWN.value}", "write them out"
    for permission in each(permissions):
        if isinstance(permission, str) and _GIVES_RIGHTS.search(permission):
            yield (
                resource,
                f"has the permission {permission}, with which one may give oneself any other",
                "leave that to those who administer the project",
            )


_GIVES_RIGHTS = re.compile(
    r"[.]setIamPolicy$|^iam[.]serviceAccountKeys[.]create$"
    r"|^iam[.]serviceAccounts[.](actAs|getAccessToken|getOpenIdToken|implicitDelegation|signBlob|signJwt)$"
    r"|^iam[.](roles|workloadIdentityPools|workloadIdentityPoolProviders)[.](create|update)$"
)


def _check_keys(resource: Resource, _: Settings) -> Iterator[Found]:
    yield (
        resource,
        "is a key, which is good for whoever has it, for as long as nobody notices",
        "use workload identity, or its federation from outside",
    )


def _check_federation(resource: Resource, _: Settings) -> Iterator[Found]:
    condition = resource.read("attributeCondition")
    remedy = "set attributeCondition to whom of them it is for, such as one repository"
    if not isinstance(condition, str):
        yield (
            resource,
            f"its attributeCondition is {condition.value}, so anybody whom the issuer knows gets in",
            remedy,
        )
    elif not re.search(r"\b(assertion|attribute|google)[.\[]", condition):
        yield resource, f"its attributeCondition, {condition!r}, asks nothing of who it is", remedy


def _show(value: Any) -> str:
    return value.value if isinstance(value, Missing) else str(value)


IDENTITY_RULES = (
    Rule(
        name="no-public-members",
        description="Nothing is open to everybody, nor to everybody with a Google account.",
        family="security",
        severity="critical",
        reference="Checkov CKV_GCP_113",
        remedy="Name those who need it.",
        of_resource=_check_public,
        of_stack=_check_unknown_members,
        types=("gcp:",),
        frameworks=checkov(
            "CKV_GCP_15", "CKV_GCP_28", "CKV_GCP_112", "CKV_GCP_113", "CKV2_GCP_6", "CKV2_GCP_8"
        ),
    ),
    Rule(
        name="no-primitive-roles",
        description="Nobody is owner, editor or viewer of everything.",
        family="security",
        severity="high",
        reference="Checkov CKV_GCP_117",
        remedy="Give roles of single services.",
        of_resource=_check_primitive,
        of_stack=_check_unknown_roles,
        types=("gcp:",),
        frameworks=checkov("CKV_GCP_115", "CKV_GCP_116", "CKV_GCP_117"),
    ),
    Rule(
        name="no-admin-machines",
        description="No service account, and no workload from elsewhere, administers anything.",
        family="security",
        severity="high",
        reference="Checkov CKV_GCP_42",
        remedy="Give machines roles without admin rights.",
        of_resource=_check_admin,
        types=("gcp:",),
        frameworks=(*checkov("CKV_GCP_42"), *trivy("GCP-0007")),
    ),
    Rule(
        name="no-impersonation-everywhere",
        description="Whoever may act as an account may act as that account alone.",
        family="security",
        severity="high",
        reference="Checkov CKV_GCP_49",
        remedy="Give the role on the account rather than on the project.",
        of_resource=_check_impersonation,
        types=EVERYWHERE,
        frameworks=checkov("CKV_GCP_49"),
    ),
    Rule(
        name="no-roles-that-give-roles",
        description="No role that is given, nor one of the project's own, can be used to get any other.",
        family="security",
        severity="high",
        reference="cloud.google.com/iam/docs/best-practices-service-accounts",
        remedy="Leave out permissions that give permissions.",
        of_resource=_check_giving,
        types=("gcp:",),
    ),
    Rule(
        name="no-keys",
        description="Nobody has a key that could be copied.",
        family="security",
        severity="critical",
        reference="Checkov CKV2_GCP_3",
        remedy="Use workload identity, or its federation from outside.",
        of_resource=_check_keys,
        types=_KEYS,
        frameworks=checkov("CKV2_GCP_3"),
    ),
    Rule(
        name="federation-is-restricted",
        description="Workload identity federation says whom of another's users it lets in.",
        family="security",
        severity="critical",
        reference="Checkov CKV_GCP_118",
        remedy="Set attributeCondition.",
        of_resource=_check_federation,
        types=(_PROVIDER,),
        frameworks=(*checkov("CKV_GCP_118"), *trivy("GCP-0068")),
    ),
)
