"""`headroom:pools`: groups of equal machines that pipelines share."""

import re
from typing import Annotated, Literal, Union

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from headroom.catalog.accelerators import FEWEST_CLIENTS, MOST_CLIENTS
from headroom.spec import forms
from headroom.spec.base import POOL_LABEL, Range, Section
from headroom.spec.machines import GpuName, MachineName, ZoneName
from headroom.spec.quantities import MemoryBytes


class SliceRange(Range):
    """How few and how many TPU slices; each is a node pool of its own, so they are few."""

    max: Annotated[int, Field(strict=True, ge=1, le=256)] = Field(description="the most: 1 to 256")


RunSeconds = Annotated[int, Field(strict=True, ge=600, le=604_800)]
"""Seconds a node may run: ten minutes to seven days, which is the longest that flex-start grants."""

ReservationName = Annotated[
    str, StringConstraints(pattern=forms.RESERVATION_NAME), Field(examples=["h100-block"])
]


class OnDemand(Section):
    """Machines that stay until they are given back."""

    kind: Literal["on-demand"] = Field(default="on-demand", description="there until given back; the default")


class Spot(Section):
    """Machines that Google may take back at any time."""

    kind: Literal["spot"] = Field(
        default="spot", description="cheaper; Google may take them back at any time"
    )


class FlexStart(Section):
    """Machines that come when there are some, and stay for a set time (Dynamic Workload Scheduler)."""

    kind: Literal["flex-start"] = Field(
        default="flex-start", description="come when there are some, for a set time"
    )
    max_run_seconds: RunSeconds = Field(
        default=604_800, description="seconds that a node may run: 600 to 604800 (seven days), the default"
    )


class Queued(Section):
    """Machines that come all at once for one request, which says for how long (queued provisioning)."""

    kind: Literal["queued"] = Field(default="queued", description="come all at once for one request")


class Reservation(Section):
    """Machines that were reserved beforehand."""

    kind: Literal["reservation"] = Field(default="reservation", description="were reserved beforehand")
    names: tuple[ReservationName, ...] = Field(
        min_length=1, description="names of reservations, tried in turn"
    )
    project: Annotated[str, StringConstraints(pattern=forms.PROJECT_ID)] | None = Field(
        default=None, description="the project that shares the reservations, if it is another one"
    )

    @field_validator("names", mode="after")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("names a reservation twice")
        return names


def _expand_kind(value: object) -> object:
    if value == "reservation":
        raise ValueError("a reservation is known by its name: write {kind: reservation, names: [...]}")
    return {"kind": value} if isinstance(value, str) else value


_Capacity = Annotated[
    Union[OnDemand, Spot, FlexStart, Queued, Reservation],  # noqa: UP007 - `|` cannot carry a discriminator
    Field(discriminator="kind"),
]
Capacity = Annotated[
    _Capacity,
    BeforeValidator(
        _expand_kind,
        json_schema_input_type=Literal["on-demand", "spot", "flex-start", "queued"] | _Capacity,
    ),
]
"""How machines are obtained: a kind by its name, or an object with the kind and its settings."""


class Sharing(Section):
    """Several containers on one GPU."""

    strategy: Literal["time-sharing", "mps"] = Field(
        description="time-sharing: in turns; mps: at the same time, each with a part"
    )
    clients: Annotated[int, Field(strict=True, ge=FEWEST_CLIENTS, le=MOST_CLIENTS)] = Field(
        description="containers for each GPU: 2 to 48"
    )


class Gpu(Section):
    """What is particular about a pool's GPUs."""

    type: GpuName | None = Field(default=None, description="the GPU to attach, on N1 machines only")
    count: Annotated[int, Field(strict=True, ge=1, le=16)] | None = Field(
        default=None, description="how many to attach to each node, on N1 machines only"
    )
    driver: Literal["default", "latest", "disabled"] = Field(
        default="default", description="which driver GKE installs; disabled: none; by default GKE's default"
    )
    partition: Annotated[str, StringConstraints(pattern=r"^[0-9]g\.[0-9]{1,3}gb$")] | None = Field(
        default=None, description="MIG partition into which each GPU is divided", examples=["1g.10gb"]
    )
    sharing: Sharing | None = Field(default=None, description="several containers on one GPU")


MOST_UPGRADED_AT_ONCE = 20
"""GKE's bound (cloud.google.com/kubernetes-engine/docs/concepts/node-pool-upgrade-strategies, 2026-08)."""


