"""`headroom:quota`: what stays free for experiments, and how the project's own quota is treated."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from headroom.spec.base import Flag, Owner, PoolName, Section
from headroom.spec.quantities import CpuMillis, MemoryBytes

Share = Annotated[float, Field(strict=True, ge=0, le=0.9, allow_inf_nan=False)]


class Experiments(Section):
    """The headroom: a share of every pool that pipelines cannot take."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"share": 0.2}]})

    share: Share = Field(
        default=0.2, description="of every pool, from 0 to 0.9; rounded up to what can be scheduled"
    )
    pools: dict[PoolName, Share] = Field(
        default_factory=dict,
        description="a share of its own for a pool; 0 leaves the pool to the pipelines alone",
    )
    lend: Flag = Field(
        default=False,
        description="whether pipelines may use idle headroom until experiments take it back by eviction",
    )
    borrow: Flag = Field(
        default=True,
        description="whether experiments may use what pipelines leave idle, until it is reclaimed",
    )
    owners: tuple[Owner, ...] = Field(
        default=(), max_length=64, description="who may run experiments: group:ADDRESS or user:ADDRESS"
    )


class SystemPods(Section):
    """What GKE's own pods on every node ask for, in sum: agents for logs, metrics, network, disks, metadata.

    The logging agent asks for 105m and 230Mi, the metadata server for 100m and 100Mi, as seen on GKE 1.29
    (github.com/cryptnono/cryptnono/issues/34, 2024); the default leaves as much again for the rest.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"cpu": "500m", "memory": "1Gi"}]})

    cpu: Annotated[CpuMillis, Field(le=8_000)] = Field(
        default=500, description="processor time kept on every node, such as 500m"
    )
    memory: Annotated[MemoryBytes, Field(le=16 * 2**30)] = Field(
        default=2**30, description="memory kept on every node, such as 1Gi"
    )


class Requests(Section):
    """Asks Google Cloud for the quota that the plan draws and has not got."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"contact": "ada@acme.example"}]})

    contact: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9._%+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$"),
        Field(examples=["ada@acme.example"]),
    ] = Field(description="whom Google may ask about a request: a person's address, not a group's")
    justification: Annotated[str, StringConstraints(max_length=512)] = Field(
        default="", description="why, in a sentence; helps with large requests"
    )


class Quota(Section):
    """How the environment shares its pools, and the quota under them."""

    experiments: Experiments = Field(
        default=Experiments(), description="the headroom that stays free for experiments"
    )
    grants: Literal["required", "awaited"] = Field(
        default="required",
        description="required: promises above what is granted are refused; awaited: they are cut until it is",
    )
    system_pods: SystemPods = Field(
        default=SystemPods(), description="what GKE's own pods take of every node"
    )
    requests: Requests | None = Field(
        default=None, description="asks the cloud for the quota that is short; by default asks for nothing"
    )

    def share_of(self, pool: str) -> float:
        """Return the share of a pool that stays free for experiments."""
        return self.experiments.pools.get(pool, self.experiments.share)

    @model_validator(mode="after")
    def _some_share(self) -> "Quota":
        if self.experiments.share == 0 and not self.experiments.pools:
            raise ValueError("experiments.share is 0; give experiments a share, such as 0.2")
        return self
