"""`headroom:pipelines`: who uses the pools, and how much of them."""

from collections.abc import Callable
from typing import Annotated, Literal, Union

from pydantic import Field, StringConstraints, model_validator

from headroom.spec.base import ModelName, PoolName, Section
from headroom.spec.quantities import CpuMillis, MemoryBytes, format_cpu, format_memory

Owner = Annotated[
    str,
    StringConstraints(pattern=r"^(group|user):[A-Za-z0-9._%+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$"),
    Field(examples=["group:ads-ml@acme.example"]),
]
"""Who answers for a pipeline, typed: `group:ml@acme.example` or `user:ada@acme.example`."""

Devices = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


def _require_order(guarantee: int, cap: int, render: Callable[[int], str]) -> None:
    if guarantee > cap:
        raise ValueError(f"guarantee is {render(guarantee)}, above cap, which is {render(cap)}")


class CpuLimit(Section):
    """Cores that are always there for the pipeline, and the most that it may use."""

    guarantee: CpuMillis
    cap: CpuMillis

    @model_validator(mode="after")
    def _ordered(self) -> "CpuLimit":
        _require_order(self.guarantee, self.cap, format_cpu)
        return self


class MemoryLimit(Section):
    """Memory that is always there for the pipeline, and the most that it may use."""

    guarantee: MemoryBytes
    cap: MemoryBytes

    @model_validator(mode="after")
    def _ordered(self) -> "MemoryLimit":
        _require_order(self.guarantee, self.cap, format_memory)
        return self


class DeviceLimit(Section):
    """Devices, as pods ask for them, that are always there for the pipeline, and the most it may use."""

    guarantee: Devices
    cap: Devices

    @model_validator(mode="after")
    def _ordered(self) -> "DeviceLimit":
        _require_order(self.guarantee, self.cap, str)
        return self


class Limits(Section):
    """A pipeline's limits on one pool. On accelerators cpu and memory default to the host's share."""

    cpu: CpuLimit | None = None
    memory: MemoryLimit | None = None
    gpus: DeviceLimit | None = None
    chips: DeviceLimit | None = None


class _Pipeline(Section):
    model: ModelName = Field(description="the model that the pipeline belongs to")
    owner: Owner
    limits: dict[PoolName, Limits] = Field(min_length=1, description="for each pool that it may use")


class DataPipeline(_Pipeline):
    """Prepares data: processors, with memory counted beside them."""

    kind: Literal["data"]


class TrainingPipeline(_Pipeline):
    """Trains the model."""

    kind: Literal["training"]


class ValidationPipeline(_Pipeline):
    """Judges a trained model before it is delivered."""

    kind: Literal["validation"]


class ServingPipeline(_Pipeline):
    """Answers requests with the model."""

    kind: Literal["serving"]


Pipeline = Annotated[
    Union[DataPipeline, TrainingPipeline, ValidationPipeline, ServingPipeline],  # noqa: UP007 - as in pools
    Field(discriminator="kind"),
]
