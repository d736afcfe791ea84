"""`headroom:prices`: what machines cost this project, where that is not the list price."""

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from headroom.spec.base import Section

Usd = Annotated[float, Field(strict=True, ge=0.0001, le=100_000, allow_inf_nan=False)]
"""USD an hour for one machine, with its accelerators and local SSDs."""


class MachinePrice(Section):
    """What one machine of a type costs; what is left out is not known, whatever the list price says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"hour": 1.23, "spot": 0.5}]})

    hour: Usd | None = Field(default=None, description="USD an hour on demand or reserved, such as 1.23")
    spot: Usd | None = Field(default=None, description="USD an hour as spot, such as 0.5")
    flex_start: Usd | None = Field(
        default=None, description="USD an hour as flex-start or queued; there is no list price of these"
    )

    @model_validator(mode="after")
    def _plausible(self) -> "MachinePrice":
        if self.hour is None and self.spot is None and self.flex_start is None:
            raise ValueError("states no price; write at least one of hour, spot and flex_start")
        if self.hour is not None and self.spot is not None and self.spot > self.hour:
            raise ValueError("spot is above hour; the two may be the wrong way round")
        return self
