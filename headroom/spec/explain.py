"""Turns pydantic's errors into problems that a person can act on, with the JSON Schema as the guide."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from headroom.spec.errors import Problem, did_you_mean, join_path, suggest, trace_path
from headroom.spec.forms import MEANINGS
from headroom.spec.secrets import Encrypted

_TEXTS = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "ip_v4_network": "must be an IPv4 range such as 10.0.0.0/20, without host bits",
    "union_tag_not_found": "must say its kind",
}
_QUOTED = re.compile(r"^[*&!|>%@`#]|[,\[\]{}]|: ")
"""What YAML would take for something other than text."""

_MAPPINGS = ("dict_type", "model_type", "model_attributes_type")
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
        Problem(join_path(_locate(detail, data)), _explain_one(detail, schema))
        for detail in details
        if not (detail["type"] == "too_short" and _is_above(detail["loc"], details))
    ]


def _is_above(location: tuple[int | str, ...], details: list[ErrorDetails]) -> bool:
    """Whether an entry of the list at `location` has a mistake itself, so that it only seems too short."""
    return any(len(one["loc"]) > len(location) and one["loc"][: len(location)] == location for one in details)


def _locate(detail: ErrorDetails, data: Mapping[str, Any]) -> list[str | int]:
    """Return the keys that lead to the mistake: where the tag of a union is wrong, to the tag."""
    keys = trace_path(detail["loc"], data)
    if detail["type"] == "union_tag_invalid" and isinstance(_at(keys, data), Mapping):
        return [*keys, _tag(detail)]
    if detail["type"] == "value_error" and _is_tag_of(keys, data):
        return keys[:-1]
    return keys


def _at(keys: list[str | int], data: Any) -> Any:
    for key in keys:
        data = data[key]
    return data


def _is_tag_of(keys: list[str | int], data: Any) -> bool:
    """Whether the last key is none of the file's: pydantic names the tag of a union beside its place."""
    return bool(keys) and isinstance(parent := _at(keys[:-1], data), Mapping) and keys[-1] not in parent


def _tag(detail: ErrorDetails) -> str:
    return str(detail.get("ctx", {}).get("discriminator", "kind")).strip("'")


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
        return _explain_pattern(schema, detail["loc"], str(context.get("pattern")))
    if kind == "union_tag_not_found":
        return f"must say its {_tag(detail)}"
    if kind in _MAPPINGS:
        return _explain_mapping(schema, detail["loc"])
    if kind == "tuple_type":
        return "must be a list" + _show_list(schema, detail["loc"])
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return text.format(context.get(name))
    return _TEXTS.get(kind, "has a value of the wrong kind")


def _explain_choice(given: object, context: Mapping[str, Any]) -> str:
    valid = re.findall(r"'([^']+)'", str(context.get("expected") or context.get("expected_tags", "")))
    tag = str(context.get("discriminator", "")).strip("'")
    chosen = given.get(tag) if tag and isinstance(given, Mapping) else given
    return f"must be one of {', '.join(valid)}" + did_you_mean(chosen, valid)


def _explain_pattern(schema: dict[str, Any], location: tuple[int | str, ...], pattern: str) -> str:
    meaning = MEANINGS.get(pattern, "")
    if location and location[-1] == "[key]":
        return f"is no valid name: {meaning}" if meaning else "is no valid name"
    examples = [text for node in _nodes_at(schema, location) for text in node.get("examples", ())]
    texts = [f"must look like {' or '.join(examples)}"] if examples else []
    return ": ".join([*texts, meaning] if meaning else texts) or "has a form that is not allowed here"


def _explain_mapping(schema: dict[str, Any], location: tuple[int | str, ...]) -> str:
    nodes = _nodes_at(schema, location)
    for node in nodes:
        if examples := node.get("examples"):
            return f"must be a mapping, such as {_show(schema, node, examples[0])}"
    if names := [name for node in nodes for name in node.get("enum", ())]:
        return f"must be one of {', '.join(names)}, or a mapping with a kind and its settings"
    keys = [key for node in nodes for key in node.get("properties", ())]
    return "must be a mapping " + (
        f"with keys such as {', '.join(keys[:4])}" if keys else "of keys to values"
    )


def _show_list(schema: dict[str, Any], location: tuple[int | str, ...]) -> str:
    items = _nodes_at(schema, (*location, 0))
    examples = [text for node in items for text in (*node.get("examples", ()), *node.get("enum", ()))]
    return f" such as [{examples[0]}]" if examples else ""


def _show(schema: dict[str, Any], node: dict[str, Any], example: Any) -> str:
    """Return an example of the schema as YAML on one line, its keys in the order of the section."""
    if not isinstance(example, Mapping):
        return f'"{example}"' if isinstance(example, str) and _QUOTED.search(example) else str(example)
    shown = (
        f"{key}: {_show(schema, next(_variants(schema, option)), example[key])}"
        for key, option in node["properties"].items()
        if key in example
    )
    return f"{{{', '.join(shown)}}}"


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
