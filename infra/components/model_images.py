"""Images of models: where they are kept, who pushes them, and which images the cluster admits."""

import pulumi_gcp as gcp

from headroom.planning.delivery import ImagesPlan
from infra.components.base import Component, Scope
from infra.components.services import Services


class ModelImages(Component):
    """A registry whose tags cannot be moved, and the project's image policy, of which there is only one.

    Where releases come from another stack, the registry is that one's.
    """

    def __init__(self, scope: Scope, plan: ImagesPlan, services: Services) -> None:
        super().__init__("ModelImages", scope)
        if plan.repository is not None:
            self._keep(plan, plan.repository, services)
        self.policy = self.own(self._admit(plan, services))
        self.register_outputs({})

    def _keep(self, plan: ImagesPlan, name: str, services: Services) -> None:
        repository = self.own(
            gcp.artifactregistry.Repository(
                self.scope.name("models"),
                project=self.scope.project,
                location=self.scope.region,
                repository_id=name,
                format="DOCKER",
                description="Images of models",
                docker_config=gcp.artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
                opts=self.options(depends_on=[services.apis["artifactregistry"]], protect=True),
            )
        )
        pushing = [(f"models-pushed-by-{each}", "writer", f"serviceAccount:{each}") for each in plan.builders]
        reading = [(f"models-read-by-{each}", "reader", each) for each in plan.readers]
        for what, role, member in (*pushing, *reading):
            self.own(self._let(what, role, member, repository))

    def _let(
        self, what: str, role: str, member: str, repository: gcp.artifactregistry.Repository
    ) -> gcp.artifactregistry.RepositoryIamMember:
        return gcp.artifactregistry.RepositoryIamMember(
            self.scope.name(what),
            project=self.scope.project,
            location=self.scope.region,
            repository=repository.repository_id,
            role=f"roles/artifactregistry.{role}",
            member=member,
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
