"""Whether organization policies forbid what a plan needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from headroom.catalog.facts import load_facts

Permission = Literal["allowed", "forbidden", "unknown"]

_CONTINENTS = ("africa", "asia", "australia", "europe", "me", "northamerica", "southamerica", "us")
_CLEARLY_APART = ("africa", "asia", "australia", "europe", "southamerica", "us")
"""Groups of locations that hold nothing of another one's continent."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint that can stand in the way, what it lists, and what stops then."""

    name: str
    kind: Literal["boolean", "locations", "services", "projects", "networks"]
    why: str
    when: str
    """The property of a plan for which alone it matters; empty: always."""


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule of an effective policy; a boolean one is enforced or not, a list one allows and denies."""

    enforced: bool = False
    allow_all: bool = False
    deny_all: bool = False
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@cache
def constraints() -> tuple[Constraint, ...]:
    """Return the constraints that can forbid what headroom plans."""
    return tuple(
        Constraint(row["constraint"], row["kind"], row["why"], row.get("when", ""))
        for group in load_facts("org_policies")
        for row in group["constraints"]
    )


def judge_rules(
    constraint: Constraint,
    rules: Iterable[PolicyRule],
    region: str,
    ancestors: Iterable[str],
    apis: Iterable[str],
) -> Permission:
    """Return whether the rules let the plan have what it needs.

    `ancestors` are the project itself and what is known to hold it, as `projects/P`, `folders/1`; `apis` the
    services that the plan uses. A group of values whose members are not known is unknown, not allowed.
    """
    given = tuple(rules)
    if constraint.kind == "boolean":
        return "forbidden" if any(rule.enforced for rule in given) else "allowed"
    needed = apis if constraint.kind == "services" else (constraint.kind,)
    holders = tuple(ancestors)
    verdicts = {_judge_list(constraint, given, region, holders, value) for value in needed}
    return next((verdict for verdict in ("forbidden", "unknown") if verdict in verdicts), "allowed")


def _judge_list(
    constraint: Constraint, rules: tuple[PolicyRule, ...], region: str, ancestors: tuple[str, ...], value: str
) -> Permission:
    if any(rule.deny_all for rule in rules):
        return "forbidden"

    def matches(listed: str) -> bool | None:
        if constraint.kind == "locations":
            return _holds_region(listed, region)
        if constraint.kind == "services":
            return _holds_service(listed, value)
        return _holds_project(listed, ancestors)

    denied = {matches(listed) for rule in rules for listed in rule.denied}
    allowed = {matches(listed) for rule in rules for listed in rule.allowed}
    if True in denied:
        return "forbidden"
    if None in denied:
        return "unknown"
    if not allowed or True in allowed:
        return "allowed"
    return "unknown" if None in allowed else "forbidden"


def _holds_region(listed: str, region: str) -> bool | None:
    if not listed.startswith("in:"):
        return listed.removeprefix("is:") == region
    group = listed.removeprefix("in:").removesuffix("-locations")
    continent = region.split("-", 1)[0]
    if group in (region, continent):
        return True
    if "-" in group and group.split("-", 1)[0] in _CONTINENTS:
        return False
    return False if group in _CLEARLY_APART and continent in _CLEARLY_APART else None


def _holds_service(listed: str, api: str) -> bool | None:
    return None if listed.startswith("in:") else listed.removeprefix("is:") == api


def _holds_project(listed: str, ancestors: tuple[str, ...]) -> bool | None:
    place = listed.removeprefix("under:").removeprefix("is:")
    if place in ancestors:
        return True
    is_part = any(place.startswith(f"{ancestor}/") for ancestor in ancestors)
    return False if place.startswith("projects/") and not is_part else None
