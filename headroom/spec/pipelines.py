"""`headroom:pipelines`: who uses the pools, and how much of them."""

from collections.abc import Callable
from typing import Annotated, Literal, Union

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from headroom.spec.base import ModelName, Owner, PoolName, Section
from headroom.spec.delivery import PipelineDelivery
from headroom.spec.demand import BatchDemand, ServingDemand
from headroom.spec.quantities import CpuMillis, MemoryBytes, format_cpu, format_memory

Devices = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


def _require_some(cap: int) -> int:
    if cap == 0:
        raise ValueError("must be at least 1; where it should use none, remove the pool from limits")
    return cap


DeviceCap = Annotated[
    int,
    Field(strict=True, ge=0, le=1_000_000),
    AfterValidator(_require_some),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 1_000_000}),
]


def _require_order(guarantee: int, cap: int, render: Callable[[int], str]) -> None:
    if guarantee > cap:
        raise ValueError(f"guarantee is {render(guarantee)}, above cap, which is {render(cap)}")


class CpuLimit(Section):
    """Cores that are always there for the pipeline, and the most that it may use."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"guarantee": 8, "cap": 16}]})

    guarantee: CpuMillis = Field(description="cores that are always there, such as 8 or 500m")
    cap: CpuMillis = Field(description="the most cores that it may use, such as 16")

    @model_validator(mode="after")
    def _ordered(self) -> "CpuLimit":
        _require_order(self.guarantee, self.cap, format_cpu)
        return self


class MemoryLimit(Section):
    """Memory that is always there for the pipeline, and the most that it may use."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"guarantee": "32Gi", "cap": "64Gi"}]})

    guarantee: MemoryBytes = Field(description="memory that is always there, such as 32Gi")
    cap: MemoryBytes = Field(description="the most memory that it may use, such as 64Gi")

    @model_validator(mode="after")
    def _ordered(self) -> "MemoryLimit":
        _require_order(self.guarantee, self.cap, format_memory)
        return self


class DeviceLimit(Section):
    """Devices, as pods ask for them, that are always there for the pipeline, and the most it may use."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"guarantee": 4, "cap": 8}]})

    guarantee: Devices = Field(description="devices that are always there, as pods ask for them")
    cap: DeviceCap = Field(description="the most devices that it may use, as pods ask for them")

    @model_validator(mode="after")
    def _ordered(self) -> "DeviceLimit":
        _require_order(self.guarantee, self.cap, str)
        return self


class Limits(Section):
    """A pipeline's limits on one pool. On accelerators cpu and memory default to the host's share."""

    cpu: CpuLimit | None = Field(
        default=None, description="cores; on accelerators by default the host's share of the devices"
    )
    memory: MemoryLimit | None = Field(
        default=None, description="memory; on accelerators by default the host's share of the devices"
    )
    gpus: DeviceLimit | None = Field(
        default=None, description="GPUs, or parts of them, as pods ask for them; required on pools of GPUs"
    )
    chips: DeviceLimit | None = Field(default=None, description="TPU chips; required on pools of TPUs")


PRIMITIVE_ROLES = ("roles/owner", "roles/editor", "roles/viewer")


class Access(Section):
    """A role that the pipeline's pods have in Google Cloud: on a bucket, on a dataset, or on the project."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"role": "roles/storage.objectUser", "bucket": "acme-feed"}]}
    )

    role: Annotated[
        str, StringConstraints(pattern=r"^(projects/[a-z0-9-]+/|organizations/[0-9]+/)?roles/[A-Za-z0-9_.]+$")
    ] = Field(description="the role, such as roles/storage.objectViewer", examples=["roles/bigquery.jobUser"])
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")] | None = Field(
        default=None, description="the bucket that it is for"
    )
    dataset: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,1024}$")] | None = Field(
        default=None, description="the BigQuery dataset that it is for"
    )

    @model_validator(mode="after")
    def _narrow(self) -> "Access":
        if self.role in PRIMITIVE_ROLES:
            raise ValueError(f"role is {self.role}, which is too wide for a pipeline; name what it needs")
        if self.bucket and self.dataset:
            raise ValueError("names a bucket and a dataset; write two entries")
        return self


class _Pipeline(Section):
    model: ModelName = Field(description="the model that the pipeline belongs to")
    owner: Owner = Field(description="who answers for it: group:ADDRESS or user:ADDRESS")
    admission: Literal["open", "held", "draining"] = Field(
        default="open",
        description="open; held: nothing new starts; draining: what runs is ended too, as before a removal",
    )
    access: tuple[Access, ...] = Field(
        default=(), max_length=32, description="what its pods may do in Google Cloud; by default nothing"
    )
    limits: dict[PoolName, Limits] = Field(
        default_factory=dict,
        description="for each pool that it may use; by default what is estimated from the demand",
    )
    demand: BatchDemand | ServingDemand | None

    @property
    def pools(self) -> frozenset[str]:
        """The pools that it may use."""
        return frozenset(self.limits) | ({self.demand.pool} if self.demand else set())

    @model_validator(mode="after")
    def _bounded(self) -> "_Pipeline":
        if not self.limits and self.demand is None:
            raise ValueError("needs limits, or a demand from which they are estimated, or both")
        return self


class _BatchPipeline(_Pipeline):
    demand: BatchDemand | None = Field(
        default=None, description="the runs that it is to do, from which its limits are estimated or checked"
    )


class DataPipeline(_BatchPipeline):
    """Prepares data: processors, with memory counted beside them."""

    kind: Literal["data"] = Field(description="prepares data, on processors only")


class TrainingPipeline(_BatchPipeline):
    """Trains the model."""

    kind: Literal["training"] = Field(description="trains the model")


class ValidationPipeline(_BatchPipeline):
    """Judges a trained model before it is delivered."""

    kind: Literal["validation"] = Field(description="judges a trained model")


class ServingPipeline(_Pipeline):
    """Answers requests with the model."""

    kind: Literal["serving"] = Field(description="answers requests with the model")
    demand: ServingDemand | None = Field(
        default=None, description="the requests that it is to answer, from which its limits are estimated"
    )
    delivery: PipelineDelivery | None = Field(
        default=None, description="how new models reach its users; by default nothing delivers them"
    )


Pipeline = Annotated[
    Union[DataPipeline, TrainingPipeline, ValidationPipeline, ServingPipeline],  # noqa: UP007 - as in pools
    Field(discriminator="kind"),
]
