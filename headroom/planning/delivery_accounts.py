"""As whom Cloud Deploy works: one account renders, and each target has its own, bound to its namespace."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from headroom.planning.regions import SitePlan
from headroom.planning.rollouts import RolloutPlan, TargetPlan

RENDER_ROLES = ("clouddeploy.jobRunner", "logging.logWriter")
"""What who renders needs of the project, and no right on any cluster: a release is rendered for production
too, before anybody has approved it (cloud.google.com/deploy/docs/cloud-deploy-service-account, 2026-11)."""

TARGET_ROLES = (
    "artifactregistry.reader",
    "clouddeploy.jobRunner",
    "logging.logWriter",
    "serviceusage.serviceUsageConsumer",
)
"""What who deploys and validates needs of the project that releases come from: images of models, and of what
validates
(cloud.google.com/deploy/docs/cloud-deploy-service-account, 2026-11)."""

METRICS_ROLES = ("monitoring.viewer",)
"""What they need of the cluster's project: metrics to validate by."""

ANALYSIS_ROLES = ("monitoring.alertPolicyViewer",)
"""What who watches a canary needs of it beside them
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
    project: str
    """The project that it is of."""
    name: str
    """What its resources are called, after the environment."""
    purpose: str
    usages: tuple[str, ...]
    roles: tuple[str, ...]
    """Predefined roles in that project, without `roles/`."""
    site: SitePlan | None
    """The stack whose cluster it deploys to; None: it reaches no cluster at all."""
    site_roles: tuple[str, ...]
    """Predefined roles in the project of that, without `roles/`."""
    target: str | None
    """The one target that it is for; None: all."""
    namespace: str | None
    """The one namespace that it may deploy to."""
    people: tuple[str, ...]
    """Who may use it, as IAM members: who creates a release or a rollout must be allowed to use the accounts
    that render and deploy it (cloud.google.com/deploy/docs/cloud-deploy-service-account, 2026-11)."""
    automated: bool
    """Whether the automation creates rollouts that it deploys."""

    @property
    def email(self) -> str:
        """Its address."""
        return f"{self.id}@{self.project}.iam.gserviceaccount.com"

    def reaches(self, stack: str) -> bool:
        """Whether it deploys to the cluster of a stack."""
        return self.site is not None and self.site.stack == stack


def name_account(target: str) -> str:
    """Return the id of a target's account: at most 30 letters, another for each target however long."""
    digest = sha256(target.encode()).hexdigest()[:_HASH_LETTERS]
    return f"{target[: _MOST_LETTERS - _HASH_LETTERS - 1].rstrip('-')}-{digest}"


def name_renderer(environment: str) -> str:
    """Return the id of the account that renders."""
    return f"{environment}-render"


def plan_accounts(rollouts: Iterable[RolloutPlan], home: SitePlan) -> tuple[AccountPlan, ...]:
    """Return the account that renders, and then those of all targets; `home` is where releases begin."""
    known = tuple(rollouts)
    renderer = AccountPlan(
        id=name_renderer(home.stack),
        project=home.project,
        name="render",
        purpose="Renders releases",
        usages=RENDER_USAGES,
        roles=RENDER_ROLES,
        site=None,
        site_roles=(),
        target=None,
        namespace=None,
        people=_unique(who for rollout in known for who in rollout.approvals.release),
        automated=False,
    )
    places = ((rollout, target) for rollout in known for target in rollout.targets)
    return (renderer, *(_plan_account(rollout, target, home) for rollout, target in places))


def _plan_account(rollout: RolloutPlan, target: TargetPlan, home: SitePlan) -> AccountPlan:
    """Who rolls back creates rollouts in production, and who releases in both places."""
    people, watched = rollout.approvals, target.stage == "production"
    return AccountPlan(
        id=name_account(target.name),
        project=home.project,
        name=f"deliver-{target.label}",
        purpose=f"Delivers to {target.namespace}",
        usages=TARGET_USAGES,
        roles=TARGET_ROLES,
        site=target.site,
        site_roles=(*METRICS_ROLES, *(ANALYSIS_ROLES if watched else ())),
        target=target.name,
        namespace=target.namespace,
        people=_unique((*people.release, *(people.roll_back if watched else ()))),
        automated=watched,
    )


def _unique(people: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(people)))
