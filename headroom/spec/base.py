"""What every section of a stack file has in common: strict, frozen, silent about what it was given."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from headroom.spec import forms


class Section(BaseModel):
    """A part of a stack file: unknown keys are refused, values never change, errors never show the input."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=1024, validate_default=False
    )


Count = Annotated[int, Field(strict=True, ge=0, le=15_000)]
"""A number of nodes: GKE allows 15,000 in a cluster (cloud.google.com/kubernetes-engine/quotas, 2026-08)."""

PositiveCount = Annotated[int, Field(strict=True, ge=1, le=15_000)]

Flag = Annotated[bool, Field(strict=True)]

PoolName = Annotated[str, StringConstraints(pattern=forms.POOL_NAME), Field(examples=["h100"])]
"""Short enough that hash and slice number fit into the 40 characters of a node pool's name."""

PipelineName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["feed-training"])]

BaselineName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["clicks-training"])]

ModelName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["feed"])]

Owner = Annotated[
    str,
    StringConstraints(pattern=r"^(group|user):[A-Za-z0-9._%+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$"),
    Field(examples=["group:ads-ml@acme.example", "user:ada@acme.example"]),
]
"""Who answers for something, typed: `group:ml@acme.example` or `user:ada@acme.example`."""

LabelKey = Annotated[str, StringConstraints(pattern=forms.LABEL_KEY), Field(examples=["cost-center"])]

LabelValue = Annotated[str, StringConstraints(pattern=forms.LABEL_VALUE), Field(examples=["ml-platform"])]


class Range(Section):
    """How few and how many; `max` is the total over all zones."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"min": 0, "max": 4}]})

    min: Count = Field(
        default=0, description="the fewest, over all zones, even when nothing runs; by default 0"
    )
    max: PositiveCount = Field(description="the most, over all zones; quota must allow for it")

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.min > self.max:
            raise ValueError(f"min is {self.min}, above max, which is {self.max}")
        return self


POOL_LABEL = "headroom/pool"
"""The Kubernetes label by which queues find a pool's nodes, whatever the node pools are called."""
