"""Refuses inputs that the official provider or Google would refuse, and fills in names and defaults."""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.google.facts import ResourceFacts, load_table
from sandbox.google.schema import Kind, Property, ResourceType
from sandbox.provider.wire import SIGNATURE, UNKNOWN, Secret

DEFAULTS_KEY: Final = "__defaults"
_SCALARS: Final = {"string": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
_ACCESS_TYPE: Final = re.compile(r"(IAM|Iam)(Member|Binding)$")


@dataclass(frozen=True)
class Failure:
    """One thing wrong with the inputs: where (a property path) and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Naming:
    """How a type is named when the program gives no name."""

    property: str
    separator: str
    maximum: int
    lower: bool = False


def find_naming(resource: ResourceType) -> Naming | None:
    """The automatic naming of a type, or None where its name must be given or there is none."""
    table = load_table("naming")
    row = table["exceptions"].get(resource.token, table["default"])
    given = resource.inputs.get(row.get("property", ""))
    if given is None or given.kind.name != "string":
        return None
    return Naming(**row)


def auto_name(naming: Naming, logical_name: str, seed: bytes) -> str:
    """The name that an unnamed resource gets: its logical name and a suffix drawn from the engine's seed."""
    digits = load_table("naming")["suffix"]
    base = logical_name.lower() if naming.lower else logical_name
    base = base[: naming.maximum - digits - len(naming.separator)]
    return f"{base}{naming.separator}{hashlib.sha256(seed).hexdigest()[:digits]}"


def fill_inputs(
    resource: ResourceType,
    facts: ResourceFacts,
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    logical_name: str,
    seed: bytes,
) -> dict[str, Any]:
    """The inputs with the automatic name and the provider's top-level defaults, which `__defaults` lists.

    The automatic name of an earlier update is kept.
    """
    inputs = {key: value for key, value in news.items() if value is not None and key != DEFAULTS_KEY}
    filled = []
    naming = find_naming(resource)
    if naming and naming.property not in inputs and "namePrefix" not in inputs:
        was_automatic = naming.property in olds.get(DEFAULTS_KEY, ())
        old = olds.get(naming.property) if was_automatic else None
        inputs[naming.property] = old or auto_name(naming, logical_name, seed)
        filled.append(naming.property)
    for path, value in facts.defaults.items():
        is_open = "." not in path and path not in inputs and path in resource.inputs
        if is_open and not _is_excluded(path, facts, inputs):
            inputs[path] = value
            filled.append(path)
    inputs[DEFAULTS_KEY] = sorted(filled)
    return inputs


def _is_excluded(path: str, facts: ResourceFacts, inputs: Mapping[str, Any]) -> bool:
    groups = [group for group in facts.conflicts + facts.exactly_one if path in group]
    return any(other in inputs for group in groups for other in group if other != path)


def check_inputs(resource: ResourceType, facts: ResourceFacts, inputs: Mapping[str, Any]) -> list[Failure]:
    """All that is wrong with the inputs of a resource; empty if Google would take them."""
    failures = list(check_object(resource.inputs, inputs, ""))
    if not failures:
        failures += _check_facts(resource, facts, inputs)
    return failures


def check_object(
    properties: Mapping[str, Property], value: Mapping[str, Any], path: str
) -> Iterator[Failure]:
    """Unknown names, missing required properties, wrong kinds and values outside documented closed lists."""
    for name, item in value.items():
        if name == DEFAULTS_KEY:
            continue
        where = f"{path}.{name}" if path else name
        declared = properties.get(name)
        if declared is None:
            yield Failure(where, _unexpected(name, properties))
        else:
            yield from _check_value(declared.kind, item, where)
            yield from _check_documented(declared, item, where)
    for name, declared in properties.items():
        if declared.is_required and value.get(name) is None:
            yield Failure(f"{path}.{name}" if path else name, f"missing required property '{name}'")


def _unexpected(name: str, properties: Mapping[str, Property]) -> str:
    nearest = difflib.get_close_matches(name, properties, n=1)
    return f"unexpected property '{name}'" + (f"; did you mean '{nearest[0]}'?" if nearest else "")


def _check_value(kind: Kind, value: Any, path: str) -> Iterator[Failure]:
    if isinstance(value, Secret):
        value = value.value
    if value is UNKNOWN or value is None or kind.name == "any":
        return
    if kind.name in _SCALARS:
        if not isinstance(value, _SCALARS[kind.name]) or (kind.name != "bool" and isinstance(value, bool)):
            yield Failure(path, f"expected {kind.name}, got {_describe(value)}")
    elif kind.name == "list":
        yield from _check_list(kind, value, path)
    elif not isinstance(value, dict):
        yield Failure(path, f"expected {kind.name}, got {_describe(value)}")
    elif kind.name == "map":
        for key, item in value.items():
            yield from _check_value(kind.element or Kind("any"), item, f'{path}["{key}"]')
    elif SIGNATURE not in value:
        yield from check_object(kind.properties(), value, path)


def _check_list(kind: Kind, value: Any, path: str) -> Iterator[Failure]:
    if not isinstance(value, list):
        yield Failure(path, f"expected list, got {_describe(value)}")
        return
    for index, item in enumerate(value):
        yield from _check_value(kind.element or Kind("any"), item, f"{path}[{index}]")


def _describe(value: Any) -> str:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _check_documented(declared: Property, value: Any, path: str) -> Iterator[Failure]:
    if not declared.values or not isinstance(value, (str, list)):
        return
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, str) and item and item not in declared.values:
            yield Failure(path, expected_one_of(item, declared.values))


