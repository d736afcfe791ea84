"""What a release is: which image of which version, where it goes, how many replicas, what judges it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from headroom.alerts.contract import load_contract
from headroom.alerts.promql import parse_promql, selectors
from headroom.planning.delivery import DeliveryPlan, GatewayPlan
from headroom.planning.notifications import known_rules
from headroom.planning.plan import Plan
from headroom.planning.rollouts import CANARY, STABLE, RolloutPlan, TargetPlan, read_starvation
from headroom.spec.errors import Problem, StackFileError, suggest
from headroom.spec.server import Server

CANARY_WAIT_SECONDS = 900
"""How long a canary has to show that it exports what it is judged by: its pods start, and are scraped."""

COPY_SECONDS = 120
"""How long a registry may be late when the image of a good model is copied."""

_VERSION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ModelImage:
    """A version of a model: its image, and the digest of what is in it."""

    version: str
    name: str
    digest: str

    @property
    def reference(self) -> str:
        """The image as pods name it."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True, slots=True)
class PlacePlan:
    """A release in one place: the profile of the Skaffold configuration, and the track of its series."""

    profile: str
    track: str
    target: TargetPlan
    rollout: RolloutPlan
    """How a release is rolled out in the place's region."""
    replicas: int | None
    """How many there are; None: as many as the load asks for."""


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What a model must export and be like before a rollout goes on; `project` is where its metrics are."""

    project: str
    environment: str
    track: str
    expected: tuple[str, ...]
    least_requests: int
    is_compared: bool
    timeout_seconds: int
    promotes: bool = False
    """Whether the image of a good model is then copied to where production takes its images from."""

    @property
    def wait_seconds(self) -> int:
        """How long it is waited for a good verdict: less the copy, and a minute in which the job starts."""
        return max(self.timeout_seconds // 2, self.timeout_seconds - 60 - self.copy_seconds)

    @property
    def copy_seconds(self) -> int:
        """How long it is waited for a registry that is late."""
        return min(COPY_SECONDS, self.timeout_seconds // 4) if self.promotes else 0


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """Everything that a release of a pipeline is made from."""

    project: str
    region: str
    delivery_pipeline: str
    rollout: RolloutPlan
    gateway: GatewayPlan
    server: Server
    image: ModelImage
    validated: ModelImage
    """Its copy, which staging makes of a good model, and production runs."""
    places: tuple[PlacePlan, ...]
    judges: Mapping[str, JudgePlan]
    """By profile."""

    def place(self, profile: str) -> PlacePlan:
        """Return the place of a profile, which there is."""
        return next(place for place in self.places if place.profile == profile)

    def image_in(self, place: PlacePlan) -> ModelImage:
        """Return the image that runs in a place: in production what was validated."""
        return self.image if place.target.stage == "staging" else self.validated


def require_rollout(plan: Plan, pipeline: str, file: str) -> tuple[DeliveryPlan, RolloutPlan]:
    """Return how a pipeline is delivered. Raises StackFileError where it is not, or by another stack."""
    require_lead(plan, file)
    return find_delivery(plan, pipeline, file)


def require_lead(plan: Plan, file: str) -> None:
    """Raise StackFileError where releases come from another stack, of which all regions are asked for."""
    if plan.delivery is not None and plan.delivery.lead is not None:
        lead = plan.delivery.lead.stack
        message = f"is {lead}, which releases of all regions come from; ask that one: -s {lead}"
        raise StackFileError([Problem("headroom:delivery.follows", message)], file)


def find_delivery(plan: Plan, pipeline: str, file: str) -> tuple[DeliveryPlan, RolloutPlan]:
    """Return how a pipeline is delivered in the stack's own region. Raises StackFileError where it is not."""
    delivered = [rollout.pipeline for rollout in plan.delivery.rollouts] if plan.delivery else []
    rollout = plan.delivery.find_rollout(pipeline) if plan.delivery else None
    if plan.delivery is None or rollout is None:
        known = {each.name for each in plan.pipelines}
        what = "has no delivery, so that nothing is released to it" if pipeline in known else "is no pipeline"
        raise StackFileError(
            [Problem(f"headroom:pipelines.{pipeline}", what + suggest(pipeline, delivered))], file
        )
    return plan.delivery, rollout


def name_image(delivery: DeliveryPlan, server: Server) -> str:
    """Return the image of a model in the registry of its environment, without tag and digest."""
    return f"{delivery.images.prefix}{server.image}"


