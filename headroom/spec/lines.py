"""Where the keys of a stack file stand: which line of it says what a problem is about."""

from collections.abc import Mapping

import yaml

from headroom.spec.errors import Problem
from headroom.spec.stack_file import NAMESPACE

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def find_lines(text: str) -> dict[str, int]:
    """Return the line, from 1, of every dotted key below `config:`; nothing for text that is no such file.

    What is an alias of another value is not followed: its key has a line, and those within it have none.
    """
    try:
        return _find_lines(yaml.compose(text, Loader=_LOADER))
    except (yaml.YAMLError, RecursionError):
        return {}


def _find_lines(root: yaml.Node | None) -> dict[str, int]:
    config = next((value for key, value in _pairs(root) if key.value == "config"), None)
    lines: dict[str, int] = {}
    seen: set[int] = {id(config)}
    for key, value in _pairs(config):
        if not isinstance(key, yaml.ScalarNode):
            continue
        name = key.value if ":" in key.value else f"{NAMESPACE}{key.value}"
        _collect(name, key, value, lines, seen)
    return lines


def locate(lines: Mapping[str, int], path: str) -> int | None:
    """Return the line of a dotted key, or of the nearest of those above it that the file has."""
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def point_to(problem: Problem, file: str, lines: Mapping[str, int]) -> str:
    """Return a problem as `file:line: key: message`, which editors follow; without a line if it has none."""
    line = locate(lines, problem.path)
    return f"{file}:{line}: {problem}" if line else f"{file}: {problem}"


def _collect(path: str, key: yaml.Node, value: yaml.Node, lines: dict[str, int], seen: set[int]) -> None:
    lines[path] = int(key.start_mark.line) + 1 if key.start_mark else 1
    if id(value) in seen:
        return
    seen.add(id(value))
    for child, held in _pairs(value):
        if isinstance(child, yaml.ScalarNode):
            _collect(f"{path}.{child.value}", child, held, lines, seen)
    if isinstance(value, yaml.SequenceNode):
        for number, item in enumerate(value.value):
            _collect(f"{path}[{number}]", item, item, lines, seen)


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []
