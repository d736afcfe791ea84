"""Who owns which fields of an object, as `metadata.managedFields` tells it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sandbox.kubernetes.differences import parse_path

# Managers whose fields the provider takes over before it applies: its own from before, and kubectl's.
# Source: fixCSAFieldManagers in pulumi-kubernetes provider/pkg/await/await.go, read 2026-11-21.
_PREDECESSORS: Final = frozenset(
    {
        ("kubectl", "Apply"),
        ("kubectl", "Update"),
        ("before-first-apply", "Update"),
        ("pulumi-kubernetes", "Update"),
        ("pulumi-kubernetes.exe", "Update"),
        ("pulumi-resource-kubernetes", "Update"),
    }
)
# The manager of what was created; the first update hands its fields to the resource's own.
CREATOR: Final = "pulumi-kubernetes"


def adopt_fields(managed: Sequence[Mapping[str, Any]], manager: str) -> list[dict[str, Any]] | None:
    """Managed fields in which `manager` owns what predecessors owned; None if there is nothing to do."""
    taken = [entry for entry in managed if _is_predecessor(entry)]
    if not taken:
        return None
    kept = [dict(entry) for entry in managed if not _is_predecessor(entry)]
    own = next((entry for entry in kept if _is_own(entry, manager)), {})
    others = [entry for entry in kept if entry is not own]
    fields: dict[str, Any] = {}
    for entry in (own, *taken):
        fields = _merge(fields, dict(entry.get("fieldsV1") or {}))
    return [*others, {**taken[0], **own, "manager": manager, "operation": "Apply", "fieldsV1": fields}]


def has_creator(managed: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a client-side manager of the provider still owns fields."""
    return any(_is_predecessor(entry) and "pulumi" in entry["manager"] for entry in managed)


def _is_predecessor(entry: Mapping[str, Any]) -> bool:
    return (entry.get("manager"), entry.get("operation")) in _PREDECESSORS and not entry.get("subresource")


def _is_own(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply"


def _merge(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _merge(merged[key], value) if key in merged else value
    return merged


def list_leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The paths (`.spec.replicas`) and values of everything in a manifest that is no object."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from list_leaves(item, f"{path}.{key}")
    else:
        yield path, value


def keep_ignored(
    manifest: Mapping[str, Any], live: Mapping[str, Any], ignored: Sequence[str], manager: str
) -> dict[str, Any]:
    """The manifest as it is applied when changes of some properties are ignored.

    What others own is left to them; what nobody else owns stays as it is on the server.
    """
    kept = dict(manifest)
    managed = live["metadata"].get("managedFields", [])
    for text in ignored:
        path = [str(step) for step in parse_path(text)]
        found, value = _find(live, path)
        if found and _is_owned_by_others(managed, path, manager):
            kept = _without(kept, path)
        elif found:
            kept = _with(kept, path, value)
    return kept


def _find(value: Any, path: Sequence[str]) -> tuple[bool, Any]:
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return False, None
        value = value[step]
    return True, value


def _without(value: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    first, *rest = path
    if not rest:
        return {key: item for key, item in value.items() if key != first}
    inner = value.get(first)
    return {**value, first: _without(inner, rest)} if isinstance(inner, Mapping) else dict(value)


def _with(value: Mapping[str, Any], path: Sequence[str], wanted: Any) -> dict[str, Any]:
    first, *rest = path
    inner = value.get(first)
    inner = inner if isinstance(inner, Mapping) else {}
    return {**value, first: _with(inner, rest, wanted) if rest else wanted}


def _is_owned_by_others(managed: Sequence[Mapping[str, Any]], path: Sequence[str], manager: str) -> bool:
    """Whether other managers own the field at a path of keys, and `manager` does not."""
    owners = {entry.get("manager") for entry in managed if _holds(entry.get("fieldsV1", {}), path)}
    return bool(owners) and manager not in owners


def _holds(fields: Mapping[str, Any], path: Sequence[str]) -> bool:
    for key in path:
        if f"f:{key}" not in fields:
            return False
        fields = fields[f"f:{key}"]
    return True
