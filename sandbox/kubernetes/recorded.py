"""A cluster without a cluster: objects checked against the published schemas, and recorded."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kubernetes.cluster import Application, Manifest, Place
from sandbox.kubernetes.errors import already_exists, conflict, invalid, not_found
from sandbox.kubernetes.kinds import Kind, find_kind, load_kinds, read_definition
from sandbox.kubernetes.manifests import fill_defaults, normalise, rewrite_quantities
from sandbox.kubernetes.ownership import list_leaves
from sandbox.kubernetes.rules import find_frozen_changes
from sandbox.kubernetes.store import RecordedObject, Store
from sandbox.kubernetes.validation import Problem, check_manifest

_FACTS: Final = Path(__file__).parent / "facts" / "cluster.yaml"
# How long a second of waiting is for programs in the sandbox.
RETRY_SCALE_VARIABLE: Final = "HEADROOM_RETRY_SCALE"
NAMESPACE: Final = load_kinds()["v1", "Namespace"]
_DEFINITION: Final = "CustomResourceDefinition"


@dataclass(frozen=True)
class Identity:
    """Which cluster is meant, and what it has from the beginning.

    `key` tells its objects from those of others; `origins` are the published kinds that it serves besides the
    built-in ones; `namespaces` exist without having been made.
    """

    key: str
    origins: frozenset[str] = field(default_factory=frozenset)
    namespaces: frozenset[str] = field(default_factory=lambda: frozenset(load_facts()["namespaces"]["names"]))


@cache
def load_facts() -> Mapping[str, Any]:
    """What clusters have from the beginning, from `facts/cluster.yaml`."""
    return yaml.safe_load(_FACTS.read_text(encoding="utf-8"))


class RecordedCluster:
    """One cluster of a store. Nobody makes its objects ready, so nothing is waited for."""

    has_controllers = False

    def __init__(self, store: Store, identity: Identity) -> None:
        self.store = store
        self.identity = identity

    @property
    def retry_scale(self) -> float:
        """As the program's own retries have it."""
        return float(os.environ.get(RETRY_SCALE_VARIABLE) or 1)

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        """The kind: built in, of the cluster's own, of a Helm release, or of a definition that was made."""
        kind = find_kind(api_version, name)
        if kind and (kind.is_built_in or kind.origin in self.identity.origins | self._released()):
            return kind
        return self._find_defined(api_version, name)

    def _released(self) -> frozenset[str]:
        brought = load_facts()["charts"]
        charts = (release.content["status"]["chart"] for release in self.store.releases(self.identity.key))
        return frozenset(brought[chart] for chart in charts if chart in brought)

    def _find_defined(self, api_version: str, name: str) -> Kind | None:
        for definition in self.store.objects(self.identity.key, _DEFINITION):
            for kind in read_definition(definition.manifest):
                if (kind.api_version, kind.name) == (api_version, name):
                    return kind
        return None

    def read(self, place: Place) -> Manifest:
        """The object as it is."""
        return self._require(place).manifest

    def _find(self, place: Place) -> RecordedObject | None:
        kind = place.kind
        found = self.store.find(self.identity.key, kind.api_version, kind.name, place.namespace, place.name)
        if found is None and kind == NAMESPACE and place.name in self.identity.namespaces:
            return self._give(place)
        return found

    def _give(self, place: Place) -> RecordedObject:
        """A namespace that is there without having been made."""
        metadata = {
            "name": place.name,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.identity.key}/{place.name}")),
            "resourceVersion": "0",
            "generation": 0,
        }
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        return replace(self._make(place), manifest={**manifest, "status": {"phase": "Active"}})

    def _require(self, place: Place) -> RecordedObject:
        item = self._find(place)
        if item is None:
            raise not_found(place.kind, place.name)
        return item

    def create(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """Check and record a new object."""
        with self.store.transaction():
            self._require_namespace(place)
            if self._find(place) is not None:
                raise already_exists(place.kind, place.name)
            return self._keep(place.kind, self._make(place), manifest, how)

    def _make(self, place: Place) -> RecordedObject:
        metadata = {
            "name": place.name,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generation": 0,
        }
        kind, empty = place.kind, {"metadata": metadata}
        key = self.identity.key
        return RecordedObject(key, kind.api_version, kind.name, place.namespace, place.name, empty)

    def apply(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """Make the object, or merge the manifest into it; what others set by hand is theirs."""
        with self.store.transaction():
            self._require_namespace(place)
            item = self._find(place) or self._make(place)
            fields = dict(list_leaves(normalise(manifest)))
            owners = _find_owners(item, fields)
            if owners and not how.force:
                raise conflict(owners, place.kind.api_version)
            kept = {path: manager for path, manager in item.foreign_fields.items() if path not in fields}
            return self._keep(place.kind, replace(item, foreign_fields=kept), manifest, how)

    def replace(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """Put the manifest in the place of the object."""
        with self.store.transaction():
            return self._keep(place.kind, self._require(place), manifest, how)

    def adopt(self, place: Place, live: Manifest, manager: str) -> Manifest:  # noqa: ARG002 (of `Cluster`)
        """The record knows one manager, so there is nothing to hand over."""
        return live

    def _require_namespace(self, place: Place) -> None:
        if place.namespace:
            self._require(Place(NAMESPACE, "", place.namespace))

    def _keep(self, kind: Kind, item: RecordedObject, manifest: Manifest, how: Application) -> Manifest:
        """Check the manifest, merge it into the object, and record that unless it is on trial."""
        problems = check_manifest(kind, manifest)
        if problems:
            raise invalid(kind, item.name, problems)
        wanted = normalise(manifest)
        merged = _merge(item.manifest, item.applied, wanted)
        frozen = find_frozen_changes(kind.schema, item.manifest, merged, "")
        if item.applied and (changed := [Problem(*each) for each in frozen]):
            raise invalid(kind, item.name, changed)
        changed_spec = _without_metadata(merged) != _without_metadata(item.manifest)
        live = self._complete(kind, merged, item.manifest["metadata"], is_changed=changed_spec)
        if not how.dry_run:
            self.store.put(replace(item, manifest=live, applied=wanted))
        return live

    def _complete(
        self, kind: Kind, manifest: dict[str, Any], old: Mapping[str, Any], *, is_changed: bool
    ) -> dict[str, Any]:
        """The object with what the API server and its controllers add."""
        filled = manifest if kind.is_built_in else fill_defaults(kind.schema, manifest)
        if kind.name in load_facts()["rewritten"].get(kind.group, ()):
            filled = rewrite_quantities(kind.schema, filled)
        metadata = {
            **filled["metadata"],
            "generation": old["generation"] + is_changed,
            "resourceVersion": str(self.store.next_number("versions")),
        }
        return {**filled, "metadata": metadata, **_status(kind, filled)}

    def delete(self, place: Place, propagation: str) -> None:  # noqa: ARG002 (of `Cluster`)
        """Forget the object, with what goes with it: a namespace's objects, a definition's."""
        with self.store.transaction():
            item = self._require(place)
            if place.kind == NAMESPACE:
                self.store.remove_namespace(self.identity.key, place.name)
            if place.kind.name == _DEFINITION:
                self._remove_defined(item.manifest)
            self.store.remove(item)

    def _remove_defined(self, definition: Manifest) -> None:
        for kind in read_definition(definition):
            for child in self.store.objects(self.identity.key, kind.name):
                if child.api_version == kind.api_version:
                    self.store.remove(child)


def _find_owners(item: RecordedObject, fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Fields of an apply that others set to something else, by manager."""
    live = dict(list_leaves(item.manifest))
    owners: dict[str, list[str]] = {}
    for path, manager in sorted(item.foreign_fields.items()):
        if path in fields and fields[path] != live.get(path):
            owners.setdefault(manager, []).append(path)
    return owners


def _merge(live: Any, applied: Any, wanted: Any) -> Any:
    """What server-side apply makes of a live value, what was applied last, and what is wanted now."""
    if not (isinstance(live, Mapping) and isinstance(wanted, Mapping)):
        return wanted
    applied = applied if isinstance(applied, Mapping) else {}
    kept = {key: value for key, value in live.items() if key in wanted or key not in applied}
    merged = {
        key: _merge(kept[key], applied.get(key), value) if key in kept else value
        for key, value in wanted.items()
    }
    return {**kept, **merged}


def _without_metadata(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in ("metadata", "status")}


def _status(kind: Kind, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The status of the few kinds whose controllers have nothing to do but to agree."""
    if kind.name == "Namespace":
        return {"status": {"phase": "Active"}}
    if kind.name == "ResourceQuota":
        hard = manifest.get("spec", {}).get("hard", {})
        return {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
    if kind.name == _DEFINITION:
        return {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    return {}
