"""What becomes of a resource that is deleted, and of its name."""

import re
from dataclasses import dataclass
from typing import Final

from sandbox.google.errors import RefusedError, already_exists
from sandbox.google.facts import load_table
from sandbox.google.store import LEFT_OVER, LIVE, SOFT_DELETED, WorldObject

CLUSTER: Final = "gcp:container/cluster:Cluster"
SERVICE: Final = "gcp:projects/service:Service"
_DAY_S: Final = 86400
_ACCESS: Final = re.compile(r"(IAM|Iam)(Member|Binding|Policy)$")
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
        return Lifecycle(adopts=bool(_ACCESS.search(token)))
    adopts, revives = row.get("create") == "adopt", row.get("revive", False)
    return Lifecycle(adopts, revives, row.get("delete", "forget"), row.get("days", 0))


def require_free(existing: WorldObject | None, moment: float) -> None:
    """Raise what `already_exists` gives if the name is taken, be it by something that was deleted."""
    if existing is None:
        return
    lifecycle = load_lifecycle(existing.type)
    is_over = existing.status == SOFT_DELETED and moment - existing.changed > lifecycle.days * _DAY_S
    if not (is_over or (lifecycle.adopts if existing.status == LIVE else lifecycle.revives)):
        raise already_exists(existing.type, existing.id)


def require_unprotected(item: WorldObject) -> None:
    """Raise `RefusedError` with the provider's words if a property of the object forbids its deletion."""
    if item.type == CLUSTER and item.properties.get("deletionProtection") is not False:
        raise RefusedError(_PROTECTED)
    if item.properties.get("deletionPolicy") == "PREVENT":
        name = item.type.split(":")[2]
        raise RefusedError(
            f'cannot destroy {name} without setting deletion_policy="DELETE" and running `pulumi up`'
        )


def status_after_deletion(item: WorldObject) -> str | None:
    """The status that a deleted object has from then on; None: it is gone."""
    is_abandoned = item.properties.get("deletionPolicy") == "ABANDON"
    stays_enabled = item.type == SERVICE and item.properties.get("disableOnDestroy") is not True
    if is_abandoned or stays_enabled:
        return LIVE
    return {"nothing": LIVE, "keep": LEFT_OVER, "soft": SOFT_DELETED}.get(load_lifecycle(item.type).delete)
