"""Facts about resource types that pulumi_gcp's types do not tell, from the data files beside this module."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "facts"
_ACCESS: Final = re.compile(r"(IAM|Iam)(Member|Binding|Policy)$")


@dataclass(frozen=True)
class ResourceFacts:
    """What the official provider's schema says of one type; paths are dotted and carry no list indices."""

    id: str
    immutable: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    any_case: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    exactly_one: tuple[tuple[str, ...], ...] = ()
    conflicts: tuple[tuple[str, ...], ...] = ()
    requires: tuple[tuple[str, ...], ...] = ()
    is_row: bool = True


@cache
def load_table(name: str) -> Mapping[str, Any]:
    """One data file of `facts/` by its name without suffix; an absent file is an empty table."""
    import yaml

    path = _FOLDER / f"{name}.yaml"
    if not path.exists():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader) or {}  # noqa: S506 (both are safe loaders)


@cache
def load_facts(token: str) -> ResourceFacts:
    """The facts about a type; for one without a row, what its name and the common pattern tell."""
    module = token.split(":")[1].split("/")[0]
    row = load_table(f"resources/{module}").get(token) or load_table("handwritten").get(token)
    if row:
        return _facts(row)
    access = _ACCESS.search(token)
    return _access_facts(token, access) if access else _usual_facts(token)


def _facts(row: Mapping[str, Any]) -> ResourceFacts:
    return ResourceFacts(
        id=row["id"],
        immutable=frozenset(row.get("immutable", ())),
        unordered=frozenset(row.get("unordered", ())),
        computed=frozenset(row.get("computed", ())),
        any_case=frozenset(row.get("anyCase", ())),
        defaults=row.get("defaults", {}),
        values={path: tuple(values) for path, values in row.get("values", {}).items()},
        ranges={path: (low, high) for path, (low, high) in row.get("ranges", {}).items()},
        patterns=row.get("patterns", {}),
        exactly_one=tuple(map(tuple, row.get("exactlyOne", ()))),
        conflicts=tuple(map(tuple, row.get("conflicts", ()))),
        requires=tuple(map(tuple, row.get("requires", ()))),
    )


def _access_facts(token: str, access: re.Match[str]) -> ResourceFacts:
    """Facts of an IAM member, binding or policy: all is immutable but the list that the type manages."""
    from sandbox.google.schema import load_resource_type

    inputs = load_resource_type(token).inputs
    managed = {"members", "policyData"}
    immutable = {name for name in inputs if name not in managed}
    table = load_table("iam")
    module_and_owner = _ACCESS.sub("", token.split(":")[1].split("/")[0] + "." + token.split(":")[2])
    parent = table["parents"].get(module_and_owner) or _parent_of(inputs)
    suffix = {"Member": "/{role}/{member}", "Binding": "/{role}", "Policy": ""}[access[2]]
    return ResourceFacts(
        id=parent + suffix,
        immutable=frozenset(
            immutable | {f"condition.{part}" for part in ("title", "expression", "description")}
        ),
        unordered=frozenset({"members"}),
        computed=frozenset({"project", "location", "region", "zone"}),
    )


def _parent_of(inputs: Mapping[str, Any]) -> str:
    own = {"role", "member", "members", "condition", "policyData"}
    return "/".join(f"{{{name}}}" for name in sorted(inputs) if name not in own)


def _usual_facts(token: str) -> ResourceFacts:
    """Facts of a type without a row: its place and its name cannot change, the rest can."""
    name = token.split(":")[1].split("/")[1]
    usual = ("name", "project", "location", "region", "zone", "parent")
    return ResourceFacts(
        id=f"projects/{{project}}/{name}s/{{name}}",
        immutable=frozenset(usual),
        computed=frozenset(usual[1:]),
        is_row=False,
    )
