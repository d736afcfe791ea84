"""Who delivers: the accounts that run releases and move them on, the project's own roles, the grants."""

import pulumi
import pulumi_gcp as gcp

from headroom.planning.addresses import list_members
from headroom.planning.delivery import RUNNER, DeliveryPlan, RolePlan, name_role
from headroom.planning.delivery_accounts import AccountPlan
from headroom.planning.regions import SitePlan
from infra.components.base import Component, Scope
from infra.components.services import Services


class RegionAccess(Component):
    """What the stack from which releases come may do in this project: it grants the role to its accounts."""

    def __init__(self, scope: Scope, plan: DeliveryPlan, services: Services) -> None:
        super().__init__("RegionAccess", scope)
        for role in plan.roles:
            self.own(_make_role(scope, role, self.options(depends_on=[services.apis["iam"]])))
        self.register_outputs({})


class DeliveryAccess(Component):
    """One account renders; one for each target deploys, validates and analyses there; the automation
    promotes, advances and rolls back.

    None has a key, and none deploys where another does.
    """

    def __init__(self, scope: Scope, plan: DeliveryPlan, services: Services) -> None:
        super().__init__("DeliveryAccess", scope)
        self._iam = services.apis["iam"]
        self.automation = self._account(
            "advance", scope.name("advance"), "Promotes, advances and rolls back models"
        )
        options = self.options(depends_on=[self._iam])
        self.roles = {role.whom: self.own(_make_role(scope, role, options)) for role in plan.roles}
        self.grants: list[pulumi.Resource] = [
            self._grant(self.automation, "advance", "automation", self.roles["automation"].name)
        ]
        self.runners = {account.id: self._runner(account) for account in plan.accounts}
        for member in list_members(plan.approvers):
            self._show_approver(member)
        self.register_outputs({})

    def _runner(self, plan: AccountPlan) -> gcp.serviceaccount.Account:
        account = self._account(plan.name, plan.id, plan.purpose)
        grants = [(self.scope.project, role) for role in plan.roles]
        if plan.site is not None:
            grants += [(plan.site.project, role) for role in plan.site_roles]
            runs, where = self._runner_role(plan.site), plan.site.project
            self.grants.append(self._grant(account, plan.name, "runner", runs, where))
        for project, role in grants:
            what = role.replace(".", "-").lower()
            self.grants.append(self._grant(account, plan.name, what, f"roles/{role}", project))
        if plan.automated:
            self.grants.append(self._act_as(account, plan, "advance", self.automation.member))
        for member in list_members(plan.people):
            self._act_as(account, plan, member, member)
        return account

    def _account(self, name: str, account_id: str, purpose: str) -> gcp.serviceaccount.Account:
        return self.own(
            gcp.serviceaccount.Account(
                self.scope.name(name),
                project=self.scope.project,
                account_id=account_id,
                display_name=f"{purpose} of {self.scope.environment}",
                opts=self.options(depends_on=[self._iam]),
            )
        )

    def _runner_role(self, site: SitePlan) -> pulumi.Input[str]:
        """Another stack's role is its own, which was brought up before."""
        if site.stack == self.scope.environment:
            return self.roles[RUNNER].name
        return f"projects/{site.project}/roles/{name_role(RUNNER, site.stack)}"

    def _grant(
        self,
        account: gcp.serviceaccount.Account,
        name: str,
        what: str,
        role: pulumi.Input[str],
        project: str | None = None,
    ) -> gcp.projects.IAMMember:
        return self.own(
            gcp.projects.IAMMember(
                self.scope.name(f"{name}-{what}"),
                project=project or self.scope.project,
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

    def _act_as(
        self, account: gcp.serviceaccount.Account, plan: AccountPlan, name: str, member: pulumi.Input[str]
    ) -> gcp.serviceaccount.IAMMember:
        return self.own(
            gcp.serviceaccount.IAMMember(
                self.scope.name(f"{plan.name}-used-by-{name}"),
                service_account_id=account.name,
                role="roles/iam.serviceAccountUser",
                member=member,
                opts=self.options(),
            )
        )


def _make_role(scope: Scope, plan: RolePlan, options: pulumi.ResourceOptions) -> gcp.projects.IAMCustomRole:
    return gcp.projects.IAMCustomRole(
        scope.name(f"model-{plan.whom.replace('_', '-')}"),
        project=scope.project,
        role_id=plan.role_id,
        title=plan.title,
        permissions=list(plan.permissions),
        opts=options,
    )
