"""YAML as Pulumi reads it: no surprises of YAML 1.1, no duplicate keys, no bombs."""

import re
from typing import Any

import yaml

_LARGEST_FILE = 16 * 2**20
_MOST_VALUES = 5_000_000
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """Text that is not the YAML it should be; the message never repeats the text."""


class _Loader(_Base):
    """libyaml's parser where there is one, with the scalars of YAML 1.2, which is what Pulumi reads."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]{0,18})", "-+0123456789"),
    (
        "float",
        r"[-+]?([0-9]{1,30}\.[0-9]{0,30}|[0-9]{1,30}(\.[0-9]{0,30})?[eE][-+]?[0-9]{1,3})",
        "-+0123456789",
    ),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool | None):
            raise YamlError(f"has a key that is no plain text, at line {key_node.start_mark.line + 1}")
        if key in mapping:
            named = f"the key {key}" if isinstance(key, str) and _PLAIN.fullmatch(key) else "the same key"
            raise YamlError(f"has {named} twice, at line {key_node.start_mark.line + 1}")
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def read_yaml(content: bytes) -> Any:
    """Return what `content` says. Raises YamlError for anything that is not one plain YAML document."""
    if len(content) > _LARGEST_FILE:
        raise YamlError(f"is larger than {_LARGEST_FILE // 2**20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise YamlError("is not text in UTF-8") from None
    try:
        # Derived from the safe loader: no tag of Python's is ever constructed.
        value = yaml.load(text, Loader=_Loader)  # noqa: S506
        _require_finite(value)
    except yaml.YAMLError as error:
        raise YamlError(f"is not valid YAML{_position(error)}") from None
    except RecursionError:
        raise YamlError("is nested too deeply") from None
    return value


def _position(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _require_finite(value: Any) -> None:
    if _expanded_size(value, {}) > _MOST_VALUES:
        raise YamlError("has aliases that expand to more than can be read")


def _expanded_size(value: Any, sizes: dict[int, int]) -> int:
    """Count the values with every alias written out, visiting each only once."""
    if not isinstance(value, dict | list):
        return 1
    known = sizes.get(id(value))
    if known == -1:
        raise YamlError("has an alias inside the value that it stands for")
    if known is None:
        sizes[id(value)] = -1
        children = value.values() if isinstance(value, dict) else value
        known = 1 + sum(_expanded_size(child, sizes) for child in children)
        sizes[id(value)] = known
    return known
