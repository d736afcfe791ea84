"""Puts limits into the text of a stack file; every other character of it stays as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from headroom.spec.errors import Problem, StackFileError
from headroom.spec.yaml_reader import YamlError, read_yaml

NewLimits = Mapping[str, Mapping[str, tuple[str, str]]]
"""For each pool, for each resource: guarantee and cap in the notation of stack files."""

_KEYS = ("headroom:pipelines", "pipelines")


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str
    indent: int = 0


def put_limits(text: str, changes: Mapping[str, NewLimits], file: str) -> str:
    """Return the text of a stack file with new limits for some of its pipelines.

    What is there is replaced, what is not is added in the style of its surroundings. Raises StackFileError
    where the file writes them in a way that cannot be changed in place.
    """
    if not changes:
        return text
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pipelines = _find_pipelines(root, file)
    edits = []
    for name, limits in changes.items():
        pipeline = _child(pipelines, name)
        if not isinstance(pipeline, yaml.MappingNode):
            raise _elsewhere(f"headroom:pipelines.{name}", file)
        edits += _edit_limits(text, pipeline, limits)
    changed = _apply(text, edits)
    _require_just(text, changed, changes, file)
    return changed


def _find_pipelines(root: yaml.Node | None, file: str) -> yaml.MappingNode:
    config = _child(root, "config")
    for key in _KEYS:
        if isinstance(found := _child(config, key), yaml.MappingNode):
            return found
    raise _elsewhere("headroom:pipelines", file)


def _elsewhere(path: str, file: str) -> StackFileError:
    return StackFileError([Problem(path, "does not stand in this file; write its limits by hand")], file)


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _edit_limits(text: str, pipeline: yaml.MappingNode, limits: NewLimits) -> list[_Edit]:
    section = _child(pipeline, "limits")
    whole = _flow({pool: _resources(resources) for pool, resources in limits.items()})
    if not isinstance(section, yaml.MappingNode):
        return [_insert(text, pipeline, "limits", whole)]
    if not section.value:
        return [_Edit(_start(section), _end(section, text), whole)]
    edits = []
    for pool, resources in limits.items():
        held = _child(section, pool)
        if not isinstance(held, yaml.MappingNode):
            edits.append(_insert(text, section, pool, _flow(_resources(resources))))
            continue
        if not held.value:
            edits.append(_Edit(_start(held), _end(held, text), _flow(_resources(resources))))
            continue
        for resource, (guarantee, cap) in resources.items():
            edits += _edit_resource(text, held, resource, guarantee, cap)
    return edits


def _edit_resource(text: str, held: yaml.MappingNode, resource: str, guarantee: str, cap: str) -> list[_Edit]:
    limit = _child(held, resource)
    if not isinstance(limit, yaml.MappingNode):
        return [_insert(text, held, resource, _flow(_resources({resource: (guarantee, cap)})[resource]))]
    scalars = ((_child(limit, "guarantee"), guarantee), (_child(limit, "cap"), cap))
    return [
        _Edit(_start(node), _end(node, text), value)
        for node, value in scalars
        if node is not None and node.value != value
    ]


def _resources(resources: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {name: {"guarantee": guarantee, "cap": cap} for name, (guarantee, cap) in resources.items()}


def _flow(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return f"{{{', '.join(f'{key}: {_flow(child)}' for key, child in value.items())}}}"


def _insert(text: str, mapping: yaml.MappingNode, key: str, value: str) -> _Edit:
    """Add an entry at the end of a mapping: in braces after the last one, else on a line of its own."""
    if mapping.flow_style:
        at = _end(mapping.value[-1][1], text)
        return _Edit(at, at, f", {key}: {value}")
    last = _end(mapping.value[-1][1], text)
    line_end = text.find("\n", last)
    at = len(text) if line_end < 0 else line_end
    indent = " " * mapping.value[0][0].start_mark.column
    return _Edit(at, at, f"\n{indent}{key}: {value}", len(indent))


def _start(node: yaml.Node) -> int:
    return int(node.start_mark.index) if node.start_mark else 0


def _end(node: yaml.Node, text: str) -> int:
    """Return where a node's text ends: a mapping or list without braces ends with its last entry."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last, text)
    start, end = _start(node), int(node.end_mark.index) if node.end_mark else 0
    return start + len(text[start:end].rstrip())


def _apply(text: str, edits: list[_Edit]) -> str:
    """Apply edits from the last to the first; of lines added at one place the most indented come first."""
    numbered = sorted(enumerate(edits), key=lambda pair: (pair[1].start, -pair[1].indent, pair[0]))
    for _, edit in numbered[::-1]:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _require_just(text: str, changed: str, changes: Mapping[str, NewLimits], file: str) -> None:
    """Anchors and merged keys would change in other places too; then nothing is changed."""
    # As JSON, so that what is written once and used twice is there twice.
    expected = json.loads(json.dumps(read_yaml(text.encode())))
    config = expected["config"]
    pipelines = next(config[key] for key in _KEYS if isinstance(config.get(key), dict))
    for name, limits in changes.items():
        held = pipelines[name].setdefault("limits", {})
        for pool, resources in limits.items():
            for resource, (guarantee, cap) in resources.items():
                values = {"guarantee": read_yaml(guarantee.encode()), "cap": read_yaml(cap.encode())}
                held.setdefault(pool, {}).setdefault(resource, {}).update(values)
    try:
        if read_yaml(changed.encode()) == expected:
            return
    except YamlError:
        pass
    names = ", ".join(changes)
    problem = Problem(
        "headroom:pipelines", f"the limits of {names} cannot be changed in place; write them by hand"
    )
    raise StackFileError([problem], file)
