"""What a release is: which image of which version, where it goes, how many replicas, what judges it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headroom.alerts.contract import load_contract
from headroom.alerts.promql import parse_promql, selectors
from headroom.planning.delivery import DeliveryPlan, GatewayPlan
from headroom.planning.node_pools import PoolPlan
from headroom.planning.notifications import known_rules
from headroom.planning.pipelines import LimitPlan, Resource
from headroom.planning.plan import Plan
from headroom.planning.queues import RESOURCE_NAMES
from headroom.planning.rollouts import CANARY, STABLE, RolloutPlan, TargetPlan, read_starvation
from headroom.planning.staging import SURGE
from headroom.planning.workloads import Part
from headroom.spec.errors import Problem, StackFileError, suggest
from headroom.spec.server import Server

CANARY_WAIT_SECONDS = 900
"""How long a canary has to show that it exports what it is judged by: its pods start, and are scraped."""

SENDER_NEEDS: dict[Resource, int] = {"cpu": 500, "memory": 512 * 2**20}
"""What the job asks for that sends requests to a staged model: thousandths of a core, bytes."""

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
class Scaling:
    """The fewest and the most replicas."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class PlacePlan:
    """A release in one place: the profile of the Skaffold configuration, and the track of its series."""

    profile: str
    track: str
    target: TargetPlan
    replicas: int | None
    """How many there are; None: as many as `scaling` says."""
    scaling: Scaling | None


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What a model must export and be like before a rollout goes on."""

    environment: str
    track: str
    expected: tuple[str, ...]
    least_requests: int
    is_compared: bool
    timeout_seconds: int

    @property
    def wait_seconds(self) -> int:
        """How long it is waited for a good verdict: a minute less, in which the job starts and ends."""
        return max(self.timeout_seconds // 2, self.timeout_seconds - 60)


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """Everything that a release of a pipeline is made from."""

    project: str
    region: str
    delivery_pipeline: str
    rollout: RolloutPlan
    gateway: GatewayPlan
    pool: PoolPlan
    server: Server
    replica: tuple[Part, ...]
    """What one copy of the server asks for, processors and memory beside devices."""
    image: ModelImage
    places: tuple[PlacePlan, ...]
    judges: Mapping[str, JudgePlan]
    """By profile."""

    def place(self, profile: str) -> PlacePlan:
        """Return the place of a profile, which there is."""
        return next(place for place in self.places if place.profile == profile)


def require_rollout(plan: Plan, pipeline: str, file: str) -> tuple[DeliveryPlan, RolloutPlan]:
    """Return how a pipeline is delivered. Raises StackFileError where it is not."""
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
    pool = next(each for each in plan.pools if each.name == rollout.pool)
    _require_time(server, rollout)
    limits = next(each for each in plan.pipelines if each.name == pipeline).limits
    scaling = plan_scaling(rollout, [limit for limit in limits if limit.pool == pool.name], pool)
    return ReleasePlan(
        project=plan.project,
        region=plan.region,
        delivery_pipeline=f"{plan.environment}-{pipeline}",
        rollout=rollout,
        gateway=delivery.gateway,
        pool=pool,
        server=server,
        replica=complete_replica(rollout.replica, pool),
        image=image,
        places=(
            PlacePlan("staging", STABLE, rollout.staging, rollout.staging_replicas, None),
            PlacePlan(CANARY, CANARY, rollout.production, None, scaling),
            PlacePlan(STABLE, STABLE, rollout.production, None, scaling),
        ),
        judges=_plan_judges(rollout),
    )


def complete_replica(replica: Iterable[Part], pool: PoolPlan) -> tuple[Part, ...]:
    """Return what a copy of the server asks for. With devices it gets their share of the host, but for what
    the job takes that sends requests: it would need a host of its own otherwise."""
    asked = dict(replica)
    devices = asked.get("gpus", 0) + asked.get("chips", 0)
    hosts: dict[Resource, int] = {"cpu": pool.cpu_millis_per_node, "memory": pool.memory_bytes_per_node}
    for resource, per_node in hosts.items():
        if devices and resource not in asked:
            share = devices * per_node // pool.devices_per_node
            asked[resource] = max(share // 2, share - SENDER_NEEDS[resource])
    return tuple((resource, asked[resource]) for resource in RESOURCE_NAMES if asked.get(resource))


def plan_scaling(rollout: RolloutPlan, limits: Iterable[LimitPlan], pool: PoolPlan) -> Scaling:
    """Return how many replicas there are, the same for the present model and the canary, which is a copy.

    However few there are, so many does a canary get at once, and both and the surge have to fit into the cap:
    then the fewest are those of the largest canary. Of accelerators, whose load the processors do not tell,
    the fewest are the busy hour's as far as the cap has room for twice as many.
    """
    caps: dict[Resource, int] = {limit.resource: limit.cap for limit in limits}
    room = min(caps[resource] // part for resource, part in rollout.replica if resource in caps and part)
    canary = max(phase.replicas for phase in rollout.phases)
    steady = min(rollout.replicas, room - rollout.replicas - SURGE) if pool.accelerator else canary
    return Scaling(least=max(canary, steady), most=max(rollout.replicas, room - canary - SURGE))


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
    staging, production = rollout.staging.environment, rollout.production.environment
    half = rollout.validation.timeout_seconds // 2
    return {
        "staging": JudgePlan(staging, STABLE, expected, least, is_compared=True, timeout_seconds=half),
        CANARY: JudgePlan(
            production, CANARY, expected, 0, is_compared=False, timeout_seconds=CANARY_WAIT_SECONDS
        ),
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
