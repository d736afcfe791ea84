"""`headroom:audit`: from where on an audit speaks of what it sees."""

from typing import Annotated

from pydantic import ConfigDict, Field

from headroom.spec.base import Section

Part = Annotated[float, Field(strict=True, gt=0, le=1)]
Hours = Annotated[int, Field(strict=True, ge=1, le=24 * 90)]
Days = Annotated[int, Field(strict=True, ge=1, le=90)]


class AuditThresholds(Section):
    """Thresholds of `headroom audit`. Use is judged by its peak over the window, never by one moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"forecast_hours": 168}]})

    window_days: Days = Field(default=14, description="how many days of use are judged")
    forecast_hours: Hours = Field(
        default=72, description="a limit that is reached within so many hours is a finding"
    )
    near_limit: Part = Field(
        default=0.8, description="the part of a cloud quota from which its use is a finding"
    )
    at_cap: Part = Field(default=0.95, description="the part of a cap from which a pipeline is at it")
    idle: Part = Field(
        default=0.1,
        description="a guarantee, or headroom, of which never more than this part was used is idle",
    )
    surplus: Part = Field(
        default=0.5,
        description="the part of a granted quota that no pool can use from which that is a finding",
    )
    headroom_eaten: Part = Field(
        default=0.9, description="the part of the headroom from which experiments have used it up"
    )
    least_days: Days = Field(
        default=3, description="of fewer days of use nobody is said to leave anything idle"
    )