def require_version(version: str) -> str:
    """Return a model version. Raises StackFileError where it can be no tag of an image and label of a pod."""
    if not _VERSION.fullmatch(version):
        raise StackFileError(
            [
                Problem(
                    "--model-version",
                    "is no version: 1 to 63 letters, digits, dots, hyphens and underscores, no sign first or "
                    "last",
                )
            ]
        )
    return version


def require_digest(image: str, name: str) -> str:
    """Return the digest of an image that is named by it. Raises StackFileError for a tag or another image."""
    given, at, digest = image.partition("@")
    if not at:
        message = f"is an image by its tag, which can be moved; write {name}@sha256:DIGEST"
    elif not _DIGEST.fullmatch(digest):
        message = "has no digest of 64 hexadecimal digits after @sha256:"
    elif given != name:
        message = f"is not {name}; models run from the registry of their environment alone"
    else:
        return digest
    raise StackFileError([Problem("--image", message)])


def require_model(version: str, name: str, found: str | None, given: str | None) -> ModelImage:
    """Return the model of a version whose tag the registry `found` to be that digest; None: there is no such
    tag. A version exists when the registry has an image of that tag, which cannot be moved there.

    Raises StackFileError where the version does not exist, or is another image than the one `given`.
    """
    if found is None:
        raise StackFileError(
            [Problem("--model-version", f"does not exist: {name} has no tag {version}; push it first")]
        )
    if given is not None and given != found:
        raise StackFileError([Problem("--image", f"is not the version {version}, which is {found}")])
    return ModelImage(version, name, found)


def plan_release(plan: Plan, pipeline: str, server: Server, image: ModelImage, file: str) -> ReleasePlan:
    """Return a release of a delivered pipeline.

    Raises StackFileError where the pipeline is not delivered, or its validation has not the time for the
    requests.
    """
    delivery, rollout = require_rollout(plan, pipeline, file)
    _require_time(server, rollout)
    return ReleasePlan(
        project=plan.project,
        region=plan.region,
        delivery_pipeline=f"{plan.environment}-{pipeline}",
        rollout=rollout,
        gateway=delivery.gateway,
        server=server,
        image=image,
        validated=replace(image, name=f"{delivery.images.validated_prefix}{server.image}"),
        places=(
            PlacePlan("staging", STABLE, rollout.staging, rollout, rollout.staging_replicas),
            *(place for region in rollout.regions for place in _list_tracks(region)),
        ),
        judges=_plan_judges(rollout),
    )


def _list_tracks(region: RolloutPlan) -> Iterable[PlacePlan]:
    for track in (CANARY, STABLE):
        yield PlacePlan(region.profile(track), track, region.production, region, None)


def expected_metrics() -> tuple[str, ...]:
    """Return what a serving pipeline has to export for the alerts that judge canaries to see anything."""
    contract = load_contract()
    read = (
        contract.find(selector.metric)
        for rule in known_rules()
        if rule.gates_canary
        for selector in selectors(parse_promql(rule.expr))
    )
    return tuple(sorted({metric.name for metric in read if metric and "serving" in metric.required_of}))


def _plan_judges(rollout: RolloutPlan) -> dict[str, JudgePlan]:
    expected = expected_metrics()
    least = int(read_starvation()[0])
    staging, half = rollout.staging, rollout.validation.timeout_seconds // 2
    canaries = {
        region.profile(CANARY): JudgePlan(
            project=region.production.site.project,
            environment=region.production.environment,
            track=CANARY,
            expected=expected,
            least_requests=0,
            is_compared=False,
            timeout_seconds=CANARY_WAIT_SECONDS,
        )
        for region in rollout.regions
    }
    return canaries | {
        "staging": JudgePlan(
            project=staging.site.project,
            environment=staging.environment,
            track=STABLE,
            expected=expected,
            least_requests=least,
            is_compared=True,
            timeout_seconds=half,
            promotes=True,
        )
    }


def _require_time(server: Server, rollout: RolloutPlan) -> None:
    """Sending has half of the validation's time, judging the other."""
    needed, given = server.requests.count / server.requests.per_second, rollout.validation.timeout_seconds / 2
    if needed > given:
        raise StackFileError(
            [
                Problem(
                    "requests.per_second",
                    f"is too low: {server.requests.count} requests take {needed / 60:.0f} minutes, and half "
                    f"of the validation's time is {given / 60:.0f}; send more a second, or give "
                    f"headroom:pipelines.{rollout.pipeline}.delivery.validation.minutes more",
                )
            ],
            f"releases/{rollout.pipeline}.yaml",
        )
