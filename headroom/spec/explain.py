"""Turns pydantic's errors into problems that a person can act on, with the JSON Schema as the guide."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from headroom.spec.errors import Problem, did_you_mean, join_path, suggest, trace_path
from headroom.spec.secrets import Encrypted

_TEXTS = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "ip_v4_network": "must be an IPv4 range such as 10.0.0.0/20, without host bits",
    "union_tag_not_found": "must say its kind",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "too_short": ("min_length", "needs at least {}"),
    "too_long": ("max_length", "may have at most {}"),
    "string_too_long": ("max_length", "may have at most {} characters"),
    "string_too_short": ("min_length", "needs at least {} characters"),
}


def explain(error: ValidationError, data: Mapping[str, Any], schema: dict[str, Any]) -> list[Problem]:
    """Return a problem for each error of pydantic's, none of which repeats a value of `data`."""
    details = error.errors(include_url=False)
    return [
        Problem(join_path(trace_path(detail["loc"], data)), _explain_one(detail, schema))
        for detail in details
    ]


def _explain_one(detail: ErrorDetails, schema: dict[str, Any]) -> str:
    kind, given, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    if isinstance(given, Encrypted):
        return "is encrypted, but headroom must read it and it is no secret; set it without --secret"
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return "is no key of this section" + suggest(detail["loc"][-1], _keys_at(schema, detail["loc"][:-1]))
    if kind in ("literal_error", "union_tag_invalid"):
        return _explain_choice(given, context)
    if kind == "string_pattern_mismatch":
        return _explain_pattern(schema, detail["loc"])
    if kind == "union_tag_not_found":
        return f"must say its {str(context.get('discriminator', 'kind')).strip(chr(39))}"
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return text.format(context.get(name))
    return _TEXTS.get(kind, "has a value of the wrong kind")


def _explain_choice(given: object, context: Mapping[str, Any]) -> str:
    valid = re.findall(r"'([^']+)'", str(context.get("expected") or context.get("expected_tags", "")))
    tag = str(context.get("discriminator", "")).strip("'")
    chosen = given.get(tag) if tag and isinstance(given, Mapping) else given
    return f"must be one of {', '.join(valid)}" + did_you_mean(chosen, valid)


def _explain_pattern(schema: dict[str, Any], location: tuple[int | str, ...]) -> str:
    if location and location[-1] == "[key]":
        return "is no valid name: lower-case letters, digits and hyphens, a letter first, and not too long"
    examples = [text for node in _nodes_at(schema, location) for text in node.get("examples", ())]
    return f"must look like {examples[0]}" if examples else "has a form that is not allowed here"


def _keys_at(schema: dict[str, Any], location: tuple[int | str, ...]) -> set[str]:
    return {key for node in _nodes_at(schema, location) for key in node.get("properties", ())}


def _nodes_at(schema: dict[str, Any], location: tuple[int | str, ...]) -> list[dict[str, Any]]:
    nodes = list(_variants(schema, schema))
    for part in location:
        nodes = [found for node in nodes for found in _step(schema, node, part)]
    return nodes


def _step(schema: dict[str, Any], node: dict[str, Any], part: int | str) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        yield from _variants(schema, node.get("items") or {})
    elif part in node.get("properties", {}):
        yield from _variants(schema, node["properties"][part])
    elif _is_tag(node, part):
        yield node
    else:
        for child in (*node.get("patternProperties", {}).values(), node.get("additionalProperties")):
            if isinstance(child, dict):
                yield from _variants(schema, child)


def _is_tag(node: dict[str, Any], part: int | str) -> bool:
    return any(child.get("const") == part for child in node.get("properties", {}).values())


def _variants(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _variants(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[1]])
    elif alternatives := [*node.get("anyOf", ()), *node.get("oneOf", ())]:
        for alternative in alternatives:
            yield from _variants(schema, alternative)
    else:
        yield node
