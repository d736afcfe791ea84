"""All that delivers models: who runs it, who may do what, when it is frozen, which images are admitted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from headroom.catalog.facts import load_facts
from headroom.planning.delivery_accounts import AccountPlan, name_account, plan_accounts
from headroom.planning.node_pools import PoolPlan
from headroom.planning.regions import Lead, SitePlan, plan_site
from headroom.planning.rollouts import RolloutPlan, plan_rollout
from headroom.planning.tenancy import Stage
from headroom.spec.delivery import Freeze, OnceFreeze, WeeklyFreeze
from headroom.spec.pipelines import ServingPipeline
from headroom.spec.platform import Platform

RUNNER = "runner"
"""Who reaches a cluster to deploy to it."""

RETURNER = "returner"
"""Who approves that models come back: a job of the platform's own."""

GATEWAY_NAMESPACE = "headroom-gateway"
GATEWAY = "models"
GATEWAY_CLASS = "gke-l7-rilb"
"""Regional and internal: models are reached from within the VPC
(cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities, 2026-11)."""

TOPICS = ("clouddeploy-operations", "clouddeploy-resources", "clouddeploy-approvals")
"""Cloud Deploy publishes on topics of these very names
(cloud.google.com/deploy/docs/subscribe-deploy-notifications, 2026-11)."""

HELD_PHASES = "headroom/held-phases"
"""The annotation of a delivery pipeline with the phases from which only a person lets a rollout go on, as
`TARGET/PHASE`."""

RESTRICTED = ("ADVANCE", "APPROVE", "CREATE", "IGNORE_JOB")
"""What a freeze forbids: never rolling back, cancelling or ending a job, by which what is wrong is ended, nor
trying again, with which a repair begins: what a policy refuses an automation ends its run, before it has
rolled back (AutomationRun.policy_violation, cloud.google.com/deploy/docs/api, 2026-11)."""

FREEZES = "freezes"
"""What the deploy policy of all freezes is called, after the environment."""

ROUTE_UPDATE_SECONDS = 60
"""How long a change of weights takes until all proxies have it, as Google's own examples wait
(cloud.google.com/deploy/docs/deployment-strategies/canary/gke/gateway-api, 2026-11)."""

CUTBACK_SECONDS = 60
"""How long requests go back from the canary to the stable Deployment, once that has the new model."""

_WEEKDAYS = {
    "mon": "MONDAY",
    "tue": "TUESDAY",
    "wed": "WEDNESDAY",
    "thu": "THURSDAY",
    "fri": "FRIDAY",
    "sat": "SATURDAY",
    "sun": "SUNDAY",
}

_ADMITTED = ("registry.k8s.io/kueue/*",)


@dataclass(frozen=True, slots=True)
class FreezePlan:
    """A time in which nothing is delivered: from `start` to `end`, or on `days` of every week."""

    name: str
    time_zone: str
    start: datetime | None = None
    end: datetime | None = None
    days: tuple[str, ...] = ()
    from_minute: int = 0
    to_minute: int = 24 * 60

    def holds(self, moment: datetime) -> bool:
        """Whether it is frozen at that moment, which has a zone."""
        if self.start is not None and self.end is not None:
            return self.start <= moment < self.end
        from zoneinfo import ZoneInfo

        there = moment.astimezone(ZoneInfo(self.time_zone))
        minute = there.hour * 60 + there.minute
        return (
            list(_WEEKDAYS.values())[there.weekday()] in self.days
            and self.from_minute <= minute < self.to_minute
        )


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """The way to all models: one internal load balancer; a certificate makes it HTTPS."""

    name: str
    namespace: str
    gateway_class: str
    certificate: str | None
    proxies: str
    """The range from which the load balancer speaks to pods."""


