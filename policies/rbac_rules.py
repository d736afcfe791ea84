"""Rules for who may do what in the cluster."""

from collections.abc import Iterator
from typing import Any

from headroom.planning.addresses import is_example
from policies.frameworks import checkov, cis
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

_API = "kubernetes:rbac.authorization.k8s.io/v1:"
ROLE_BINDING = f"{_API}RoleBinding"
CLUSTER_ROLE_BINDING = f"{_API}ClusterRoleBinding"
_BINDINGS = (ROLE_BINDING, CLUSTER_ROLE_BINDING)
ROLES = (f"{_API}Role:", f"{_API}ClusterRole:", f"{_API}Role", f"{_API}ClusterRole")
EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts")
_RISKY_VERBS = ("bind", "escalate", "impersonate")
READING = frozenset(("get", "list", "watch"))
_DOORS = frozenset(("attach", "exec", "portforward", "proxy"))
"""Subresources by which `get` reaches into a pod or a node: a request for them that is upgraded is a GET
(kubernetes.io/docs/concepts/security/rbac-good-practices, 2026-11)."""
_GROUP_OF_ACCOUNTS = "system:serviceaccounts:"
_EDITORS = ("admin", "edit")
_GUARDS = {
    "": frozenset(("limitranges", "resourcequotas")),
    "admissionregistration.k8s.io": frozenset(
        (
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        )
    ),
    "kueue.x-k8s.io": frozenset(
        (
            "admissionchecks",
            "clusterqueues",
            "cohorts",
            "localqueues",
            "resourceflavors",
            "topologies",
            "workloadpriorityclasses",
        )
    ),
    "networking.k8s.io": frozenset(("networkpolicies",)),
    "resource.k8s.io": frozenset(
        ("deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices")
    ),
}
"""What bounds the work in the cluster, by API group."""


def _check_admins(resource: Resource, _: Settings) -> Iterator[Found]:
    if resource.type not in _BINDINGS:
        return
    role = resource.read("roleRef", "name")
    if role == "cluster-admin":
        yield resource, "makes somebody cluster-admin, who may do anything", "bind a role with what is needed"
    elif not isinstance(role, str):
        yield resource, f"its role is {role.value}, and may be cluster-admin", "write it out"
    for name in _subjects(resource):
        if name == "system:masters":
            yield resource, "binds system:masters, whom no policy holds", "bind a group of yours"
    if role in _EDITORS and resource.type == CLUSTER_ROLE_BINDING:
        yield (
            resource,
            f"binds {role} in all namespaces, those of the cluster too",
            "bind it in one namespace",
        )


def _check_everybody(resource: Resource, _: Settings) -> Iterator[Found]:
    if resource.type not in _BINDINGS:
        return
    for name in _subjects(resource):
        if name is UNKNOWN:
            yield resource, f"whom it binds is {UNKNOWN.value}, and may be everybody", "write it out"
        elif name in EVERYBODY:
            yield resource, f"binds {name}", "bind those who need it"
        elif resource.type == CLUSTER_ROLE_BINDING and str(name).startswith(_GROUP_OF_ACCOUNTS):
            yield resource, f"binds {name} in all namespaces, so every pod of one", "bind those who need it"


def _check_wildcards(resource: Resource, _: Settings) -> Iterator[Found]:
    if resource.type not in ROLES:
        return
    rules = resource.read("rules")
    if resource.read("aggregationRule") is not ABSENT:
        yield resource, "takes over the rules of other roles, whatever they are", "write its rules out"
    if rules is UNKNOWN:
        yield resource, f"what it allows is {UNKNOWN.value}", "write it out"
    for rule in each(rules):
        yield from _check_rule(resource, rule)


def _check_rule(resource: Resource, rule: Any) -> Iterator[Found]:
    for key in ("verbs", "resources", "apiGroups"):
        values = read(rule, key)
        if values is UNKNOWN or UNKNOWN in each(values):
            yield resource, f"its {key} are {UNKNOWN.value}", "write them out"
        elif "*" in each(values) and not (key == "resources" and _only_reads(rule)):
            yield resource, f"allows all {key} (*), those that are yet to come too", f"name the {key}"
    for verb in _RISKY_VERBS:
        if verb in each(read(rule, "verbs")):
            yield resource, f"allows {verb}, with which one may be anybody", f"leave {verb} out"
    for kind in _guards_written(rule):
        yield resource, f"allows to change {kind}, which bound everybody's work", f"leave {kind} out"


