"""As whom Cloud Deploy works: one account renders, and each target has its own, bound to its namespace."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from headroom.planning.rollouts import RolloutPlan, TargetPlan

RENDER_ROLES = ("clouddeploy.jobRunner", "logging.logWriter")
"""What who renders needs of the project, and no right on any cluster: a release is rendered for production
too, before anybody has approved it (cloud.google.com/deploy/docs/cloud-deploy-service-account, 2026-11)."""

TARGET_ROLES = (
    "artifactregistry.reader",
    "clouddeploy.jobRunner",
    "logging.logWriter",
    "monitoring.viewer",
    "serviceusage.serviceUsageConsumer",
)
"""What who deploys and validates needs of the project: images of models, and of what validates, and metrics
(cloud.google.com/deploy/docs/cloud-deploy-service-account, 2026-11)."""

ANALYSIS_ROLES = ("monitoring.alertPolicyViewer",)
"""What who watches a canary needs beside them
(cloud.google.com/deploy/docs/analysis/cloud-monitoring-analysis, 2026-11)."""

RENDER_USAGES = ("RENDER",)
TARGET_USAGES = ("PREDEPLOY", "DEPLOY", "VERIFY", "ANALYSIS", "POSTDEPLOY")
"""Every use of an execution environment that there is, each by one account
(cloud.google.com/deploy/docs/execution-environment, 2026-11)."""

_MOST_LETTERS = 30
_HASH_LETTERS = 6


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """A service account that Cloud Deploy runs jobs as."""

    id: str
    name: str
    """What its resources are called, after the environment."""
    purpose: str
    usages: tuple[str, ...]
    roles: tuple[str, ...]
    """Predefined roles in the project, without `roles/`."""
    namespace: str | None
    """The one namespace that it may deploy to; None: it does not reach the cluster at all."""
    people: tuple[str, ...]
    """Who may use it, as IAM members: who creates a release or a rollout must be allowed to use the accounts
    that render and deploy it (cloud.google.com/deploy/docs/cloud-deploy-service-account, 2026-11)."""
    automated: bool
    """Whether the automation creates rollouts that it deploys."""


def name_account(target: str) -> str:
    """Return the id of a target's account: at most 30 letters, another for each target however long."""
    digest = sha256(target.encode()).hexdigest()[:_HASH_LETTERS]
    return f"{target[: _MOST_LETTERS - _HASH_LETTERS - 1].rstrip('-')}-{digest}"


def name_renderer(environment: str) -> str:
    """Return the id of the account that renders."""
    return f"{environment}-render"


def plan_accounts(rollouts: Iterable[RolloutPlan], environment: str) -> tuple[AccountPlan, ...]:
    """Return the account that renders, and then those of all targets."""
    known = tuple(rollouts)
    renderer = AccountPlan(
        id=name_renderer(environment),
        name="render",
        purpose="Renders releases",
        usages=RENDER_USAGES,
        roles=RENDER_ROLES,
        namespace=None,
        people=_unique(who for rollout in known for who in rollout.approvals.release),
        automated=False,
    )
    return (renderer, *(_plan_account(rollout, target) for rollout in known for target in rollout.targets))


def _plan_account(rollout: RolloutPlan, target: TargetPlan) -> AccountPlan:
    """Who rolls back creates rollouts in production, and who releases in both places."""
    people, watched = rollout.approvals, target == rollout.production
    return AccountPlan(
        id=name_account(target.name),
        name=f"deliver-{target.namespace}",
        purpose=f"Delivers to {target.namespace}",
        usages=TARGET_USAGES,
        roles=(*TARGET_ROLES, *(ANALYSIS_ROLES if watched else ())),
        namespace=target.namespace,
        people=_unique((*people.release, *(people.roll_back if watched else ()))),
        automated=watched,
    )


def _unique(people: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(people)))
