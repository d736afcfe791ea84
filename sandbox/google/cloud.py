"""What Google Cloud does with a request: creates, reads, changes and deletes, or refuses."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.google.check import DEFAULTS_KEY
from sandbox.google.errors import RefusedError, already_exists, not_found
from sandbox.google.facts import ResourceFacts, load_facts, load_table
from sandbox.google.outputs import Birth, Settings, complete, overlay
from sandbox.google.schema import ResourceType, load_resource_type
from sandbox.google.store import LEFT_OVER, LIVE, SOFT_DELETED, Store, WorldObject
from sandbox.google.wire import reveal

_DAY_S: Final = 86400
_PROTECTED: Final = (
    "Cannot destroy cluster because deletion_protection is set to true. "
    "Set it to false to proceed with cluster deletion."
)


@dataclass(frozen=True)
class Lifecycle:
    """What a type does besides plain creation and deletion; see facts/lifecycle.yaml."""

    adopts: bool = False
    revives: bool = False
    delete: str = "forget"
    days: int = 0


def load_lifecycle(token: str) -> Lifecycle:
    """The lifecycle of a type; bindings of access adopt what exists, as the IAM policy they edit does."""
    row = load_table("lifecycle").get(token)
    if row is None:
        return Lifecycle(
            adopts=token.endswith(("IAMMember", "IamMember", "IAMBinding", "IamBinding", "Policy"))
        )
    return Lifecycle(
        row.get("create") == "adopt",
        row.get("revive", False),
        row.get("delete", "forget"),
        row.get("days", 0),
    )


class Cloud:
    """The imitation's behaviour over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(self, token: str, inputs: Mapping[str, Any], settings: Settings) -> WorldObject:
        """Make a resource from fully known inputs.

        Raises `ApiError` where Google would refuse, 409 if the name is taken, be it by something deleted.
        """
        resource, facts = load_resource_type(token), load_facts(token)
        plain = reveal(dict(inputs))
        with self.store.transaction():
            birth = Birth(self.store.next_number("objects"), time.time())
            identity, properties = complete(resource, facts, plain, settings, birth)
            self._require_free(token, identity)
            item = WorldObject(
                token,
                identity,
                str(properties.get("project") or settings.project),
                LIVE,
                birth.sequence,
                birth.moment,
                birth.moment,
                properties,
            )
            self.store.put(item)
        return item

    def _require_free(self, token: str, identity: str) -> None:
        existing = self.store.find(token, identity)
        if existing is None:
            return
        lifecycle = load_lifecycle(token)
        is_over = existing.status == SOFT_DELETED and time.time() - existing.changed > lifecycle.days * _DAY_S
        if is_over or (lifecycle.adopts if existing.status == LIVE else lifecycle.revives):
            return
        raise already_exists(identity)

    def read(self, token: str, identity: str) -> WorldObject | None:
        """The live resource of this id, or None; a compute link or a full resource name serves as the id too."""
        short = identity.removeprefix("https://www.googleapis.com/compute/v1/")
        item = self.store.find(token, short) or self.store.find(token, identity)
        return item if item and item.status == LIVE else None

    def update(
        self,
        token: str,
        identity: str,
        old_inputs: Mapping[str, Any],
        inputs: Mapping[str, Any],
        settings: Settings,
    ) -> WorldObject:
        """Change a live resource in place. Raises `ApiError` 404 if it is gone."""
        resource, facts = load_resource_type(token), load_facts(token)
        old, new = reveal(dict(old_inputs)), reveal(dict(inputs))
        with self.store.transaction():
            item = self.read(token, identity)
            if item is None:
                raise not_found(identity)
            birth = Birth(item.sequence, item.created)
            _, made = complete(resource, facts, new, settings, birth)
            changed = replace(item, properties=overlay(resource, facts, item.properties, old, made, new))
            self.store.put(changed)
        return changed

    def delete(self, token: str, identity: str) -> None:
        """Delete a resource as far as it can be; one that is gone already is deleted well.

        Raises `RefusedError` where the resource is protected.
        """
        with self.store.transaction():
            item = self.read(token, identity)
            if item is None:
                return
            require_unprotected(item)
            lifecycle = load_lifecycle(token)
            if (
                item.properties.get("deletionPolicy") == "ABANDON"
                or item.properties.get("disableOnDestroy") is False
            ):
                return
            status = {"keep": LEFT_OVER, "soft": SOFT_DELETED}.get(lifecycle.delete)
            if status:
                self.store.put(replace(item, status=status))
            else:
                self.store.remove(token, item.id)


def require_unprotected(item: WorldObject) -> None:
    """Raise `RefusedError` with the provider's words if a property of the object forbids its deletion."""
    if (
        item.type == "gcp:container/cluster:Cluster"
        and item.properties.get("deletionProtection") is not False
    ):
        raise RefusedError(_PROTECTED)
    if item.properties.get("deletionPolicy") == "PREVENT":
        name = item.type.split(":")[2]
        raise RefusedError(
            f'cannot destroy {name} without setting deletion_policy="DELETE" and running `pulumi up`'
        )


def project_inputs(
    resource: ResourceType, facts: ResourceFacts, old_inputs: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs that would give the live state: of the old ones what they are now, of the rest what somebody set.

    Without old inputs (an import) all that can be given and is set.
    """
    if not old_inputs:
        found = {name: state[name] for name in resource.inputs if not _is_unset(facts, name, state.get(name))}
        return {**found, DEFAULTS_KEY: []}
    result = {
        name: value if name == DEFAULTS_KEY else _project(value, state.get(name))
        for name, value in old_inputs.items()
    }
    for name in resource.inputs:
        is_foreign = name not in old_inputs and name not in facts.computed and facts.is_row
        if is_foreign and not _is_unset(facts, name, state.get(name)):
            result[name] = state[name]
    return {name: value for name, value in result.items() if value is not None}


def _is_unset(facts: ResourceFacts, name: str, value: Any) -> bool:
    return value is None or value in ("", [], {}) or value == facts.defaults.get(name)


def _project(old: Any, live: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(live, Mapping):
        return {
            key: _project(value, live.get(key)) for key, value in old.items() if live.get(key) is not None
        }
    if isinstance(old, list) and isinstance(live, list) and len(old) == len(live):
        return [_project(before, after) for before, after in zip(old, live, strict=True)]
    return live