def _guards_written(rule: Any) -> list[str]:
    """Return what a rule lets one change of what guards the others; a part of it, such as status, too."""
    if READING.issuperset(map(str, each(read(rule, "verbs")))):
        return []
    kinds = {str(kind).partition("/")[0] for kind in each(read(rule, "resources"))}
    groups = [group for group in each(read(rule, "apiGroups")) if isinstance(group, str)]
    return sorted({kind for group in groups for kind in kinds & _GUARDS.get(group, frozenset())})


def _only_reads(rule: Any) -> bool:
    """Whether it lets one look at kinds of named groups alone; the core group has secrets."""
    verbs, groups = read(rule, "verbs"), read(rule, "apiGroups")
    return READING.issuperset(map(str, each(verbs))) and not {"", "*"} & set(each(groups))


def only_looks(rule: Any) -> bool:
    """Return whether a rule of a role lets one look alone: neither change anything nor reach into a pod."""
    if not READING.issuperset(map(str, each(read(rule, "verbs")))):
        return False
    kinds = [str(kind) for kind in each(read(rule, "resources"))]
    is_core = not {"", "*"}.isdisjoint(each(read(rule, "apiGroups")))
    return not any(kind.partition("/")[2] in _DOORS or (is_core and "*" in kind) for kind in kinds)


def _check_groups(model: Model, _: Settings) -> Iterator[Found]:
    """A cluster knows groups of Google Groups for RBAC only where it is told under which all of them are."""
    groups = sorted(
        {
            name
            for binding in model.of(*_BINDINGS)
            for name in _subjects(binding, "Group")
            if _is_address(name)
        }
    )
    for cluster in model.clusters if groups else ():
        group = cluster.read("authenticatorGroupsConfig", "securityGroup")
        if not isinstance(group, str):
            yield (
                cluster,
                f"authenticatorGroupsConfig.securityGroup is {group.value}, and roles are bound to "
                f"{groups[0]}, whom the cluster so does not know",
                "set headroom:cluster.security_group to gke-security-groups@YOUR_DOMAIN",
            )


def _subjects(binding: Resource, kind: str = "") -> Iterator[Any]:
    subjects = binding.read("subjects")
    if subjects is UNKNOWN:
        yield UNKNOWN
    for subject in each(subjects):
        if not kind or read(subject, "kind") == kind:
            name = read(subject, "name")
            yield UNKNOWN if name is ABSENT else name


def _is_address(name: Any) -> bool:
    """Whether it can be somebody's; Kubernetes' own groups have no @, and examples are nobody's."""
    return isinstance(name, str) and "@" in name and not is_example(name)


RBAC_RULES = (
    Rule(
        name="no-cluster-admins",
        description="Nobody may do anything in the cluster.",
        family="security",
        severity="critical",
        reference="CIS GKE Benchmark 4.1.1",
        remedy="Bind roles with what is needed.",
        of_resource=_check_admins,
        types=_BINDINGS,
        frameworks=cis("4.1.1", "4.1.6"),
    ),
    Rule(
        name="no-bindings-for-everybody",
        description="No role is bound to everybody who is logged in, nor to who is not.",
        family="security",
        severity="critical",
        reference="CIS GKE Benchmark 4.1.9",
        remedy="Bind those who need it.",
        of_resource=_check_everybody,
        types=_BINDINGS,
        frameworks=cis("4.1.9", "4.1.10"),
    ),
    Rule(
        name="roles-name-what-they-allow",
        description="Roles have no wildcards, and change nothing that bounds the others.",
        family="security",
        severity="high",
        reference="CIS GKE Benchmark 4.1.3",
        remedy="Name verbs, resources and groups.",
        of_resource=_check_wildcards,
        types=ROLES,
        frameworks=cis("4.1.3", "4.1.7"),
    ),
    Rule(
        name="groups-are-known-to-the-cluster",
        description="Where roles are bound to groups, the cluster asks Google who is in them.",
        family="security",
        severity="medium",
        reference="CIS GKE Benchmark 5.8.2",
        remedy="Set headroom:cluster.security_group.",
        of_stack=_check_groups,
        frameworks=(*cis("5.8.2"), *checkov("CKV_GCP_65")),
    ),
)
