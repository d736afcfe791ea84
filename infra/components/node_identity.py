"""Who the nodes are: one service account with the least that a node needs, and no keys."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from headroom.planning.cluster import RegistryPlan
from headroom.planning.node_identity import NODE_ROLES
from infra.components.base import Component, Scope
from infra.components.services import Services


class NodeIdentity(Component):
    """The service account of every node; pipelines have identities of their own."""

    def __init__(self, scope: Scope, registries: Sequence[RegistryPlan], services: Services) -> None:
        super().__init__("NodeIdentity", scope)
        self.account = self.own(
            gcp.serviceaccount.Account(
                scope.name("nodes"),
                project=scope.project,
                account_id=scope.name("nodes"),
                display_name=f"Nodes of {scope.environment}",
                opts=self.options(depends_on=[services.apis["iam"]]),
            )
        )
        self.grants: list[pulumi.Resource] = [self.own(self._grant(role)) for role in NODE_ROLES]
        self.grants += [self.own(self._admit_to(registry, services)) for registry in registries]
        self.register_outputs({})

    def _grant(self, role: str) -> gcp.projects.IAMMember:
        return gcp.projects.IAMMember(
            self.scope.name(f"nodes-{role.replace('.', '-').lower()}"),
            project=self.scope.project,
            role=f"roles/{role}",
            member=self.account.member,
            opts=self.options(),
        )

    def _admit_to(self, registry: RegistryPlan, services: Services) -> gcp.secretmanager.SecretIamMember:
        """Nodes read the certificate of a private registry as they start."""
        return gcp.secretmanager.SecretIamMember(
            self.scope.name(f"nodes-registry-{registry.host.replace('.', '-')}"),
            secret_id=registry.secret.rpartition("/versions/")[0],
            role="roles/secretmanager.secretAccessor",
            member=self.account.member,
            opts=self.options(depends_on=[services.apis["secretmanager"]]),
        )