@dataclass(frozen=True, slots=True)
class ImagesPlan:
    """Where images of models are kept, who puts them there, and which images the cluster admits.

    Builders push to one repository; those that staging found good are copied to another, and production runs
    these alone.
    """

    repository: str | None
    """The registry; None: that of the stack from which releases come."""
    prefix: str
    """How the names of the repository's images begin."""
    builders: tuple[str, ...]
    readers: tuple[str, ...]
    """Who reads the copies in other projects, as IAM members: the nodes of further regions."""
    validated: str
    """The repository of the copies."""
    validated_prefix: str
    validators: tuple[str, ...]
    """The ids of the accounts that validate, and copy: nobody else writes there."""
    served: tuple[tuple[Stage, tuple[str, ...]], ...]
    """By stage how the names of images begin that run where models are delivered: in staging models, copies
    of them, and what validates."""
    admitted: tuple[str, ...]
    """Patterns of Binary Authorization; system images that Google maintains are admitted beside them."""


@dataclass(frozen=True, slots=True)
class RolePlan:
    """A role of the project's own."""

    whom: str
    role_id: str
    title: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """All deliveries of an environment."""

    rollouts: tuple[RolloutPlan, ...]
    freezes: tuple[FreezePlan, ...]
    gateway: GatewayPlan
    images: ImagesPlan
    roles: tuple[RolePlan, ...]
    accounts: tuple[AccountPlan, ...]
    """As whom Cloud Deploy runs jobs; where releases come from another stack, those that come here."""
    lead: SitePlan | None = None
    """The stack from which releases come; None: they begin in this one."""

    def accounts_of(self, target: str) -> tuple[AccountPlan, ...]:
        """Return as whom jobs of a target run, each with the jobs that are its own."""
        return tuple(each for each in self.accounts if each.target in (None, target))

    @property
    def approvers(self) -> tuple[str, ...]:
        """Whoever approves any model's rollouts."""
        return tuple(sorted({who for rollout in self.rollouts for who in rollout.approvers}))

    @property
    def sites(self) -> tuple[SitePlan, ...]:
        """The stacks to which releases go on."""
        far = (each.production.site for rollout in self.rollouts for each in rollout.further)
        return tuple(dict.fromkeys(far))

    def find_rollout(self, pipeline: str) -> RolloutPlan | None:
        """Return how a pipeline is delivered; None where it is not."""
        return next((rollout for rollout in self.rollouts if rollout.pipeline == pipeline), None)


def plan_delivery(
    platform: Platform,
    environment: str,
    rollouts: tuple[RolloutPlan, ...],
    lead: Lead | None = None,
) -> DeliveryPlan | None:
    """Return the deliveries of a sound platform; None where no pipeline is delivered."""
    if not rollouts:
        return None
    common = platform.delivery
    home = lead or Lead(environment, platform)
    accounts = plan_accounts(rollouts, plan_site(home.stack, home.platform))
    return DeliveryPlan(
        rollouts=rollouts,
        freezes=tuple(
            _plan_freeze(name, freeze) for name, freeze in sorted(home.platform.delivery.freezes.items())
        ),
        gateway=GatewayPlan(
            GATEWAY, GATEWAY_NAMESPACE, GATEWAY_CLASS, common.certificate, str(platform.network.proxies)
        ),
        images=_plan_images(platform, rollouts, environment, lead),
        roles=tuple(
            _plan_role(row, environment) for row in _role_rows() if row[0] in _find_holders(platform)
        ),
        accounts=tuple(each for each in accounts if each.reaches(environment)) if lead else accounts,
        lead=plan_site(lead.stack, lead.platform) if lead else None,
    )


def plan_rollouts(
    platform: Platform,
    environment: str,
    delivered: Mapping[str, ServingPipeline],
    pools: Mapping[str, PoolPlan],
    lead: Lead | None = None,
) -> tuple[RolloutPlan, ...]:
    """Return how the pipelines of a sound platform are delivered in its own region."""
    return tuple(
        plan_rollout(name, pipeline, platform, environment, pools, lead)
        for name, pipeline in delivered.items()
    )


