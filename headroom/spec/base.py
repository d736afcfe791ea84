"""What every section of a stack file has in common: strict, frozen, silent about what it was given."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Section(BaseModel):
    """A part of a stack file: unknown keys are refused, values never change, errors never show the input."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=1024, validate_default=False
    )


Count = Annotated[int, Field(strict=True, ge=0, le=15_000)]
"""A number of nodes: GKE allows 15,000 in a cluster (cloud.google.com/kubernetes-engine/quotas, 2026-08)."""

PositiveCount = Annotated[int, Field(strict=True, ge=1, le=15_000)]

Flag = Annotated[bool, Field(strict=True)]

PoolName = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,26}[a-z0-9])?$"), Field(examples=["h100"])
]
"""Short enough that hash and slice number fit into the 40 characters of a node pool's name."""

PipelineName = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"), Field(examples=["feed-training"])
]

ModelName = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"), Field(examples=["feed"])
]

LabelKey = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$"), Field(examples=["cost-center"])
]

LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$"), Field(examples=["ml-platform"])]


class Range(Section):
    """How few and how many; `max` is the total over all zones."""

    min: Count = 0
    max: PositiveCount

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.min > self.max:
            raise ValueError(f"min is {self.min}, above max, which is {self.max}")
        return self


POOL_LABEL = "headroom/pool"
"""The Kubernetes label by which queues find a pool's nodes, whatever the node pools are called."""
