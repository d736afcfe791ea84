"""Decides what changes between an object and a manifest, and whether it has to be replaced."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.manifests import (
    is_annotated,
    name_of,
    namespace_of,
    normalise,
    prune,
    with_metadata,
)
from sandbox.kubernetes.state import State
from sandbox.provider.wire import UNKNOWN

ADD: Final = "ADD"
DELETE: Final = "DELETE"
UPDATE: Final = "UPDATE"
_IDENTITY: Final = ("metadata.name", "metadata.namespace")
_ANY: Final = "*"
_FACTS: Final = Path(__file__).parent / "facts" / "immutable.yaml"
_STEP: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)')

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Change:
    """A property that changes: its path, how (`ADD`, `DELETE`, `UPDATE`), and whether that replaces."""

    path: str
    kind: str
    replaces: bool


@dataclass(frozen=True)
class Difference:
    """All that changes of one object."""

    changes: tuple[Change, ...] = ()
    delete_before_replace: bool = False

    @property
    def replaces(self) -> tuple[str, ...]:
        """The paths whose change replaces the object."""
        return tuple(change.path for change in self.changes if change.replaces)


@dataclass(frozen=True)
class Mutability:
    """What the provider is told to change in place."""

    config_maps: bool = False
    secrets: bool = False


def diff_object(
    kind: Kind | None,
    state: State,
    news: Mapping[str, Any],
    ignored: Sequence[str] = (),
    mutable: Mutability = Mutability(),
) -> Difference:
    """What an update from `state` to the inputs `news` changes.

    The live object, cut to the shape of the old inputs, is compared with the new ones. A kind that is not
    served (None) is taken to be in namespaces.
    """
    asked, wanted = normalise(state.inputs), normalise(news)
    live = prune(state.live, asked)
    is_namespaced = kind is None or kind.namespaced
    live, new = (_with_namespace(each, is_namespaced) for each in (live, wanted))
    if name_of(new):
        live = with_metadata(live, name=name_of(state.live))
    forced = _forced(news, mutable)
    found = tuple(
        _change(path, how, value, forced)
        for path, how, value in compare_values(live, new)
        if not _is_ignored(path, ignored)
    )
    same_place = name_of(new) == name_of(live) and namespace_of(new) == namespace_of(live)
    must_go_first = bool(name_of(new)) and same_place and not is_annotated(new, "autonamed")
    return Difference(found, must_go_first and any(change.replaces for change in found))


def _with_namespace(manifest: Mapping[str, Any], is_namespaced: bool) -> dict[str, Any]:
    return with_metadata(manifest, namespace=(namespace_of(manifest) or "default") if is_namespaced else None)


def compare_values(old: Any, new: Any, path: Steps = ()) -> Iterator[tuple[Steps, str, Any]]:
    """The path, the kind and the new value of each change; what is unknown is taken to change."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _compare_part(old, new, key, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _compare_part(dict(enumerate(old)), dict(enumerate(new)), index, (*path, index))
    elif new is UNKNOWN or old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield path, UPDATE, new


def _compare_part(
    old: Mapping[Any, Any], new: Mapping[Any, Any], key: str | int, path: Steps
) -> Iterator[tuple[Steps, str, Any]]:
    if key not in new:
        yield path, DELETE, None
    elif key not in old:
        yield path, ADD, new[key]
    else:
        yield from compare_values(old[key], new[key], path)


def _change(path: Steps, how: str, value: Any, forced: Sequence[Steps]) -> Change:
    replaces = any(_touches(path, value, pattern) for pattern in forced)
    return Change(format_path(path), how, replaces or (how == DELETE and path == ("metadata",)))


def _touches(path: Steps, value: Any, pattern: Steps) -> bool:
    """Whether a change at the path concerns the pattern: inside it, or of a whole that holds it."""
    common = min(len(path), len(pattern))
    if any(not _matches(step, wanted) for step, wanted in zip(path[:common], pattern[:common], strict=True)):
        return False
    return len(path) >= len(pattern) or _holds(value, pattern[common:])


def _matches(step: str | int, wanted: str | int) -> bool:
    return step == wanted or (wanted == _ANY and isinstance(step, int))


def _holds(value: Any, path: Steps) -> bool:
    if not path:
        return True
    if path[0] == _ANY:
        return isinstance(value, list) and any(_holds(item, path[1:]) for item in value)
    return isinstance(value, Mapping) and path[0] in value and _holds(value[path[0]], path[1:])


def _forced(manifest: Mapping[str, Any], mutable: Mutability) -> list[Steps]:
    """Paths of the fields of a manifest whose change replaces it."""
    kind, group = manifest.get("kind"), str(manifest.get("apiVersion")).rpartition("/")[0]
    is_in_place = (kind == "Secret" and mutable.secrets) or (kind == "ConfigMap" and mutable.config_maps)
    fields = load_immutable().get(f"{group}/{kind}", ())
    if is_in_place and not group and not manifest.get("immutable"):
        fields = ("type",) if kind == "Secret" else ()
    return [parse_path(each) for each in (*_IDENTITY, *fields)]


@cache
def load_immutable() -> Mapping[str, Sequence[str]]:
    """Fields whose change replaces, by `group/Kind`."""
    return yaml.safe_load(_FACTS.read_text(encoding="utf-8"))


def _is_ignored(path: Steps, ignored: Sequence[str]) -> bool:
    patterns = (parse_path(each) for each in ignored)
    return any(
        len(pattern) <= len(path)
        and all(step == wanted or wanted == _ANY for step, wanted in zip(path, pattern, strict=False))
        for pattern in patterns
    )


def parse_path(text: str) -> Steps:
    """The steps of a property path such as `spec.containers[0].env` or `metadata.labels["a.b"]`."""
    steps: list[str | int] = []
    for quoted, index, plain in _STEP.findall(text):
        steps.append(quoted or plain or (int(index) if index != _ANY else _ANY))
    return tuple(steps)


def format_path(path: Steps) -> str:
    """The text of a property path, as the engine writes it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.search(r'[."\[\]]', step):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text
