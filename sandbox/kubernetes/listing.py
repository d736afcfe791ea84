"""The record as somebody with `kubectl` would see and change it, behind Pulumi's back."""

import copy
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.kubernetes.store import FILE, RecordedObject, Store

# Under this name the API server knows what people change by `kubectl edit`.
EDITOR = "kubectl-edit"


class RecordError(Exception):
    """What was asked for cannot be done; the text says why."""


@dataclass(frozen=True)
class Listed:
    """An object or a Helm release of the record: its cluster, its type, its id and its content."""

    cluster: str
    type: str
    id: str
    content: dict[str, Any]


def list_objects(cloud: Path, cluster: str | None = None) -> list[Listed]:
    """What is recorded beside the imitated cloud in the file `cloud`, of one cluster if given."""
    if not cloud.with_name(FILE).is_file():
        return []
    with _open(cloud) as store:
        releases = [
            Listed(each.cluster, "helm.sh/v3/Release", f"{each.namespace}/{each.name}", each.content)
            for each in store.releases(cluster)
        ]
        objects = [
            Listed(each.cluster, f"{each.api_version}/{each.kind}", each.id, each.manifest)
            for each in store.objects(cluster)
        ]
    return releases + objects


def drift(cloud: Path, kind: str, identity: str, path: str, value: Any, manager: str = EDITOR) -> None:
    """Set a field of an object by hand; the path is dotted, and the field is `manager`'s from then on.

    Raises RecordError where there is no such object, or it is in several clusters.
    """
    with _open(cloud) as store, store.transaction():
        item = _require(store, kind, identity)
        manifest = copy.deepcopy(item.manifest)
        *parents, last = path.split(".")
        holder = manifest
        for part in parents:
            holder = holder.setdefault(part, {})
        holder[last] = value
        owners = {**item.foreign_fields, f".{path}": manager}
        store.put(replace(item, manifest=manifest, foreign_fields=owners))


def remove(cloud: Path, kind: str, identity: str) -> None:
    """Delete an object by hand; raises RecordError as `drift` does."""
    with _open(cloud) as store, store.transaction():
        store.remove(_require(store, kind, identity))


@contextmanager
def _open(cloud: Path) -> Generator[Store]:
    store = Store(cloud.with_name(FILE))
    try:
        yield store
    finally:
        store.close()


def _require(store: Store, kind: str, identity: str) -> RecordedObject:
    found = [item for item in store.objects(kind=kind) if item.id == identity]
    if len(found) == 1:
        return found[0]
    if found:
        raise RecordError(f"{kind} {identity} is in {len(found)} clusters")
    raise RecordError(f"there is no {kind} {identity} in the record")
