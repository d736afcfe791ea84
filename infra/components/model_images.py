"""Images of models: where they are kept, who puts them there, and which images the cluster admits."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from headroom.planning.delivery import ImagesPlan
from infra.components.base import Component, Scope
from infra.components.services import Services

_READER = "roles/artifactregistry.reader"
_WRITER = "roles/artifactregistry.writer"
"""Pushing takes this role at least (docs.cloud.google.com/artifact-registry/docs/docker/pushing-and-pulling,
2026-11); it deletes nothing, and no tag can be moved."""


class ModelImages(Component):
    """Registries whose tags cannot be moved, one of what was built and one of what was found good, and the
    project's image policy, of which there is only one.

    Where releases come from another stack, the registries are that one's.
    """

    def __init__(
        self, scope: Scope, plan: ImagesPlan, services: Services, runners: Mapping[str, pulumi.Resource]
    ) -> None:
        super().__init__("ModelImages", scope)
        if plan.repository is not None:
            self._keep_models(plan, plan.repository, services)
            self._keep_validated(plan, services, runners)
        self.policy = self.own(self._admit(plan, services))
        self.register_outputs({})

    def _keep_models(self, plan: ImagesPlan, name: str, services: Services) -> None:
        repository = self._keep("models", name, "Images of models", services)
        for builder in plan.builders:
            self._let("models", f"pushed-by-{builder}", repository, _WRITER, f"serviceAccount:{builder}")

    def _keep_validated(
        self, plan: ImagesPlan, services: Services, runners: Mapping[str, pulumi.Resource]
    ) -> None:
        what = "Images of models that staging found good: what production runs"
        repository = self._keep("validated", plan.validated, what, services)
        for account in plan.validators:
            # Written out: a first preview, and the policies in it, see who it is.
            member = f"serviceAccount:{account}@{self.scope.project}.iam.gserviceaccount.com"
            before = [runners[account]]
            self._let("validated", f"copied-by-{account}", repository, _WRITER, member, before)
        for reader in plan.readers:
            self._let("validated", f"read-by-{reader}", repository, _READER, reader)

    def _keep(
        self, name: str, repository: str, what: str, services: Services
    ) -> gcp.artifactregistry.Repository:
        return self.own(
            gcp.artifactregistry.Repository(
                self.scope.name(name),
                project=self.scope.project,
                location=self.scope.region,
                repository_id=repository,
                format="DOCKER",
                description=what,
                docker_config=gcp.artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
                opts=self.options(depends_on=[services.apis["artifactregistry"]], protect=True),
            )
        )

    def _let(
        self,
        name: str,
        how: str,
        repository: gcp.artifactregistry.Repository,
        role: str,
        member: str,
        before: Sequence[pulumi.Resource] = (),
    ) -> None:
        self.own(
            gcp.artifactregistry.RepositoryIamMember(
                self.scope.name(f"{name}-{how}"),
                project=self.scope.project,
                location=self.scope.region,
                repository=repository.repository_id,
                role=role,
                member=member,
                opts=self.options(depends_on=[*before]),
            )
        )

    def _admit(self, plan: ImagesPlan, services: Services) -> gcp.binaryauthorization.Policy:
        return gcp.binaryauthorization.Policy(
            self.scope.name("images"),
            project=self.scope.project,
            description="What is named, and what Google maintains of the system",
            global_policy_evaluation_mode="ENABLE",
            admission_whitelist_patterns=[
                gcp.binaryauthorization.PolicyAdmissionWhitelistPatternArgs(name_pattern=pattern)
                for pattern in plan.admitted
            ],
            default_admission_rule=gcp.binaryauthorization.PolicyDefaultAdmissionRuleArgs(
                evaluation_mode="ALWAYS_DENY", enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG"
            ),
            opts=self.options(depends_on=[services.apis["binaryauthorization"]]),
        )
