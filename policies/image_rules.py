"""The rule that production runs what staging validated: nobody else puts images where it takes them from."""

import re
from collections.abc import Iterator
from typing import Any

from headroom.planning.delivery import name_validated
from policies.admission_rules import POLICY, find_production_repository
from policies.approval_rules import find_own_roles
from policies.canary_rules import production_stages
from policies.identity_rules import EVERYWHERE, Grant, is_binding, read_grants
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

_REPOSITORY_IAM = "gcp:artifactregistry/repositoryIam"
_REPOSITORY = "gcp:artifactregistry/repository:Repository"
_STANDARD = "STANDARD_REPOSITORY"
_KEEP = "keep it as infra/components/model_images.py makes it"
_WRITING = re.compile(r"artifactregistry[.]\w+[.](?!get|list|download|read)")
"""Every permission on images and repositories but those to look and to pull."""
_READS = "roles/artifactregistry.reader"
_WRITES_EVERYWHERE = re.compile(
    r"roles/(artifactregistry[.](admin|repoAdmin|writer|createOnPush\w+)|cloudbuild[.]builds[.]builder)"
)
"""Google's roles that write to every repository of a project, beside owner and editor, which nobody has
(cloud.google.com/iam/docs/roles-permissions/artifactregistry, 2026-11)."""


def _check_copies(model: Model, _: Settings) -> Iterator[Found]:
    repositories = {find_production_repository(policy) for policy in model.of(POLICY)} - {None}
    if not repositories:
        return
    yield from _check_repository(model)
    validators = _validators(model)
    for binding in model.bindings:
        for grant in read_grants(binding) if is_binding(binding.type) else ():
            if _writes(model, binding, grant, repositories) and grant.member not in validators:
                yield (
                    binding,
                    f"lets {_shown(grant.member)} put images where production takes them from, which nobody "
                    "validated",
                    "let only accounts write there that validate in staging",
                )


def _check_repository(model: Model) -> Iterator[Found]:
    """Where a release begins the copies are kept: as they were put there, and nothing but them."""
    home, is_led = model.home, model.records.lead is not None
    names = {name_validated(model.stack), name_validated(home.stack), UNKNOWN}
    kept = [each for each in model.of(_REPOSITORY) if each.read("repositoryId") in names]
    for repository in kept if is_led else ():
        message = f"keeps copies that nobody validated here, where production runs those of {home.stack}"
        yield repository, message, "remove it"
    place = (name_validated(home.stack), home.region, home.project)
    if not is_led and not any(_place(each) == place for each in kept):
        where = f"in {home.region} of {home.project}"
        message = f"there is no such repository {where}, so nobody knows who writes there"
        yield place[0], message, _KEEP
    for repository in () if is_led else kept:
        yield from _check_kept(repository)


def _place(repository: Resource) -> tuple[Any, ...]:
    return tuple(repository.read(key) for key in ("repositoryId", "location", "project"))


def _check_kept(repository: Resource) -> Iterator[Found]:
    mode = repository.read("mode")
    if mode not in (ABSENT, _STANDARD):
        yield repository, f"its mode is {_shown(mode)}, so it serves images of others", "remove mode"
    if repository.read("dockerConfig", "immutableTags") is not True:
        yield repository, "its tags can be moved, to an image that nobody validated", _KEEP
    cleanups = repository.read("cleanupPolicies")
    if cleanups is UNKNOWN or any(read(each_one, "action") != "KEEP" for each_one in each(cleanups)):
        message = "it may be cleaned of images, and a rollback to one of them would not start"
        yield repository, message, "remove its cleanupPolicies"


def _writes(model: Model, binding: Resource, grant: Grant, repositories: set[str | None]) -> bool:
    if binding.type.startswith(EVERYWHERE):
        if own := find_own_roles(model, binding, grant.role):
            return any(map(_may_write, own))
        return not isinstance(grant.role, str) or bool(_WRITES_EVERYWHERE.fullmatch(grant.role))
    if not binding.type.startswith(_REPOSITORY_IAM):
        return False
    name = binding.read("repository")
    is_there = isinstance(name, Missing) or str(name).rpartition("/")[2] in repositories
    return is_there and grant.role != _READS


def _may_write(role: Resource) -> bool:
    permissions = role.read("permissions")
    return permissions is UNKNOWN or any(
        not isinstance(each_one, str) or _WRITING.match(each_one) for each_one in each(permissions)
    )


def _validators(model: Model) -> set[Any]:
    """As members the accounts of the targets that a release goes to before production."""
    staging = {
        read(stage, "targetId")
        for pipeline in model.delivery_pipelines
        for stage in each(pipeline.read("serialPipeline", "stages"))
    } - {
        read(stage, "targetId")
        for pipeline in model.delivery_pipelines
        for stage in production_stages(pipeline)
    }
    found: set[Any] = set()
    for target in model.delivery_targets:
        if target.read("name") in staging:
            found |= _accounts(model, target)
    return found


def _accounts(model: Model, target: Resource) -> set[str]:
    """Whom a target verifies as; before they are created, those of the update that its accounts come from."""
    named = {
        read(config, "serviceAccount")
        for config in each(target.read("executionConfigs"))
        if "VERIFY" in each(read(config, "usages"))
    }
    known = {f"serviceAccount:{account}" for account in named if isinstance(account, str)}
    if UNKNOWN not in named:
        return known
    urns = target.options.sources.get("executionConfigs", frozenset())
    created = (account for account in model.service_accounts if account.urn in urns)
    return known | {
        f"serviceAccount:{account.read('accountId')}@{account.read('project')}.iam.gserviceaccount.com"
        for account in created
    }


def _shown(member: Any) -> str:
    return member.value if isinstance(member, Missing) else str(member)


IMAGE_RULES = (
    Rule(
        name="production-runs-what-was-validated",
        description="Nobody puts images where production takes them from but who validates them in staging.",
        family="operations",
        severity="high",
        reference="D7",
        remedy="Let only accounts write there that validate in staging.",
        of_stack=_check_copies,
    ),
)
