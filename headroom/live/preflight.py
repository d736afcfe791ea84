"""Asks a project for all that a plan needs, many questions at once; only ever reads."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from headroom.live import buckets, groups, machines, org_policies, projects, quotas, services
from headroom.live.connection import Connection, UnansweredError, connect
from headroom.planning import readiness
from headroom.planning.grants import Grants, compare, keep_relevant
from headroom.planning.org_policies import Constraint
from headroom.planning.preflight import Check, MachineNeed, Needs, ReservationNeed

_THREADS: Final = 12
_FORBIDDEN: Final = (403, 404)


@dataclass(frozen=True, slots=True)
class _Question:
    """One thing to ask: `ask` answers with checks, or raises UnansweredError."""

    area: str
    subject: str
    ask: Callable[[], list[Check]]


def run_preflight(needs: Needs, state_url: str | None = None) -> tuple[Check, ...]:
    """Return a check for everything that the plan needs, in a stable order.

    `state_url` says where Pulumi keeps the state (`gs://BUCKET`), if not where `bootstrap/` puts it. What
    cannot be asked is unknown. Raises EndpointError where the environment names an endpoint that is none.
    """
    try:
        connection = connect(needs.project)
    except UnansweredError as error:
        return (_unknown("credentials", "application default credentials", error),)
    asked = Check("credentials", connection.principal, "ok", "are accepted")
    if connection.endpoint:
        asked = Check("credentials", "none", "ok", f"{connection.endpoint} asks for none")
    project, parent = _ask_project(connection, needs)
    if parent is None:
        rest = Check("all else", needs.project, "unknown", "was not asked, for want of the project")
        return (asked, project, rest)
    url = state_url or f"gs://{needs.state_bucket}"
    ancestors = (f"projects/{needs.project}", *([parent] if parent else ()))
    return (asked, project, *_ask_all(tuple(_questions(connection, needs, ancestors, url))))


def _ask_project(connection: Connection, needs: Needs) -> tuple[Check, str | None]:
    """Return the check of the project and what holds it; None: nothing else can be asked."""
    try:
        project = projects.get_project(connection)
    except UnansweredError as error:
        if error.disabled_api:
            return _unknown("project", needs.project, error), ""
        if error.status in _FORBIDDEN:
            return readiness.check_absent_project(needs), None
        return _unknown("project", needs.project, error), None
    return readiness.check_project(needs, project.number, active=project.active), project.parent


def _ask_all(questions: tuple[_Question, ...]) -> list[Check]:
    with ThreadPoolExecutor(_THREADS) as pool:
        futures: list[Future[list[Check]]] = [pool.submit(question.ask) for question in questions]
        return [
            check
            for question, future in zip(questions, futures, strict=True)
            for check in _collect(question, future)
        ]


def _collect(question: _Question, future: Future[list[Check]]) -> list[Check]:
    try:
        return future.result()
    except UnansweredError as error:
        return [_unknown(question.area, question.subject, error)]


def _questions(
    connection: Connection, needs: Needs, ancestors: tuple[str, ...], state_url: str
) -> Iterator[_Question]:
    yield _Question("APIs", "enabled APIs", partial(_ask_apis, connection, needs))
    yield _Question("billing", "billing account", partial(_ask_billing, connection, needs))
    yield _Question("roles", "permissions", partial(_ask_roles, connection, needs))
    for constraint in needs.constraints:
        ask = partial(_ask_policy, connection, needs, constraint, ancestors)
        yield _Question("organization policies", constraint.name, ask)
    yield from _compute_questions(connection, needs)
    yield _Question("quotas", "granted quotas", partial(_ask_quotas, connection, needs))
    for group in needs.groups:
        yield _Question("groups", group, partial(_ask_group, connection, group))
    yield _Question("state bucket", state_url, partial(_ask_bucket, connection, needs, state_url))


def _compute_questions(connection: Connection, needs: Needs) -> Iterator[_Question]:
    yield _Question("zones", f"zones of {needs.region}", partial(_ask_zones, connection, needs))
    for need in needs.machines:
        ask = partial(_ask_machine, connection, needs, need)
        yield _Question("machines", f"{need.machine} in {need.zone}", ask)
    for pool in dict.fromkeys(need.pool for need in needs.reservations):
        members = tuple(need for need in needs.reservations if need.pool == pool)
        yield _Question("reservations", f"those of {pool}", partial(_ask_reservations, connection, members))


def _ask_apis(connection: Connection, needs: Needs) -> list[Check]:
    try:
        enabled = services.list_enabled(connection, [need.api for need in needs.apis])
    except UnansweredError as error:
        if not error.disabled_api:
            raise
        return [Check("APIs", error.disabled_api, "missing", "is not enabled", error.remedy)]
    return readiness.check_apis(needs, enabled)


def _ask_billing(connection: Connection, needs: Needs) -> list[Check]:
    return [readiness.check_billing(needs, billed=projects.is_billed(connection))]


def _ask_roles(connection: Connection, needs: Needs) -> list[Check]:
    held = projects.list_held(connection, needs.permissions)
    return readiness.check_roles(needs, held, connection.principal)


def _ask_policy(
    connection: Connection, needs: Needs, constraint: Constraint, ancestors: tuple[str, ...]
) -> list[Check]:
    rules = org_policies.get_rules(connection, constraint.name)
    return [readiness.check_policy(needs, constraint, rules, ancestors)]


def _ask_zones(connection: Connection, needs: Needs) -> list[Check]:
    return readiness.check_zones(needs, machines.list_zones(connection, needs.region))


def _ask_machine(connection: Connection, needs: Needs, need: MachineNeed) -> list[Check]:
    has_machine = machines.has_machine(connection, need.zone, need.machine)
    has_gpu = not need.gpu or machines.has_gpu(connection, need.zone, need.gpu)
    return [readiness.check_machine(needs, need, has_machine=has_machine, has_gpu=has_gpu)]


def _ask_group(connection: Connection, group: str) -> list[Check]:
    return [readiness.check_group(group, exists=groups.has_group(connection, group))]


def _ask_reservations(connection: Connection, members: tuple[ReservationNeed, ...]) -> list[Check]:
    found = [
        [
            item
            for zone in need.zones
            if (item := machines.find_reservation(connection, need.project, zone, need.name))
        ]
        for need in members
    ]
    return readiness.check_reservations(members, found)


def _ask_quotas(connection: Connection, needs: Needs) -> list[Check]:
    grants = pull_grants(connection, needs)
    standings = compare(needs.draws, grants)
    return [
        *readiness.check_quotas(needs, standings, grants.preferences or ()),
        *readiness.check_requests(needs, standings, grants.preferences or ()),
    ]


def pull_grants(connection: Connection, needs: Needs) -> Grants:
    """Return what is granted now, and was asked for, of all that a stack in the region can draw from.

    Raises UnansweredError.
    """
    from datetime import UTC, datetime

    listed = quotas.list_grants(connection, sorted({draw.quota.service for draw in needs.draws}))
    asked = quotas.list_preferences(connection)
    return keep_relevant(listed, needs.draws, needs.project, needs.region, datetime.now(UTC), asked)


def _ask_bucket(connection: Connection, needs: Needs, state_url: str) -> list[Check]:
    if not state_url.startswith("gs://"):
        raise UnansweredError("the state is kept elsewhere, which cannot be asked here")
    name = state_url.removeprefix("gs://").split("/", 1)[0].split("?", 1)[0]
    return readiness.check_bucket(needs, name, buckets.find_bucket(connection, name), connection.principal)


def _unknown(area: str, subject: str, error: UnansweredError) -> Check:
    return Check(area, subject, "unknown", str(error), error.remedy)
