"""Rules that compare a property with what it may be, read from a table.

What is not known is no matter of a resource alone: whether it comes from another resource of the stack, so
that it cannot be known, is seen where all are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.frameworks import checkov, cis, trivy
from policies.model import Model
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, has_unknown
from policies.rules import Found, Rule
from policies.settings import Settings

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold of one property of resources of some types; one of the four conditions is there."""

    types: tuple[str, ...]
    path: tuple[str, ...]
    allowed: tuple[Any, ...] = ()
    includes: tuple[Any, ...] = ()
    unlike: re.Pattern[str] | None = None
    is_set: bool = False
    may_be_unset: bool = False
    unless: tuple[tuple[str, ...], tuple[Any, ...]] | None = None
    """A property, and the values with which the check does not apply."""
    sources: tuple[str, ...] = ()
    """Types of resources whose outputs the value may be, and so not be known."""

    def is_broken(self, resource: Resource) -> bool:
        """Return whether what is known of a resource breaks the check."""
        value = resource.read(*self.path)
        return not self._is_left_out(resource) and not has_unknown(value) and not self._holds(value)

    def is_open(self, resource: Resource) -> bool:
        """Return whether nobody knows if the check holds, though one could."""
        if self._is_left_out(resource) or not has_unknown(resource.read(*self.path)):
            return False
        return not resource.options.comes_from(self.path[0], self.sources)

    def describe(self, resource: Resource) -> str:
        """Return the property and its value, in the first half of a sentence."""
        value, name = resource.read(*self.path), ".".join(self.path)
        if self.includes and isinstance(value, list | tuple) and not has_unknown(value):
            lacking = ", ".join(str(item) for item in self.includes if item not in value)
            return f"{name} lacks {lacking}"
        return f"{name} is {show_value(value)}"

    def _is_left_out(self, resource: Resource) -> bool:
        return self.unless is not None and resource.read(*self.unless[0]) in self.unless[1]

    def _holds(self, value: Any) -> bool:
        if value is ABSENT:
            return self.may_be_unset
        if self.unlike is not None:
            return isinstance(value, str) and value != "" and self.unlike.search(value) is None
        if self.includes:
            return all(item in each(value) for item in self.includes)
        return bool(value) if self.is_set else value in self.allowed


def load_property_rules(file: Path) -> tuple[Rule, ...]:
    """Return the rules of a table such as security_rules.yaml, which says how it is read."""
    rows = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe loaders
    return tuple(map(_read_rule, rows))


def show_value(value: Any) -> str:
    """Return a property's value for people; of what has parts only that it has."""
    if isinstance(value, Missing):
        return value.value
    if has_unknown(value):
        return UNKNOWN.value
    if isinstance(value, bool):
        return str(value).lower()
    return "empty" if value in ("", [], {}) else str(value)


def _read_rule(row: Mapping[str, Any]) -> Rule:
    checks = tuple(map(_read_check, row["checks"]))
    judge = _Judge(checks, f"and {row['why']}", _lower(row["remedy"]), any_is_enough=row.get("any", False))
    found = (
        *cis(*row.get("cis", ())),
        *checkov(*row.get("checkov", ())),
        *trivy(*row.get("trivy", ())),
    )
    return Rule(
        name=row["rule"],
        description=row["description"],
        family="security",
        severity=row["severity"],
        reference=row.get("reference") or f"{found[0].name} {found[0].reference}",
        remedy=row["remedy"],
        of_resource=judge.judge_known,
        of_stack=judge.judge_unknown,
        types=tuple(dict.fromkeys(kind for check in checks for kind in check.types)),
        frameworks=found,
    )


def _read_check(row: Mapping[str, Any]) -> Check:
    unless = row.get("unless")
    return Check(
        types=tuple(row["types"]),
        path=tuple(row["path"].split(".")),
        allowed=tuple(row.get("is", ())),
        includes=tuple(row.get("includes", ())),
        unlike=re.compile(row["unlike"]) if "unlike" in row else None,
        is_set=row.get("set", False),
        may_be_unset=row.get("unset") == "fine",
        unless=(tuple(unless["path"].split(".")), tuple(unless["is"])) if unless else None,
        sources=tuple(row.get("from", ())),
    )


def _lower(remedy: str) -> str:
    return (remedy[0].lower() + remedy[1:]).removesuffix(".")


@dataclass(frozen=True, slots=True)
class _Judge:
    """The two sides of a rule: what breaks it, and what may."""

    checks: tuple[Check, ...]
    why: str
    remedy: str
    any_is_enough: bool

    def judge_known(self, resource: Resource, _: Settings) -> Iterator[Found]:
        checks = [check for check in self.checks if resource.type in check.types]
        broken = [check for check in checks if check.is_broken(resource)]
        if self.any_is_enough:
            broken = broken[:1] if len(broken) == len(checks) else []
        for check in broken:
            yield resource, f"{check.describe(resource)}, {self.why}", self.remedy

    def judge_unknown(self, model: Model, _: Settings) -> Iterator[Found]:
        for kind in dict.fromkeys(kind for check in self.checks for kind in check.types):
            for resource in model.of(kind):
                yield from self._judge_unknown(resource)

    def _judge_unknown(self, resource: Resource) -> Iterator[Found]:
        checks = [check for check in self.checks if resource.type in check.types]
        unknown = [check for check in checks if check.is_open(resource)]
        if self.any_is_enough and any(
            check not in unknown and not check.is_broken(resource) for check in checks
        ):
            return
        for check in unknown:
            yield resource, f"{check.describe(resource)}, {self.why}", f"write it out: {self.remedy}"