def expected_one_of(value: str, allowed: tuple[str, ...]) -> str:
    """The refusal of a value outside a closed list, with the nearest allowed one."""
    shown = [option for option in allowed if option]
    nearest = difflib.get_close_matches(value.upper(), shown, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"expected one of {shown}, got {value!r}{hint}"


def _check_facts(
    resource: ResourceType, facts: ResourceFacts, inputs: Mapping[str, Any]
) -> Iterator[Failure]:
    curated = {
        path: tuple(row["values"]) for path, row in load_table("values").get(resource.token, {}).items()
    }
    patterns = dict(facts.patterns)
    if _ACCESS_TYPE.search(resource.token):
        patterns |= dict.fromkeys(("member", "members"), load_table("iam")["member"])
    for where, path, value in walk(inputs):
        allowed = curated.get(path) or facts.values.get(path)
        if allowed and isinstance(value, str) and not _is_allowed(value, allowed, path in facts.any_case):
            yield Failure(where, expected_one_of(value, allowed))
        if path in facts.ranges:
            yield from _check_range(where, value, *facts.ranges[path])
        if path in patterns and isinstance(value, str) and not _matches(patterns[path], value):
            yield Failure(where, f"{value!r} doesn't match regexp {patterns[path]!r}")
    yield from _check_groups(facts, inputs)


def _is_allowed(value: str, allowed: tuple[str, ...], any_case: bool) -> bool:
    return value in allowed or (any_case and value.lower() in {option.lower() for option in allowed})


def _matches(pattern: str, value: str) -> bool:
    return re.search(pattern, value) is not None


def _check_range(where: str, value: Any, low: float | None, high: float | None) -> Iterator[Failure]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if (low is not None and value < low) or (high is not None and value > high):
        wanted = f"at least {low}" if high is None else f"in the range ({low} - {high})"
        yield Failure(where, f"expected {where} to be {wanted}, got {value}")


def _check_groups(facts: ResourceFacts, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    for group in facts.conflicts:
        present = [path for path in group if is_set(inputs, path)]
        if len(present) > 1:
            yield Failure(present[0], f"conflicts with {', '.join(present[1:])}")
    for group in facts.exactly_one:
        present = [path for path in group if is_set(inputs, path)]
        parent = group[0].rpartition(".")[0]
        if len(present) != 1 and (not parent or is_set(inputs, parent)):
            yield Failure(group[0], f"exactly one of {', '.join(group)} must be given, got {len(present)}")
    for path, needed in facts.requires:
        if is_set(inputs, path) and not is_set(inputs, needed):
            yield Failure(path, f"all of {path}, {needed} must be given together")


def is_set(inputs: Mapping[str, Any], path: str) -> bool:
    """Whether a dotted path through objects leads to a value; a list on the way counts as one."""
    value: Any = inputs
    for part in path.split("."):
        value = value.value if isinstance(value, Secret) else value
        if not isinstance(value, Mapping):
            return value is not None
        value = value.get(part)
    return value is not None and value != ""


def walk(value: Any, where: str = "", path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Each known scalar with its full path (indices included) and its path in the facts (without)."""
    value = value.value if isinstance(value, Secret) else value
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key != DEFAULTS_KEY:
                yield from walk(item, f"{where}.{key}" if where else key, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, f"{where}[{index}]", path)
    elif value is not UNKNOWN and value is not None:
        yield where, path, value
