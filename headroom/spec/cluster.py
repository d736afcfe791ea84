"""`headroom:cluster`: the cluster and the pool that its own services run on."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from headroom.spec import forms
from headroom.spec.base import PositiveCount, Range, Section
from headroom.spec.machines import MachineName, ZoneName
from headroom.spec.secrets import SecretReference

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Maintenance(Section):
    """When Google may upgrade the cluster. GKE wants at least 48 hours in any 32 days, in blocks of 4 or more
    (cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions, 2026-08)."""

    days: tuple[Day, ...] = Field(min_length=1, description="days of the week on which the window opens")
    start: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = Field(
        description="when the window opens, UTC", examples=["03:00"]
    )
    hours: Annotated[int, Field(strict=True, ge=4, le=24)] = Field(
        description="how long it stays open: 4 to 24 hours"
    )

    @field_validator("days", mode="after")
    @classmethod
    def _distinct(cls, days: tuple[Day, ...]) -> tuple[Day, ...]:
        if len(set(days)) != len(days):
            raise ValueError("names a day twice")
        return days


class SystemNodes(Range):
    """How many nodes the system pool has, over all zones; it is never empty."""

    min: PositiveCount = Field(description="the fewest, over all zones; at least 1")


class SystemPool(Section):
    """The pool for the cluster's own services: a stockout of accelerators stalls nothing that runs here."""

    machine: MachineName = Field(
        default="e2-standard-4", description="machine type; by default e2-standard-4"
    )
    nodes: SystemNodes = Field(
        default=SystemNodes(min=3, max=6), description="how many nodes, over all zones; by default 3 to 6"
    )


RegistryHost = Annotated[str, StringConstraints(pattern=forms.REGISTRY_HOST)]


class Cluster(Section):
    """The environment's one cluster."""

    zones: tuple[ZoneName, ...] = Field(
        min_length=1, max_length=6, description="zones of nodes that do not name their own"
    )
    release_channel: Literal["rapid", "regular", "stable", "extended"] = Field(
        default="regular", description="how early GKE's versions arrive; by default regular"
    )
    maintenance: Maintenance | None = Field(
        default=None, description="when Google may upgrade; required in production"
    )
    security_group: Annotated[str, StringConstraints(pattern=r"^gke-security-groups@[a-z0-9.-]+$")] | None = (
        Field(
            default=None,
            description="the group of groups that may be named in RBAC, if there is one",
            examples=["gke-security-groups@acme.example"],
        )
    )
    system_pool: SystemPool = Field(
        default=SystemPool(), description="the nodes that the cluster's own services run on"
    )
    private_registries: dict[RegistryHost, SecretReference] = Field(
        default_factory=dict,
        description="private image registries and the secret that holds the certificate of each",
    )
