"""The rule for who deploys: in each namespace the one account of its target, and nobody else."""

from collections.abc import Iterator
from typing import Any

from headroom.planning.delivery import RUNNER, name_role
from headroom.planning.delivery_accounts import name_account
from headroom.planning.regions import SitePlan, name_target
from policies.approval_rules import find_own_roles
from policies.canary_rules import find_site
from policies.identity_rules import Grant, is_binding, read_grants
from policies.model import Model
from policies.property_rules import show_value
from policies.rbac_rules import CLUSTER_ROLE_BINDING, ROLE_BINDING
from policies.resources import UNKNOWN, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

_CLUSTER_ROLE = "headroom-delivery-runner"
"""With which one deploys (infra/manifests/delivery/runner.yaml)."""
_ACCOUNT = "gcp:serviceaccount/account:Account"
_KEEP_BINDING = "bind the account of the namespace's target alone, as infra/components/gateway.py does"
_KEEP_GRANT = "give it to the accounts of targets there alone, as infra/components/delivery_access.py does"


def _check_runners(model: Model, _: Settings) -> Iterator[Found]:
    for binding in model.of(CLUSTER_ROLE_BINDING):
        if binding.read("roleRef", "name") == _CLUSTER_ROLE:
            yield binding, f"binds {_CLUSTER_ROLE} in all namespaces", _KEEP_BINDING
    for binding in model.of(ROLE_BINDING):
        if binding.read("roleRef", "name") == _CLUSTER_ROLE:
            yield from _check_bound(model, binding)
    for binding in filter(lambda each: is_binding(each.type), model.bindings):
        for grant in read_grants(binding):
            yield from _check_reach(model, binding, grant)


def _check_bound(model: Model, binding: Resource) -> Iterator[Found]:
    subjects, namespace = binding.read("subjects"), binding.namespace
    account = _name_user(model, name_target(model.stack, str(namespace)))
    wanted = [("User", account)]
    if [(read(subject, "kind"), read(subject, "name")) for subject in each(subjects)] != wanted:
        names = [show_value(read(subject, "name")) for subject in each(subjects)]
        shown = ", ".join(names) or show_value(subjects)
        where = show_value(namespace)
        yield binding, f"lets {shown} deploy to {where}, and not {account} alone", _KEEP_BINDING


def _check_reach(model: Model, binding: Resource, grant: Grant) -> Iterator[Found]:
    """A role by which a cluster is reached, the stack's own or that of a region."""
    for site in (None, *model.records.regions):
        if _is_runner(model, binding, grant.role, site) and not _deploys(model, binding, grant.member, site):
            stack = site.stack if site else model.stack
            message = (
                f"lets {show_value(grant.member)} reach the cluster of {stack}, who delivers nothing there"
            )
            yield binding, message, _KEEP_GRANT


def _is_runner(model: Model, binding: Resource, role: Any, site: SitePlan | None) -> bool:
    if site is not None:
        return role == f"projects/{site.project}/roles/{name_role(RUNNER, site.stack)}"
    own = name_role(RUNNER, model.stack)
    return any(made.read("roleId") == own for made in find_own_roles(model, binding, role))


def _deploys(model: Model, binding: Resource, member: Any, site: SitePlan | None) -> bool:
    """Whether it is the account of a target there; before it is created, by what creates it."""
    names = {target.read("name") for target in model.delivery_targets}
    targets = [name for name in names if isinstance(name, str) and find_site(model, name) == site]
    if member is not UNKNOWN:
        return member in {f"serviceAccount:{_name_user(model, target)}" for target in targets}
    urns = [urn for key in ("member", "members") for urn in binding.options.sources.get(key, ())]
    ids = {name_account(target) for target in targets}
    made = {own.name for own in model.service_accounts if own.read("accountId") in ids}
    return bool(urns) and all(
        urn.split("::")[2].endswith(_ACCOUNT) and urn.rpartition("::")[2] in made for urn in urns
    )


def _name_user(model: Model, target: str) -> str:
    return f"{name_account(target)}@{model.home.project}.iam.gserviceaccount.com"


RUNNER_RULES = (
    Rule(
        name="runners-keep-to-their-namespace",
        description="The account of a target deploys in its namespace alone, and nobody else deploys.",
        family="operations",
        severity="critical",
        reference="docs/decisions/0017-staging-is-a-pipeline-beside-its-own.md",
        remedy="Bind the account of the namespace's target alone.",
        of_stack=_check_runners,
    ),
)
