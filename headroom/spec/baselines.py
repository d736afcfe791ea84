"""`headroom:baselines`: what pipelines of other projects were measured to take.

They stand in `baselines.yaml` beside the stack files, which share them; a stack may have some of its own.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from headroom.catalog.accelerators import accelerator_names, find_accelerator
from headroom.spec.base import BaselineName, Section
from headroom.spec.demand import Runs, Size, Some
from headroom.spec.errors import did_you_mean
from headroom.spec.quantities import CpuMillis, MemoryBytes


def _known_accelerator(name: str) -> str:
    if find_accelerator(name) is None:
        raise ValueError("is no accelerator that headroom knows" + did_you_mean(name, accelerator_names()))
    return name


def _require_day(value: object) -> object:
    if not isinstance(value, str | date):
        raise ValueError("must be a day such as 2026-06-30")
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("must be a day such as 2026-06-30") from None


Day = Annotated[date, BeforeValidator(_require_day, json_schema_input_type=str)]
Sentence = Annotated[str, StringConstraints(min_length=3, max_length=300)]


class Baseline(Section):
    """What the runs of a pipeline were measured to take, in the mean."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "training", "measured": "2026-06-30", "runs_per_day": 2, "hours": 6}]
        }
    )

    kind: Literal["data", "training", "validation"] = Field(description="what the pipeline does")
    measured: Day = Field(description="the last day that was measured, such as 2026-06-30")
    by: Sentence = Field(description="who measured it")
    source: Sentence = Field(description="from what it was measured, and over how long")
    accelerator: (
        Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_accelerator)] | None
    ) = Field(
        default=None, description="the GPU or TPU that it ran on, as nodes are labelled; by default none"
    )
    runs_per_day: Runs = Field(description="runs a day")
    hours: Annotated[float, Field(strict=True, ge=0.001, le=8_760, allow_inf_nan=False)] = Field(
        description="how long a run took"
    )
    devices: Some | None = Field(
        default=None, description="GPUs or chips that a run had; required with an accelerator"
    )
    cpu: Annotated[CpuMillis, Field(ge=1)] | None = Field(
        default=None, description="cores that a run had; required without an accelerator"
    )
    memory: Annotated[MemoryBytes, Field(ge=2**20)] | None = Field(
        default=None, description="memory that a run had; required without an accelerator"
    )
    size: Size | None = Field(default=None, description="how large a run was, in a unit of your choice")
    unit: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = Field(
        default=None, description="the unit of size, such as GB or million examples"
    )

    @model_validator(mode="after")
    def _complete(self) -> "Baseline":
        if self.accelerator and self.devices is None:
            raise ValueError("names an accelerator and no devices; say how many a run had")
        if not self.accelerator and self.devices is not None:
            raise ValueError("counts devices and names no accelerator; name it")
        if not self.accelerator and (self.cpu is None or self.memory is None):
            raise ValueError("needs cpu and memory, or an accelerator and devices")
        if (self.size is None) != (self.unit is None):
            raise ValueError("size and unit go together; give both or none")
        return self


class Baselines(Section):
    """All baselines of a project, by name."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=False)

    baselines: dict[BaselineName, Baseline] = Field(
        default_factory=dict, alias="headroom:baselines", description="what similar projects took, by name"
    )
