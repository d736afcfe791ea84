"""Images of models: where they are kept, who pushes them, and which images the cluster admits."""

import pulumi_gcp as gcp

from headroom.planning.delivery import ImagesPlan
from infra.components.base import Component, Scope
from infra.components.services import Services


class ModelImages(Component):
    """A registry whose tags cannot be moved, and the project's image policy, of which there is only one."""

    def __init__(self, scope: Scope, plan: ImagesPlan, services: Services) -> None:
        super().__init__("ModelImages", scope)
        self.repository = self.own(
            gcp.artifactregistry.Repository(
                scope.name("models"),
                project=scope.project,
                location=scope.region,
                repository_id=plan.repository,
                format="DOCKER",
                description="Images of models",
                docker_config=gcp.artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
                opts=self.options(depends_on=[services.apis["artifactregistry"]], protect=True),
            )
        )
        for builder in plan.builders:
            self.own(self._let_push(builder))
        self.policy = self.own(self._admit(plan, services))
        self.register_outputs({})

    def _let_push(self, builder: str) -> gcp.artifactregistry.RepositoryIamMember:
        return gcp.artifactregistry.RepositoryIamMember(
            self.scope.name(f"models-pushed-by-{builder}"),
            project=self.scope.project,
            location=self.scope.region,
            repository=self.repository.repository_id,
            role="roles/artifactregistry.writer",
            member=f"serviceAccount:{builder}",
            opts=self.options(),
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
