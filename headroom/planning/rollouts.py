"""How a new model reaches its users: staging, phases, what judges each phase, and what is at risk in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import ceil

from headroom.alerts.linting import longest_window
from headroom.alerts.promql import Binary, Number, parse_promql, walk
from headroom.alerts.rules import Rule, find_rule
from headroom.catalog.rollouts import PresetPhase, load_presets
from headroom.planning.addresses import list_members
from headroom.planning.alerting import plan_alert_policies
from headroom.planning.node_pools import PoolPlan
from headroom.planning.notifications import known_rules
from headroom.planning.pipelines import plan_pipeline
from headroom.planning.regions import USUAL_WAIT_MINUTES, Lead, SitePlan, name_target, plan_site
from headroom.planning.replicas import Scaling, complete_replica, plan_scaling, select_nodes
from headroom.planning.staging import SURGE, find_delivered, name_staging
from headroom.planning.workloads import Part, Serving, read_serving
from headroom.spec.delivery import Approvals, Delivery, Phase, PipelineDelivery
from headroom.spec.pipelines import ServingPipeline
from headroom.spec.platform import Platform

STABLE = "stable"
"""The phase after the last of the canary, and the track that it makes the new model's
(cloud.google.com/deploy/docs/deployment-strategies/canary, 2026-11)."""

CANARY = "canary"


@dataclass(frozen=True, slots=True)
class GatePlan:
    """An alert that judges a canary, and how long after a fault it has certainly fired."""

    alert: str
    policy: str
    """The policy's name in the plan of the alerting."""
    judgement_seconds: int


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A share of the requests that goes to the new model, and how long it is watched there."""

    id: str
    percent: int
    watch_seconds: int
    hold: bool
    """Whether the rollout then waits until somebody lets it go on."""
    replicas: int
    """Copies of the new model beside all of the present one's."""
    requests: float
    """Requests that the new model gets in the phase, in the busy hour."""
    requests_at_risk: float
    """Those that a bad model gets before it has certainly been seen to be bad, in the busy hour."""


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """A place that a release goes to: a namespace of a cluster, whose series say `environment`."""

    name: str
    stage: str
    """`staging` or `production`."""
    key: str
    """What it is called among the pipeline's places: its stage, with the stack where that follows another."""
    site: SitePlan
    namespace: str
    environment: str
    approval: bool
    """Whether somebody must approve before a rollout begins there."""

    @property
    def label(self) -> str:
        """What its resources are called: its namespace, with the stack where that follows another."""
        return self.namespace if self.key == self.stage else f"{self.namespace}@{self.site.stack}"


@dataclass(frozen=True, slots=True)
class BoundPlan:
    """What a measure of quality must keep to; None: that side is open."""

    metric: str
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """The job that judges a release in staging."""

    image: str
    timeout_seconds: int
    quality: tuple[BoundPlan, ...]
    worse: float | None
    """How much worse than the present model it may be, as a share of its quality; None: not compared."""
    skew: float | None
    """How far its predictions may be from the present model's; None: not compared."""


