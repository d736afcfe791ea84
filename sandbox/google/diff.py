"""What changed between two sets of inputs, and whether Google can change it in place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.google.check import DEFAULTS_KEY, find_naming
from sandbox.google.facts import ResourceFacts, load_table
from sandbox.google.schema import ResourceType
from sandbox.provider.wire import UNKNOWN, reveal

ADD: Final = "ADD"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"


@dataclass(frozen=True)
class Change:
    """One changed property: its full path, ADD, UPDATE or DELETE, and whether it forces a replacement."""

    path: str
    kind: str
    replaces: bool = False


@dataclass(frozen=True)
class Difference:
    """All changes of a resource, and whether the old one has to go before the new one comes."""

    changes: tuple[Change, ...] = ()
    delete_before_replace: bool = False

    @property
    def replaces(self) -> tuple[str, ...]:
        """The paths that force a replacement."""
        return tuple(change.path for change in self.changes if change.replaces)


@dataclass(frozen=True)
class _Place:
    """Where a comparison stands: the path with indices, and the one the facts use."""

    where: str
    path: str

    def key(self, name: str) -> "_Place":
        plain = name.isidentifier()
        where = (f"{self.where}.{name}" if self.where else name) if plain else f'{self.where}["{name}"]'
        return _Place(where, f"{self.path}.{name}" if self.path else name)

    def index(self, number: int) -> "_Place":
        return _Place(f"{self.where}[{number}]", self.path)


def diff_inputs(
    resource: ResourceType, facts: ResourceFacts, olds: Mapping[str, Any], news: Mapping[str, Any]
) -> Difference:
    """The difference between old and new inputs, as the official provider's plan would have it.

    Absent values equal the provider's defaults, a removed input that Google computes is no change, sets have
    no order, and an unknown value is a change. Source of deleteBeforeReplace: nameRequiresDeleteBeforeReplace
    in pulumi-terraform-bridge 3.137.0: a name that was given rather than made, changed or not.
    """
    old, new = _without_marks(olds), _without_marks(news)
    changes = tuple(_compare_objects(facts, old, new, _Place("", "")))
    replaced = any(change.replaces for change in changes)
    return Difference(changes, replaced and _deletes_first(resource, news))


def _without_marks(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reveal(dict(inputs)).items() if key != DEFAULTS_KEY}


def _deletes_first(resource: ResourceType, news: Mapping[str, Any]) -> bool:
    if resource.token in load_table("naming")["deleteBeforeReplace"]:
        return True
    naming = find_naming(resource)
    return bool(naming and naming.property in news and naming.property not in news.get(DEFAULTS_KEY, ()))


def _compare_objects(
    facts: ResourceFacts, old: Mapping[str, Any], new: Mapping[str, Any], place: _Place
) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        here = place.key(name)
        fallback = facts.defaults.get(here.path)
        before, after = old.get(name), new.get(name)
        if after is None and here.path in facts.computed:
            continue
        old_value, new_value = fallback if before is None else before, fallback if after is None else after
        if _is_same(old_value, new_value):
            continue
        if _is_same(before, after):  # an absent value against an empty one, where the default is neither
            yield _change(facts, old_value, new_value, here)
        else:
            yield from _compare(facts, before, after, here)


def _compare(facts: ResourceFacts, old: Any, new: Any, place: _Place) -> Iterator[Change]:
    if _is_same(old, new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _compare_objects(facts, old, new, place)
    elif isinstance(old, list) and isinstance(new, list):
        compare = _compare_sets if place.path in facts.unordered else _compare_lists
        yield from compare(facts, old, new, place)
    else:
        yield _change(facts, old, new, place)


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) is not isinstance(new, bool):
        return _is_empty(old) and _is_empty(new)
    return old == new or (_is_empty(old) and _is_empty(new))


def _is_empty(value: Any) -> bool:
    """Whether the provider takes the value for an absent one: its schema has no null, only zero values."""
    return value is None or (not isinstance(value, bool) and value in ("", [], {})) or value is False


def _change(facts: ResourceFacts, old: Any, new: Any, place: _Place) -> Change:
    kind = ADD if _is_absent(old) else DELETE if _is_absent(new) else UPDATE
    return Change(place.where, kind, _forces(facts, old, new, place.path))


def _is_absent(value: Any) -> bool:
    return value is None or (not isinstance(value, bool) and value in ([], {}))


def _forces(facts: ResourceFacts, old: Any, new: Any, path: str) -> bool:
    """Whether a whole value that comes, goes or changes kind contains something immutable."""
    if path in facts.immutable or _owner(path, facts):
        return True
    return any(_holds_immutable(facts, value, path) for value in (old, new))


def _owner(path: str, facts: ResourceFacts) -> bool:
    """Maps such as `metadata` are immutable key by key."""
    parent = path.rpartition(".")[0]
    return (
        bool(parent)
        and parent in facts.immutable
        and not any(other.startswith(parent + ".") for other in facts.immutable)
    )


def _holds_immutable(facts: ResourceFacts, value: Any, path: str) -> bool:
    if isinstance(value, Mapping):
        return any(
            item is not None
            and (f"{path}.{key}" in facts.immutable or _holds_immutable(facts, item, f"{path}.{key}"))
            for key, item in value.items()
        )
    return isinstance(value, list) and any(_holds_immutable(facts, item, path) for item in value)


def _compare_lists(facts: ResourceFacts, old: list[Any], new: list[Any], place: _Place) -> Iterator[Change]:
    for number in range(max(len(old), len(new))):
        before = old[number] if number < len(old) else None
        after = new[number] if number < len(new) else None
        yield from _compare(facts, before, after, place.index(number))


def _compare_sets(facts: ResourceFacts, old: list[Any], new: list[Any], place: _Place) -> Iterator[Change]:
    before, after = ([_canonical(facts, item, place.path) for item in items] for items in (old, new))
    for number, item in enumerate(old):
        if before[number] not in after:
            yield _change(facts, item, None, place.index(number))
    for number, item in enumerate(new):
        if after[number] not in before:
            yield _change(facts, None, item, place.index(number))


def _canonical(facts: ResourceFacts, value: Any, path: str) -> str:
    """A set's element in a form in which equal elements are equal texts."""
    return json.dumps(_normal(facts, value, path), sort_keys=True, default=lambda _: f"unknown {id(UNKNOWN)}")


def _normal(facts: ResourceFacts, value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        given = {
            key: _normal(facts, item, f"{path}.{key}") for key, item in value.items() if not _is_empty(item)
        }
        prefix = path + "."
        rest = {
            name.removeprefix(prefix): fallback
            for name, fallback in facts.defaults.items()
            if name.startswith(prefix) and "." not in name.removeprefix(prefix) and not _is_empty(fallback)
        }
        return rest | given
    if isinstance(value, list):
        items = [_normal(facts, item, path) for item in value]
        return sorted(items, key=str) if path in facts.unordered else items
    return value


def diff_labels(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[Change, ...]:
    """The change of `pulumiLabels`, which moves when the provider's default labels do."""
    if old is None or new is None or old == new:
        return ()
    return (Change("pulumiLabels", UPDATE),)
