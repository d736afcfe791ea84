"""Rules that work runs in namespaces with a queue, and that nobody can run it elsewhere."""

import re
from collections.abc import Iterator
from typing import Any

from headroom.planning.operations import NAMESPACE as OPERATIONS
from headroom.planning.tenancy import KIND_LABEL
from policies.identity_rules import CUSTOM_ROLES, EVERYWHERE, is_binding, read_grants
from policies.known_types import find_own_work, is_own_namespace, is_reading_role, load_facts
from policies.model import Model
from policies.own_work import find_changes
from policies.rbac_rules import CLUSTER_ROLE_BINDING, ROLE_BINDING, ROLES, only_looks
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown
from policies.rules import Found, Rule
from policies.settings import Settings

_WORK = re.compile(
    r"kubernetes:(core|apps|batch|extensions)/\w+:"
    r"(Pod|ReplicationController|Deployment|DaemonSet|StatefulSet|ReplicaSet|Job|CronJob)(List|Patch)?"
)
_RUNNING_ROLE = re.compile(r"roles/container[.](admin|developer)")
_RUNNING = re.compile(
    r"container[.](?!clusters[.]|operations[.])\w+[.](create|update|exec|attach|portForward|proxy)"
)
_IN_A_QUEUE = "bind it in the namespace of a pipeline"


def _check_work(model: Model, _: Settings) -> Iterator[Found]:
    """Pods that run beside the queues are in nobody's quota."""
    ours = _queued(model)
    for resource in model.resources:
        if not _is_work(resource.type) or resource.namespace in ours:
            continue
        place = resource.namespace
        row = find_own_work(resource.type, place, resource.object_name)
        if row is None:
            yield (
                resource,
                f"runs in the namespace {_shown(place)}, which has no queue",
                "move it to a pipeline's",
            )
        elif not _is_agreed(resource, row["replicas"]):
            yield resource, f"has other replicas than the {row['replicas']} agreed to", "keep them"
        elif place == OPERATIONS:
            for message in find_changes(resource, row["name"], model.stack):
                yield resource, message, "run what headroom/catalog/data/operations.yaml has"


def _is_agreed(resource: Resource, replicas: int) -> bool:
    """Whether it has as many pods at once; a CronJob's runs could come to stand beside each other."""
    if not resource.type.endswith(":CronJob"):
        return resource.read("spec", "replicas") in (ABSENT, replicas)
    job = ("spec", "jobTemplate", "spec")
    return resource.read("spec", "concurrencyPolicy") in ("Forbid", "Replace") and resource.read(
        *job, "parallelism"
    ) in (ABSENT, replicas)


def _is_work(kind: str) -> bool:
    return _WORK.fullmatch(kind) is not None or kind.split("/")[0] in load_facts()["queued_groups"]


def _queued(model: Model) -> frozenset[Any]:
    return frozenset(space.name for space in model.namespaces if space.is_ours)


def _shown(place: Any) -> str:
    return "default" if place is ABSENT else UNKNOWN.value if place is UNKNOWN else place


def _check_doors(model: Model, _: Settings) -> Iterator[Found]:
    """What admission policies and Kueue look at is what has the label."""
    if not model.queues:
        return
    for space in model.namespaces:
        if not space.is_ours and not is_own_namespace(space.name):
            yield (
                space.resource,
                f"has no label {KIND_LABEL}, so that whatever runs in it is in no queue",
                "make it a pipeline's, or remove it",
            )
    ours = _queued(model)
    for binding in model.of(ROLE_BINDING):
        if binding.namespace not in ours:
            yield from _check_binding(model, binding, f"in {_shown(binding.namespace)}, which has no queue")
    for binding in model.of(CLUSTER_ROLE_BINDING):
        yield from _check_binding(model, binding, "in all namespaces, those without a queue too")
    yield from _check_grants(model)


def _check_binding(model: Model, binding: Resource, where: str) -> Iterator[Found]:
    name = binding.read("roleRef", "name")
    own = _own_roles(model, binding, name)
    if all(map(_only_reads, own)) if own else _is_known_to_read(model, binding, name):
        return
    shown = name.value if isinstance(name, Missing) else name
    yield binding, f"its role {shown} may let one run work {where}", _IN_A_QUEUE


def _own_roles(model: Model, binding: Resource, name: Any) -> list[Resource]:
    """The roles of the stack that are bound; a Role is one of the binding's own namespace."""
    kind = str(binding.read("roleRef", "kind"))
    place = binding.namespace if kind == "Role" else ABSENT
    return [
        role
        for role in model.of(*ROLES)
        if role.type.endswith(f":{kind}") and (role.object_name, role.namespace) == (name, place)
    ]


def _is_known_to_read(model: Model, binding: Resource, name: Any) -> bool:
    """Whether the cluster or Kueue makes the role: one of that name that the stack makes is another."""
    made = {role.object_name for role in model.of(*ROLES)}
    is_cluster_role = binding.read("roleRef", "kind") == "ClusterRole"
    return is_cluster_role and is_reading_role(name) and made.isdisjoint((name, UNKNOWN))


def _only_reads(role: Resource) -> bool:
    if has_unknown(role.read("rules")) or role.read("aggregationRule") is not ABSENT:
        return False
    return all(map(only_looks, each(role.read("rules"))))


def _check_grants(model: Model) -> Iterator[Found]:
    """IAM lets one into every namespace of the cluster."""
    for resource in model.resources:
        if resource.type in CUSTOM_ROLES:
            for permission in each(resource.read("permissions")):
                if _RUNNING.match(str(permission)):
                    yield resource, f"allows {permission} in every namespace", "bind a role in a namespace"
        elif is_binding(resource.type) and resource.type.startswith(EVERYWHERE):
            for role in {str(grant.role) for grant in read_grants(resource)}:
                if _RUNNING_ROLE.fullmatch(role):
                    yield resource, f"gives {role}, so one may run work in every namespace", _IN_A_QUEUE


WORK_RULES = (
    Rule(
        name="work-is-in-queues",
        description="What the program itself runs is in a namespace with a queue, or agreed to by name.",
        family="quota",
        severity="high",
        reference="Q3",
        remedy="Move it to a pipeline's namespace, or add it to own_work of policies/known_types.yaml.",
        of_stack=_check_work,
    ),
    Rule(
        name="namespaces-have-queues",
        description="Every namespace that one may run work in has a queue.",
        family="quota",
        severity="critical",
        reference="Q3",
        remedy="Make the namespace a pipeline's, and bind roles that run work in pipelines' namespaces only.",
        of_stack=_check_doors,
    ),
)
