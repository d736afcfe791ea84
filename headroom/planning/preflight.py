"""What a plan needs of a Google Cloud project before `pulumi up`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from headroom.catalog.facts import load_facts
from headroom.planning.addresses import is_example
from headroom.planning.names import state_bucket
from headroom.planning.org_policies import Constraint, constraints
from headroom.planning.plan import Plan
from headroom.planning.quota import QuotaDraw
from headroom.planning.services import ApiNeed, find_apis

State = Literal["ok", "missing", "unknown"]

_FIRST_NODE = "e2-medium"
"""The machine of the pool that GKE makes first and that is deleted at once."""


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one question: `subject` says about what, `remedy` is the command that mends."""

    area: str
    subject: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RoleNeed:
    """A role that holds permissions which `pulumi up` uses; any other role that has them does as well."""

    role: str
    why: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class MachineNeed:
    """A machine type that a zone must have, and the GPU that is attached to it, if any."""

    zone: str
    machine: str
    gpu: str


@dataclass(frozen=True, slots=True)
class ReservationNeed:
    """A reservation that a pool takes its nodes from, in one of `zones`."""

    name: str
    project: str
    zones: tuple[str, ...]
    machine: str
    pool: str
    nodes: int
    """The most nodes that the pool takes from all of its reservations."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Machines that are set aside in a zone: how many of which kind, and whether they can be used now."""

    machine: str
    count: int
    ready: bool


@dataclass(frozen=True, slots=True)
class StateBucket:
    """The bucket of Pulumi's state as it is; None: one may not see it."""

    versioned: bool | None
    uniform: bool | None
    private: bool | None
    missing_permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """All that a plan needs of its project."""

    environment: str
    project: str
    state_project: str
    """Whose bucket keeps the state: where releases come from another stack, that one's, which reads it."""
    state_stack: str
    """The stack of that project."""
    region: str
    apis: tuple[ApiNeed, ...]
    roles: tuple[RoleNeed, ...]
    constraints: tuple[Constraint, ...]
    zones: tuple[str, ...]
    machines: tuple[MachineNeed, ...]
    reservations: tuple[ReservationNeed, ...]
    draws: tuple[QuotaDraw, ...]
    asks_quota: bool
    """Whether `pulumi up` asks for the quota that is short."""
    groups: tuple[str, ...]
    example_addresses: tuple[str, ...]
    """Owners in domains that nobody can own: they are never asked for."""

    @property
    def state_bucket(self) -> str:
        """The bucket that `bootstrap/` makes for Pulumi's state."""
        return state_bucket(self.state_project)

    @property
    def permissions(self) -> tuple[str, ...]:
        """Every permission that some role is needed for."""
        return tuple(sorted({name for role in self.roles for name in role.permissions}))


def derive_needs(plan: Plan) -> Needs:
    """Return what `plan` needs of its project."""
    addresses = _addresses(plan)
    groups = tuple(address for address in addresses if not is_example(address))
    traits = {*plan.traits, *(["groups"] if groups else [])}
    machines, home = _machines(plan), plan.delivery.lead if plan.delivery else None
    return Needs(
        environment=plan.environment,
        project=plan.project,
        state_project=home.project if home else plan.project,
        state_stack=home.stack if home else plan.environment,
        region=plan.region,
        apis=find_apis(traits),
        roles=tuple(role for role, when in all_roles() if not when or when in traits),
        constraints=tuple(item for item in constraints() if not item.when or item.when in traits),
        zones=tuple(sorted({need.zone for need in machines})),
        machines=machines,
        reservations=_reservations(plan),
        draws=plan.quota,
        asks_quota=plan.quota_requests is not None,
        groups=groups,
        example_addresses=tuple(address for address in addresses if is_example(address)),
    )


def exit_code(checks: Iterable[Check]) -> int:
    """Return 0 where all is there, 1 where something is missing, 3 where nothing is known to be missing but
    something could not be asked or is not known."""
    states = {check.state for check in checks}
    if "missing" in states:
        return 1
    return 3 if "unknown" in states else 0


@cache
def all_roles() -> tuple[tuple[RoleNeed, str], ...]:
    """Return every role that some plan needs, with the trait of the plans that do; empty: of all plans."""
    return tuple(
        (RoleNeed(row["role"], row["why"], tuple(row["permissions"].split())), row.get("when", ""))
        for group in load_facts("roles")
        for row in group["roles"]
    )


def _machines(plan: Plan) -> tuple[MachineNeed, ...]:
    first = {MachineNeed(zone, _FIRST_NODE, "") for zone in plan.cluster.zones}
    return tuple(
        sorted(
            first
            | {
                MachineNeed(
                    zone,
                    pool.machine.name,
                    pool.node.attachment.accelerator
                    if pool.node.attachment and not pool.machine.accelerator
                    else "",
                )
                for pool in plan.all_pools
                for node_pool in pool.node_pools
                for zone in node_pool.zones
            }
        )
    )


def _reservations(plan: Plan) -> tuple[ReservationNeed, ...]:
    return tuple(
        ReservationNeed(
            name=name,
            project=pool.node.reservation.project or plan.project,
            zones=tuple(sorted({zone for node_pool in pool.node_pools for zone in node_pool.zones})),
            machine=pool.machine.name,
            pool=pool.name,
            nodes=pool.peak_nodes,
        )
        for pool in plan.all_pools
        if pool.node.reservation
        for name in pool.node.reservation.names
    )


def _addresses(plan: Plan) -> tuple[str, ...]:
    owners = {pipeline.owner for pipeline in plan.pipelines}
    if plan.delivery:
        for rollout in plan.delivery.rollouts:
            people = rollout.approvals
            owners |= {*people.release, *people.begin, *people.increase, *people.roll_back}
    readers = {reader for bucket in plan.logging.buckets for reader in bucket.readers}
    groups = {who.removeprefix("group:") for who in owners | readers if who.startswith("group:")}
    return tuple(sorted(groups | ({plan.cluster.security_group} if plan.cluster.security_group else set())))
