"""Checks a manifest against its kind's published schema, as strict field validation does."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from sandbox.kubernetes.kinds import Kind, load_kinds
from sandbox.kubernetes.names import check_metadata
from sandbox.kubernetes.quantities import parse_quantity
from sandbox.kubernetes.rules import check_rules
from sandbox.provider.wire import UNKNOWN

_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_OF_EVERY_KIND: Final = ("apiVersion", "kind", "metadata", "status")
QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_RANGES: Final = {"int32": 2**31, "int64": 2**63}
_BOUNDS: Final = (
    ("minLength", len, "Invalid value", "must have at least {} characters"),
    ("maxLength", len, "Too long", "must have at most {} characters"),
    ("minItems", len, "Invalid value", "must have at least {} items"),
    ("maxItems", len, "Too many", "must have at most {} items"),
    ("minProperties", len, "Invalid value", "must have at least {} properties"),
    ("maxProperties", len, "Too many", "must have at most {} properties"),
    ("minimum", lambda value: value, "Invalid value", "must be at least {}"),
    ("maximum", lambda value: value, "Invalid value", "must be at most {}"),
)
_SIZES: Final = {"Length": str, "Items": list, "Properties": dict, "imum": (int, float)}


@dataclass(frozen=True)
class Problem:
    """Something that the API server would refuse: where (a dotted path), and why, in its words."""

    path: str
    reason: str


def check_manifest(kind: Kind, manifest: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with a manifest; parts that are still unknown are taken to be right."""
    metadata = manifest.get("metadata", {})
    known = metadata if isinstance(metadata, Mapping) else {}
    found = [Problem(path, reason) for path, reason in check_metadata(kind, known)]
    # Every kind has the same metadata, whatever the schema of a custom resource says of them.
    found += _check(load_kinds()["v1", "Namespace"], {"$ref": _METADATA}, metadata, "metadata")
    rest = {key: value for key, value in manifest.items() if key not in _OF_EVERY_KIND}
    return found + list(_check_object(kind, kind.schema, rest, ""))


def resolve(kind: Kind, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with its reference followed."""
    return kind.definitions[schema["$ref"]] if "$ref" in schema else schema


def _check(kind: Kind, schema: Mapping[str, Any], value: Any, path: str) -> Iterator[Problem]:
    if value is UNKNOWN or not schema:
        return
    if schema.get("$ref") == QUANTITY:
        if parse_quantity(value) is None:
            yield Problem(
                path, f"Invalid value: {_show(value)}: quantities must match the notation 500m, 4, 16Gi"
            )
        return
    schema = resolve(kind, schema)
    if value is None:
        if not schema.get("nullable") and "type" in schema and kind.origin != "kubernetes":
            yield Problem(path, f"Invalid value: null: must be of type {schema['type']}")
    elif not _is_of_type(schema, value):
        yield Problem(path, f"Invalid value: {_show(value)}: must be of type {_type_of(schema)}")
    else:
        yield from _check_value(schema, value, path)
        if isinstance(value, dict):
            yield from _check_object(kind, schema, value, path)
        elif isinstance(value, list):
            yield from _check_list(kind, schema, value, path)


def _is_int_or_string(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-int-or-string")) or schema.get("format") == "int-or-string"


def _type_of(schema: Mapping[str, Any]) -> str:
    return "integer or string" if _is_int_or_string(schema) else schema["type"]


def _is_of_type(schema: Mapping[str, Any], value: Any) -> bool:
    if _is_int_or_string(schema):
        return isinstance(value, int | str) and not isinstance(value, bool)
    wanted = schema.get("type")
    if wanted is None:
        return True
    return isinstance(value, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))


def _check_value(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[Problem]:
    """Enumerations, patterns, formats and bounds of one value."""
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        names = ", ".join(_show(each) for each in allowed)
        yield Problem(path, f"Unsupported value: {_show(value)}: supported values: {names}")
    pattern = schema.get("pattern")
    if pattern and isinstance(value, str) and not _compile(pattern).search(value):
        yield Problem(path, f"Invalid value: {_show(value)}: should match '{pattern}'")
    limit = _RANGES.get(schema.get("format", ""))
    if limit and isinstance(value, int) and not -limit <= value < limit:
        yield Problem(path, f"Invalid value: {value}: does not fit in {schema['format']}")
    for name, measure, label, text in _BOUNDS:
        bound = schema.get(name)
        if bound is not None and isinstance(value, _SIZES[name[3:]]):
            size = measure(value)
            if size < bound if name.startswith("min") else size > bound:
                yield Problem(path, f"{label}: {_show(value)}: {text.format(bound)}")


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    """A pattern of the API server's dialect, in which the end of the text is also written as in Go."""
    return re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)


def _check_object(
    kind: Kind, schema: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[Problem]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value and (path or name not in _OF_EVERY_KIND):
            yield Problem(_join(path, name), "Required value")
    rest = schema.get("additionalProperties")
    is_open = rest is True or schema.get("x-kubernetes-preserve-unknown-fields") or not (properties or rest)
    for name, item in value.items():
        if name in properties:
            yield from _check(kind, properties[name], item, _join(path, name))
        elif isinstance(rest, dict):
            yield from _check(kind, rest, item, _join(path, name))
        elif not is_open:
            yield Problem(_join(path, name), f"unknown field{_nearest(name, properties)}")
    yield from (Problem(path, reason) for reason in check_rules(schema, value))


def _nearest(name: str, properties: Mapping[str, Any]) -> str:
    found = get_close_matches(name, properties, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _check_list(kind: Kind, schema: Mapping[str, Any], value: list[Any], path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    keys = schema.get("x-kubernetes-list-map-keys")
    is_unique = schema.get("x-kubernetes-list-type") in ("set", "map")
    for number, item in enumerate(value):
        here = f"{path}[{number}]"
        yield from _check(kind, schema.get("items", {}), item, here)
        if is_unique and item is not UNKNOWN:
            mark = _show({key: item.get(key) for key in keys} if keys and isinstance(item, dict) else item)
            if mark in seen and "UNKNOWN" not in mark:
                yield Problem(here, f"Duplicate value: {mark}")
            seen.add(mark)


def _join(path: str, name: str) -> str:
    if re.search(r'[."\[\]]', name):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _show(value: Any) -> str:
    """A value in a message; one of more than 60 characters is cut."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
