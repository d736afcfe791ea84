"""What admins do by hand in a project, with gcloud or the console, before and besides Pulumi."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from sandbox.google.services import SERVICE
from sandbox.google.store import LIVE, Store, WorldObject

BUCKET: Final = "gcp:storage/bucket:Bucket"

_KNOB: Final = "admin/"
_LONG_AGO: Final = 0.0


@dataclass(frozen=True)
class ProjectSettings:
    """A project as its admins have set it up; the defaults are those of one that is new and billed."""

    exists: bool = True
    active: bool = True
    billed: bool = True
    parent: str = "organizations/123456789012"
    denied_permissions: tuple[str, ...] = ()
    """What the caller may not do; everything else is allowed."""
    policies: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Effective rules of organization policies, by constraint, as the API has them."""
    withheld_machines: tuple[str, ...] = ()
    """`zone/type` that the project cannot have; the type is a machine's or an accelerator's."""
    zones_down: tuple[str, ...] = ()
    reservations: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """By `zone/name`: `machine`, `count` and `status`."""
    groups: tuple[str, ...] = ()
    unlisted_quotas: tuple[str, ...] = ()
    """Quota ids that the Cloud Quotas API does not list."""


def load_settings(store: Store, project: str) -> ProjectSettings:
    """The settings of a project; the defaults where nobody changed them."""
    text = store.knob(_KNOB + project)
    if text is None:
        return ProjectSettings()
    values: dict[str, Any] = json.loads(text)
    for name, value in values.items():
        values[name] = tuple(value) if isinstance(value, list) else value
    return ProjectSettings(**values)


def change_settings(store: Store, project: str, **changes: Any) -> ProjectSettings:
    """Change some of a project's settings, named as the fields of `ProjectSettings`."""
    with store.transaction():
        changed = replace(load_settings(store, project), **changes)
        store.turn(_KNOB + project, json.dumps(asdict(changed)))
    return changed


def enable_apis(store: Store, project: str, apis: Iterable[str]) -> None:
    """Enable APIs as `gcloud services enable` does, so long ago that all of Google knows."""
    for api in apis:
        _put(store, SERVICE, f"{project}/{api}", project, {"project": project, "service": api})


def disable_api(store: Store, project: str, api: str) -> None:
    """Disable an API; nothing happens if it is not enabled."""
    with store.transaction():
        store.remove(SERVICE, f"{project}/{api}")


def make_bucket(store: Store, project: str, name: str, **properties: Any) -> None:
    """Make a bucket as it should be for Pulumi's state, but for `properties`."""
    usual = {
        "name": name,
        "project": project,
        "versioning": {"enabled": True},
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
    }
    _put(store, BUCKET, name, project, usual | properties)


def _put(store: Store, token: str, identity: str, project: str, properties: dict[str, Any]) -> None:
    with store.transaction():
        number = store.next_number("objects")
        store.put(WorldObject(token, identity, project, LIVE, number, _LONG_AGO, _LONG_AGO, properties))
