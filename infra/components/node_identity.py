"""Who the nodes are: one service account with the least that a node needs, and no keys."""

import pulumi
import pulumi_gcp as gcp

from infra.components.base import Component, Scope

ROLES = (
    "artifactregistry.reader",
    "logging.logWriter",
    "monitoring.metricWriter",
    "monitoring.viewer",
    "stackdriver.resourceMetadata.writer",
)
"""What a node needs: pull images, write logs and metrics (cloud.google.com/kubernetes-engine/docs/how-to/
hardening-your-cluster, 2026-08)."""


class NodeIdentity(Component):
    """The service account of every node; pipelines have identities of their own."""

    def __init__(self, scope: Scope, depends_on: list[pulumi.Resource]) -> None:
        super().__init__("NodeIdentity", scope)
        self.account = self.own(
            gcp.serviceaccount.Account(
                scope.name("nodes"),
                project=scope.project,
                account_id=scope.name("nodes"),
                display_name=f"Nodes of {scope.environment}",
                opts=self.options(depends_on=depends_on),
            )
        )
        self.grants = [self.own(self._grant(role)) for role in ROLES]
        self.register_outputs({})

    def _grant(self, role: str) -> gcp.projects.IAMMember:
        return gcp.projects.IAMMember(
            self.scope.name(f"nodes-{role.replace('.', '-').lower()}"),
            project=self.scope.project,
            role=f"roles/{role}",
            member=self.account.member,
            opts=self.options(),
        )