@dataclass(frozen=True, slots=True)
class ApprovalsPlan:
    """Who may do what, as IAM members."""

    release: tuple[str, ...]
    begin: tuple[str, ...]
    increase: tuple[str, ...]
    roll_back: tuple[str, ...]

    @property
    def approve(self) -> tuple[str, ...]:
        """Who holds the right to approve, where approval is asked for: a rollback too may wait for one, so
        who rolls back holds it, unless they also release and could approve what they released."""
        if not self.begin:
            return ()
        return _unique((*self.begin, *(who for who in self.roll_back if who not in self.release)))


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """How a new model of one serving pipeline is delivered."""

    pipeline: str
    model: str
    owner: str
    preset: str
    """The preset; empty where the phases are the stack file's own."""
    staging: TargetPlan
    production: TargetPlan
    phases: tuple[PhasePlan, ...]
    """The phases of the canary, the last of which goes on to all users."""
    gates: tuple[GatePlan, ...]
    retries: int
    validation: ValidationPlan
    approvals: ApprovalsPlan
    pool: str
    replica: tuple[Part, ...]
    """What one copy of the server takes: thousandths of a core, bytes, devices."""
    asks: tuple[Part, ...]
    """What a copy's pod asks for: with devices their share of the host too."""
    nodes: tuple[tuple[str, str], ...]
    """Labels of the nodes that it runs on."""
    replicas: int
    """Copies that the busy hour needs."""
    scaling: Scaling
    staging_replicas: int
    qps: float
    """Queries per second in the busy hour."""
    least_qps: float
    """Below so many queries per second the first phase gets too few to be judged, and is rolled back."""
    wait_seconds: int
    """How long all users of the region before have had a release when it comes to this one."""
    further: tuple["RolloutPlan", ...] = ()
    """How a release goes on in further regions, in that order; each has the staging of this one."""

    @property
    def regions(self) -> tuple["RolloutPlan", ...]:
        """How a release is rolled out in each region, in that order: this is the first of them."""
        return (self, *self.further)

    def profile(self, track: str) -> str:
        """Return what a release's files of a track are called in this region."""
        return f"{track}{self.place_suffix}"

    @property
    def place_suffix(self) -> str:
        """What tells this region's things from the first one's, in which it is empty."""
        return self.production.key.removeprefix(self.production.stage)

    @property
    def place(self) -> str:
        """What production in this region is called among people."""
        return self.place_suffix.removeprefix("-") or self.production.stage

    def list_approved(self, member: str) -> tuple[str, ...]:
        """Return the targets for which somebody may approve, by their names."""
        return tuple(
            region.production.name
            for region in self.regions
            if member in list_members(region.approvals.approve)
        )

    def find_region(self, target: str) -> "RolloutPlan | None":
        """Return how a release is rolled out where a target is; None where that is not in production."""
        return next((each for each in self.regions if each.production.name == target), None)

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who may approve a rollout in any region."""
        return _unique(who for region in self.regions for who in region.approvals.approve)

    @property
    def targets(self) -> tuple[TargetPlan, ...]:
        """Where a release goes, in that order."""
        return (self.staging, *(each.production for each in self.regions))

    @property
    def held_phases(self) -> tuple[str, ...]:
        """The phases from which only a person lets a rollout go on, `TARGET/PHASE` of all regions."""
        return tuple(
            f"{region.production.name}/{phase.id}"
            for region in self.regions
            for phase in region.phases
            if phase.hold
        )

    @property
    def free_phases(self) -> tuple[str, ...]:
        """The phases from which a rollout goes on by itself, once they have been watched."""
        return tuple(phase.id for phase in self.phases if not phase.hold)

    @property
    def watch_seconds(self) -> int:
        """How long a good release is watched in production, people's answers not counted."""
        return sum(phase.watch_seconds for phase in self.phases)

    @property
    def peak_replicas(self) -> int:
        """Copies at once: the present model's, the largest canary's, and those of the roll to all users."""
        return self.replicas + max(phase.replicas for phase in self.phases) + SURGE


def find_gates(environment: str) -> tuple[GatePlan, ...]:
    """Return the alerts that judge every canary."""
    rules = [rule for rule in known_rules() if rule.gates_canary]
    return tuple(
        GatePlan(rule.name, policy.name, policy.judgement_seconds)
        for rule, policy in zip(rules, plan_alert_policies(rules, environment), strict=True)
    )


def least_watch_seconds(gates: Iterable[GatePlan]) -> int:
    """Return how long a phase must last for every gate to have fired by then, had it reason to."""
    return max(gate.judgement_seconds for gate in gates)


@cache
def read_starvation() -> tuple[float, int]:
    """Return below how many requests in how many seconds a canary is starved, as its alert says."""
    rule = find_rule(known_rules(), "CanaryStarved")
    if rule is None:
        raise ValueError("no alert fires for a starved canary")
    return _least_in_window(rule)


def _least_in_window(rule: Rule) -> tuple[float, int]:
    tree = parse_promql(rule.expr)
    for node in walk(tree):
        if isinstance(node, Binary) and node.operator == ">=" and isinstance(node.right, Number):
            return float(node.right.text), longest_window(tree)
    raise ValueError(f"{rule.name} compares with no number of requests")


def phases_of(delivery: PipelineDelivery) -> tuple[Phase | PresetPhase, ...]:
    """Return the phases of a delivery: its own, or its preset's."""
    return delivery.phases or load_presets()[delivery.preset].phases


def approvals_of(pipeline: ServingPipeline, own: Approvals, common: Approvals) -> ApprovalsPlan:
    """Return who may do what with a pipeline's releases, what is left open filled in."""
    release = own.release or common.release or (pipeline.owner,)
    begin = own.begin or common.begin
    roll_back = own.roll_back or common.roll_back or (pipeline.owner, *release, *begin)
    return ApprovalsPlan(
        release=_unique(release),
        begin=_unique(begin),
        increase=_unique(own.increase or common.increase or begin),
        roll_back=_unique(roll_back),
    )


