"""Who the workflows are: an identity pool for one repository, and the accounts behind it."""

import pulumi
import pulumi_gcp as gcp

from bootstrap.state import State
from headroom.planning.ci import ISSUER, CiAccount, CiPlan
from infra.components.base import Component, Scope

_APIS = ("iam", "sts", "iamcredentials", "cloudresourcemanager")


class Ci(Component):
    """The identities of CI. No key exists: GitHub's tokens are exchanged, those of one repository alone."""

    def __init__(self, scope: Scope, plan: CiPlan, state: State) -> None:
        super().__init__("Ci", scope)
        services = [self.enable(api) for api in _APIS]
        # Deleted pools and roles keep their names for weeks, so neither goes by mistake.
        self.pool = self.own(
            gcp.iam.WorkloadIdentityPool(
                scope.name("ci"),
                project=scope.project,
                workload_identity_pool_id=plan.pool,
                description=plan.description,
                opts=self.options(depends_on=services, protect=True),
            )
        )
        self.identity_provider = self.own(self._github(plan))
        self.accounts = {
            account.environment: self._account(account, plan, state) for account in plan.accounts
        }
        self.register_outputs({})

    @property
    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What the GitHub environments are told: the provider, and the account of each by its name."""
        emails = {environment: account.email for environment, account in self.accounts.items()}
        return {"identityProvider": self.identity_provider.name, "serviceAccounts": emails}

    def _github(self, plan: CiPlan) -> gcp.iam.WorkloadIdentityPoolProvider:
        return gcp.iam.WorkloadIdentityPoolProvider(
            self.scope.name("ci-github"),
            project=self.scope.project,
            workload_identity_pool_id=self.pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            attribute_mapping=dict(plan.mapping),
            attribute_condition=plan.condition,
            oidc=gcp.iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=ISSUER),
            opts=self.options(),
        )

    def _account(self, asked: CiAccount, plan: CiPlan, state: State) -> gcp.serviceaccount.Account:
        account = self.own(
            gcp.serviceaccount.Account(
                asked.name,
                project=self.scope.project,
                account_id=asked.name,
                description=f"{plan.description}, environment {asked.environment}",
                opts=self.options(),
            )
        )
        self.own(
            gcp.serviceaccount.IAMMember(
                f"{asked.name}-jobs",
                service_account_id=account.name,
                role="roles/iam.workloadIdentityUser",
                member=self.pool.name.apply(lambda pool: plan.principals(pool, asked)),
                opts=self.options(),
            )
        )
        self._give(asked, account.member)
        state.admit(
            asked.name.removeprefix(f"{self.scope.environment}-"),
            account.member,
            asked.state_role,
            asked.key_role,
        )
        return account

    def _give(self, asked: CiAccount, member: pulumi.Output[str]) -> None:
        roles: dict[str, pulumi.Input[str]] = {role.rpartition("/")[2]: role for role in asked.roles}
        if asked.permissions:
            roles["own"] = self._own_role(asked).name
        for name, role in roles.items():
            self.own(
                gcp.projects.IAMMember(
                    f"{asked.name}-{name}",
                    project=self.scope.project,
                    role=role,
                    member=member,
                    opts=self.options(),
                )
            )

    def _own_role(self, asked: CiAccount) -> gcp.projects.IAMCustomRole:
        return self.own(
            gcp.projects.IAMCustomRole(
                asked.name,
                project=self.scope.project,
                role_id=asked.name.replace("-", "_"),
                title=f"{asked.name}: previews an update",
                permissions=list(asked.permissions),
                opts=self.options(protect=True),
            )
        )
