"""Who the workflows are in Google Cloud: one account that can only look, one that deploys, no keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from headroom.planning.operations import list_roles
from headroom.planning.preflight import all_roles
from headroom.spec.bootstrap import Ci

ISSUER = "https://token.actions.githubusercontent.com"
"""Of the tokens that GitHub gives to jobs (docs.github.com, "OpenID Connect reference", 2026-11)."""

_READING = ("get", "getIamPolicy", "list")
_CONNECT = "container.clusters.connect"


@dataclass(frozen=True, slots=True)
class CiAccount:
    """A service account, the GitHub environment whose jobs may be it, and what it may do."""

    name: str
    environment: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    """Of a role of its own; empty: it has none."""
    state_role: str
    """On the bucket of the state."""
    key_role: str
    """On the key of the secrets in it."""


@dataclass(frozen=True, slots=True)
class CiPlan:
    """An identity pool, whom its provider lets in, and the accounts behind it."""

    pool: str
    description: str
    mapping: tuple[tuple[str, str], ...]
    """Attributes of a principal, made of claims of its token."""
    condition: str
    """Whom the provider lets in (CEL)."""
    repository_id: int
    accounts: tuple[CiAccount, ...]

    def principals(self, pool_name: str, account: CiAccount) -> str:
        """Return the IAM member that stands for the jobs that may be `account`."""
        place = f"{self.repository_id}/{account.environment}"
        return f"principalSet://iam.googleapis.com/{pool_name}/attribute.place/{place}"


def plan_ci(asked: Ci, stack: str) -> CiPlan:
    """Return the identities of the workflows for the environment called `stack`.

    Jobs are told apart by the GitHub environment that they run in, which has reviewers and branches of its
    own: `<stack>-preview` looks, `<stack>` deploys, and that from one branch alone.
    """
    look, deploy = _looking(stack), _deploying(stack, asked.roles)
    return CiPlan(
        pool=asked.pool,
        description=f"GitHub Actions of {asked.repository}",
        mapping=(
            ("attribute.place", "assertion.repository_id + '/' + assertion.environment"),
            ("attribute.repository", "assertion.repository"),
            ("google.subject", "assertion.sub"),
        ),
        condition=(
            f"assertion.repository_id == '{asked.repository_id}'"
            f" && assertion.repository_owner_id == '{asked.owner_id}'"
            f" && (assertion.environment == '{look.environment}'"
            f" || (assertion.environment == '{deploy.environment}'"
            f" && assertion.ref == 'refs/heads/{asked.branch}'))"
        ),
        repository_id=asked.repository_id,
        accounts=(look, deploy),
    )


def _looking(stack: str) -> CiAccount:
    return CiAccount(
        name=f"{stack}-ci-plan",
        environment=f"{stack}-preview",
        # It audits too, and goes into the cluster by GKE's leave.
        roles=tuple(sorted({"roles/container.viewer", *(f"roles/{role}" for role in list_roles("audit"))})),
        permissions=_reading(permission for need, _ in all_roles() for permission in need.permissions),
        state_role="roles/storage.objectViewer",
        key_role="roles/cloudkms.cryptoKeyDecrypter",
    )


def _deploying(stack: str, more: Iterable[str]) -> CiAccount:
    usual = {need.role for need, when in all_roles() if not when}
    return CiAccount(
        name=f"{stack}-ci-deploy",
        environment=stack,
        roles=tuple(sorted(usual | set(more))),
        permissions=(),
        state_role="roles/storage.objectUser",
        key_role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
    )


def _reading(permissions: Iterable[str]) -> tuple[str, ...]:
    """Of all that an update uses what only reads, and the way to the cluster's API."""
    reading = {each for each in permissions if each.rpartition(".")[2] in _READING}
    return tuple(sorted({*reading, _CONNECT}))