def _plan_freeze(name: str, freeze: Freeze) -> FreezePlan:
    match freeze:
        case OnceFreeze():
            return FreezePlan(name, "UTC", freeze.start, _whole_minute(freeze.end))
        case WeeklyFreeze():
            return FreezePlan(
                name,
                freeze.time_zone,
                days=tuple(_WEEKDAYS[day] for day in freeze.days),
                from_minute=_minutes(freeze.start),
                to_minute=_minutes(freeze.end),
            )


def _whole_minute(moment: datetime) -> datetime:
    """Windows are told in minutes, so that the last one begun counts whole."""
    whole = moment.replace(second=0)
    return whole if whole == moment else whole + timedelta(minutes=1)


def _minutes(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    return hours * 60 + minutes


def _plan_images(
    platform: Platform, rollouts: tuple[RolloutPlan, ...], environment: str, lead: Lead | None
) -> ImagesPlan:
    """Everything of the project's own registry is admitted, and what is named; `*` ends at no slash."""
    home = plan_site(lead.stack, lead.platform) if lead else plan_site(environment, platform)
    repository, validated = f"{home.stack}-models", name_validated(home.stack)
    prefix, validated_prefix = f"{_name_registry(home)}/{repository}/", find_validated(home)
    validating = [] if lead else sorted(set(_validation_images(platform)))
    named = {f"{_name_registry(plan_site(environment, platform))}/**", *_ADMITTED, *platform.delivery.images}
    named |= {_any_version(platform.monitoring.pushgateway_image)}
    named |= {f"{validated_prefix}**"} if lead else set()
    own = [platform.operations.image] if platform.operations else []
    named |= {_any_version(image) for image in (*validating, *own)}
    return ImagesPlan(
        repository=None if lead else repository,
        prefix=prefix,
        builders=tuple(sorted(set(platform.delivery.builders))),
        readers=tuple(sorted({far.production.site.nodes for rollout in rollouts for far in rollout.further})),
        validated=validated,
        validated_prefix=validated_prefix,
        validators=() if lead else tuple(name_account(rollout.staging.name) for rollout in rollouts),
        served=(
            ("production", (validated_prefix,)),
            (
                "staging",
                (prefix, validated_prefix, *(image.partition("@")[0] + "@" for image in validating)),
            ),
        ),
        admitted=tuple(sorted(named)),
    )


def name_validated(environment: str) -> str:
    """Return the id of the repository of what staging validated."""
    return f"{environment}-validated"


def find_validated(site: SitePlan) -> str:
    """Return how the names of images begin that the staging of a stack has validated."""
    return f"{_name_registry(site)}/{name_validated(site.stack)}/"


def _name_registry(site: SitePlan) -> str:
    return f"{site.region}-docker.pkg.dev/{site.project}"


def _validation_images(platform: Platform) -> Iterable[str]:
    if platform.delivery.validation_image:
        yield platform.delivery.validation_image
    for pipeline in platform.pipelines.values():
        if isinstance(pipeline, ServingPipeline) and pipeline.delivery and pipeline.delivery.validation.image:
            yield pipeline.delivery.validation.image


def _any_version(image: str) -> str:
    """Return the pattern of an image in any version: without tag and digest."""
    path, slash, name = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{name.partition(':')[0]}*"


def _find_holders(platform: Platform) -> frozenset[str]:
    """Whom the stack has a role for: the job that approves rollbacks is there only where it is asked for, and
    where releases come from another stack nothing is but the runner."""
    if platform.delivery.follows:
        return frozenset({RUNNER})
    returns = platform.operations is not None and platform.operations.rollbacks is not None
    return frozenset(row[0] for row in _role_rows()) - (frozenset() if returns else {RETURNER})


def _plan_role(row: tuple[str, str, tuple[str, ...]], environment: str) -> RolePlan:
    whom, title, permissions = row
    return RolePlan(whom, name_role(whom, environment), f"{environment}: {title}", permissions)


def name_role(whom: str, environment: str) -> str:
    """Return the id of an environment's own role."""
    return "_".join((environment.replace("-", "_"), "model", whom))


@cache
def _role_rows() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        (row["for"], row["title"], tuple(row["permissions"].split()))
        for group in load_facts("delivery_roles")
        for row in group["roles"]
    )