class Surge(Section):
    """Upgrade node by node."""

    strategy: Literal["surge"] = Field(default="surge", description="node by node")
    max_surge: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        default=1, description="extra nodes at a time; each draws quota; by default 1"
    )
    max_unavailable: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        default=0, description="nodes that may be missing at a time; by default 0"
    )

    @model_validator(mode="after")
    def _makes_progress(self) -> "Surge":
        if self.max_surge + self.max_unavailable == 0:
            raise ValueError("max_surge and max_unavailable are both 0: no node could ever be upgraded")
        if self.max_surge + self.max_unavailable > MOST_UPGRADED_AT_ONCE:
            raise ValueError(f"max_surge and max_unavailable together are above {MOST_UPGRADED_AT_ONCE}")
        return self


class BlueGreen(Section):
    """Upgrade by a second set of nodes beside the first: rolls back at once, draws twice the quota."""

    strategy: Literal["blue-green"] = Field(
        default="blue-green", description="a second set of nodes beside the first"
    )
    batch_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=25, description="per cent of the old nodes that are drained at a time; by default 25"
    )
    soak_seconds: Annotated[int, Field(strict=True, ge=0, le=604_800)] = Field(
        default=3_600, description="seconds until the old nodes are deleted; by default 3600"
    )


_Upgrade = Annotated[Union[Surge, BlueGreen], Field(discriminator="strategy")]  # noqa: UP007 - as above
Upgrade = Annotated[
    _Upgrade,
    BeforeValidator(
        lambda value: {"strategy": value} if isinstance(value, str) else value,
        json_schema_input_type=Literal["surge", "blue-green"] | _Upgrade,
    ),
]


def _require_own_label(key: str) -> str:
    prefix = key.rpartition("/")[0]
    if key == POOL_LABEL or re.search(r"(^|\.)(google\.com|kubernetes\.io|k8s\.io)$", prefix):
        raise ValueError("is a label that GKE or headroom sets itself; choose another")
    return key


NodeLabelKey = Annotated[
    str,
    StringConstraints(pattern=forms.NODE_LABEL_KEY),
    AfterValidator(_require_own_label),
]
NodeLabelValue = Annotated[
    str,
    StringConstraints(pattern=forms.NODE_LABEL_VALUE),
    Field(examples=["vision"]),
]
"""As Kubernetes has them."""


class BootDisk(Section):
    """The disk that a node starts from."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] | None = Field(
        default=None, description="disk type; by default the first that the machine accepts"
    )
    size: MemoryBytes = Field(
        default=100 * 2**30, description="whole Gi, from 10Gi to 65536Gi; by default 100Gi"
    )


class Pool(Section):
    """A group of equal machines; `headroom plan` shows what becomes of it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"machine": "n2-standard-16", "nodes": {"min": 0, "max": 4}}]}
    )

    machine: MachineName = Field(description="machine type, such as n2-standard-16")
    zones: tuple[ZoneName, ...] = Field(
        default=(),
        max_length=6,
        description="zones of the nodes; required for accelerators, by default the cluster's",
    )
    nodes: Range | None = Field(default=None, description="how many nodes, over all zones")
    slices: SliceRange | None = Field(default=None, description="how many multi-host TPU slices")
    topology: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(x[0-9]{1,3}){1,2}$")] | None = Field(
        default=None, description="chips of a TPU slice along each side", examples=["4x4"]
    )
    capacity: Capacity = Field(
        default=OnDemand(), description="how machines are obtained: a kind, or a kind with its settings"
    )
    gpu: Gpu | None = Field(default=None, description="what is particular about the pool's GPUs")
    placement: Literal["compact"] | None = Field(
        default=None, description="compact: close together, one zone"
    )
    local_ssd: Annotated[int, Field(strict=True, ge=1, le=32)] | None = Field(
        default=None, description="local SSDs for each node, on machines that bring none of their own"
    )
    boot_disk: BootDisk = Field(default=BootDisk(), description="the disk that each node starts from")
    upgrade: Upgrade | None = Field(
        default=None, description="by default blue-green for pools that serve, else node by node"
    )
    labels: dict[NodeLabelKey, NodeLabelValue] = Field(
        default_factory=dict, max_length=32, description="Kubernetes labels of your own on each node"
    )
