"""Who delivers: the accounts that run releases and move them on, the project's own roles, the grants."""

import pulumi
import pulumi_gcp as gcp

from headroom.planning.addresses import list_members
from headroom.planning.delivery import RUNNER_ROLES, DeliveryPlan, RolePlan
from infra.components.base import Component, Scope
from infra.components.services import Services


class DeliveryAccess(Component):
    """The runner renders, deploys, validates and analyses; the automation promotes, advances and rolls back.

    Neither has a key, and neither may do what the other does.
    """

    def __init__(self, scope: Scope, plan: DeliveryPlan, services: Services) -> None:
        super().__init__("DeliveryAccess", scope)
        self._iam = services.apis["iam"]
        self.runner = self._account("delivery", "Renders, deploys and validates models")
        self.automation = self._account("advance", "Promotes, advances and rolls back models")
        self.roles = {role.whom: self._role(role) for role in plan.roles}
        self.grants: list[pulumi.Resource] = [
            self._grant(self.runner, "delivery", role.replace(".", "-").lower(), f"roles/{role}")
            for role in RUNNER_ROLES
        ]
        self.grants += [
            self._grant(self.runner, "delivery", "runner", self.roles["runner"].name),
            self._grant(self.automation, "advance", "automation", self.roles["automation"].name),
            self._act_as("advance", self.automation.member),
        ]
        for member in list_members(plan.releasers):
            self._act_as(member, member)
        for member in list_members(plan.approvers):
            self._show_approver(member)
        self.register_outputs({})

    def _account(self, name: str, purpose: str) -> gcp.serviceaccount.Account:
        return self.own(
            gcp.serviceaccount.Account(
                self.scope.name(name),
                project=self.scope.project,
                account_id=self.scope.name(name),
                display_name=f"{purpose} of {self.scope.environment}",
                opts=self.options(depends_on=[self._iam]),
            )
        )

    def _role(self, plan: RolePlan) -> gcp.projects.IAMCustomRole:
        return self.own(
            gcp.projects.IAMCustomRole(
                self.scope.name(f"model-{plan.whom.replace('_', '-')}"),
                project=self.scope.project,
                role_id=plan.role_id,
                title=plan.title,
                permissions=list(plan.permissions),
                opts=self.options(depends_on=[self._iam]),
            )
        )

    def _grant(
        self, account: gcp.serviceaccount.Account, name: str, what: str, role: pulumi.Input[str]
    ) -> gcp.projects.IAMMember:
        return self.own(
            gcp.projects.IAMMember(
                self.scope.name(f"{name}-{what}"),
                project=self.scope.project,
                role=role,
                member=account.member,
                opts=self.options(),
            )
        )

    def _show_approver(self, member: str) -> None:
        """Audit logs are the project's, and so is who may read them."""
        self.own(
            gcp.projects.IAMMember(
                self.scope.name(f"model-approver-{member}"),
                project=self.scope.project,
                role=self.roles["approver"].name,
                member=member,
                opts=self.options(),
            )
        )

    def _act_as(self, name: str, member: pulumi.Input[str]) -> gcp.serviceaccount.IAMMember:
        """A release runs as the runner, and who makes one must be allowed to use it."""
        return self.own(
            gcp.serviceaccount.IAMMember(
                self.scope.name(f"delivery-used-by-{name}"),
                service_account_id=self.runner.name,
                role="roles/iam.serviceAccountUser",
                member=member,
                opts=self.options(),
            )
        )
