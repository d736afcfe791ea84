"""The rule that production runs what staging validated: nobody else puts images where it takes them from."""

import re
from collections.abc import Iterator
from typing import Any

from policies.admission_rules import POLICY, find_production_repository
from policies.canary_rules import production_stages
from policies.identity_rules import EVERYWHERE, Grant, is_binding, read_grants
from policies.model import Model
from policies.resources import UNKNOWN, Missing, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

_REPOSITORY_IAM = "gcp:artifactregistry/repositoryIam"
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
    validators = _validators(model)
    for binding in model.bindings:
        for grant in read_grants(binding) if is_binding(binding.type) else ():
            if _writes(binding, grant, repositories) and grant.member not in validators:
                yield (
                    binding,
                    f"lets {_shown(grant.member)} put images where production takes them from, which nobody "
                    "validated",
                    "let only accounts write there that validate in staging",
                )


def _writes(binding: Resource, grant: Grant, repositories: set[str | None]) -> bool:
    if binding.type.startswith(EVERYWHERE):
        return isinstance(grant.role, str) and bool(_WRITES_EVERYWHERE.fullmatch(grant.role))
    if not binding.type.startswith(_REPOSITORY_IAM):
        return False
    name = binding.read("repository")
    is_there = isinstance(name, Missing) or str(name).rpartition("/")[2] in repositories
    return is_there and grant.role != _READS


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