def people_of(name: str, pipeline: ServingPipeline, platform: Platform, lead: Lead | None) -> ApprovalsPlan:
    """Return who may do what with the releases of a delivered pipeline. Where they come from another stack,
    that says it all; this may say who approves here, in the place of those."""
    own, common = _delivery(pipeline).approvals, platform.delivery.approvals
    if lead is None:
        return approvals_of(pipeline, own, common)
    leading = find_delivered(lead.platform.pipelines)[name]
    theirs = approvals_of(leading, _delivery(leading).approvals, lead.platform.delivery.approvals)
    begin = _unique(own.begin or common.begin or theirs.begin)
    return replace(theirs, begin=begin, increase=theirs.increase or begin)


def plan_rollout(
    name: str,
    pipeline: ServingPipeline,
    platform: Platform,
    environment: str,
    pools: Mapping[str, PoolPlan],
    lead: Lead | None = None,
) -> RolloutPlan:
    """Return how a pipeline is delivered, for which `rollout_rules.check_deliveries` finds nothing; `lead` is
    the stack from which its releases come, None where they begin in this one."""
    demand, delivery = pipeline.demand, _delivery(pipeline)
    if demand is None:
        raise ValueError(f"{name} has no demand from which its canary is sized")
    gates, pool = find_gates(environment), pools[demand.pool]
    serving = read_serving(demand, pool)
    phases = tuple(plan_phase(phase, serving, gates) for phase in phases_of(delivery))
    approvals = people_of(name, pipeline, platform, lead)
    least, window = read_starvation()
    busy, canary = serving.replicas(1.0), max(phase.replicas for phase in phases)
    limits = plan_pipeline(name, pipeline, pools).limits
    retries = load_presets()[delivery.preset].retries if delivery.retries is None else delivery.retries
    return RolloutPlan(
        pipeline=name,
        model=pipeline.model,
        owner=pipeline.owner,
        preset="" if delivery.phases else delivery.preset,
        staging=_plan_staging(name, lead or Lead(environment, platform)),
        production=TargetPlan(
            name=name_target(environment, name),
            stage="production",
            key=f"production-{environment}" if lead else "production",
            site=plan_site(environment, platform),
            namespace=name,
            environment=environment,
            approval=bool(approvals.begin),
        ),
        phases=phases,
        gates=gates,
        retries=retries,
        validation=_plan_validation(name, pipeline, lead.platform if lead else platform),
        approvals=approvals,
        pool=demand.pool,
        replica=serving.parts,
        asks=complete_replica(serving.parts, pool),
        nodes=select_nodes(pool),
        replicas=busy,
        scaling=plan_scaling(serving.parts, busy, canary, limits, pool),
        staging_replicas=delivery.staging.replicas,
        qps=demand.qps,
        least_qps=least / window * 100 / phases[0].percent,
        wait_seconds=60 * _wait_minutes(platform.delivery) if lead else 0,
    )


def plan_phase(phase: Phase | PresetPhase, serving: Serving, gates: tuple[GatePlan, ...]) -> PhasePlan:
    """Return a phase with what it gets of the busy hour's requests."""
    seconds, rate = phase.minutes * 60, serving.demand.qps * phase.percent / 100
    return PhasePlan(
        id=f"{CANARY}-{phase.percent}",
        percent=phase.percent,
        watch_seconds=seconds,
        hold=phase.hold,
        replicas=ceil(serving.replicas(1.0) * phase.percent / 100),
        requests=rate * seconds,
        requests_at_risk=rate * min(seconds, least_watch_seconds(gates)),
    )


def _wait_minutes(common: Delivery) -> int:
    return USUAL_WAIT_MINUTES if common.wait_minutes is None else common.wait_minutes


def _plan_staging(name: str, lead: Lead) -> TargetPlan:
    namespace = name_staging(name)
    return TargetPlan(
        name=name_target(lead.stack, namespace),
        stage="staging",
        key="staging",
        site=plan_site(lead.stack, lead.platform),
        namespace=namespace,
        environment=name_staging(lead.stack),
        approval=False,
    )


def _delivery(pipeline: ServingPipeline) -> PipelineDelivery:
    if pipeline.delivery is None:
        raise ValueError("is not delivered")
    return pipeline.delivery


def _plan_validation(name: str, pipeline: ServingPipeline, platform: Platform) -> ValidationPlan:
    """That of the stack whose staging it is."""
    validation = _delivery(find_delivered(platform.pipelines).get(name, pipeline)).validation
    return ValidationPlan(
        image=validation.image or platform.delivery.validation_image or "",
        timeout_seconds=validation.minutes * 60,
        quality=tuple(
            BoundPlan(metric, bound.min, bound.max) for metric, bound in sorted(validation.quality.items())
        ),
        worse=validation.worse,
        skew=validation.skew,
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
