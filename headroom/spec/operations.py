"""`headroom:operations`: what the platform runs for itself in the cluster, beside the pipelines."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, model_validator

from headroom.spec.base import Section
from headroom.spec.delivery import Digest
from headroom.spec.schedules import Schedule

Days = Annotated[int, Field(strict=True, ge=30, le=3_650)]


class ScheduledAudit(Section):
    """`headroom audit`, run by the cluster."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"schedule": "23 5 * * *"}]})

    schedule: Schedule = Field(default="23 5 * * *", description="when, as five fields of cron, in UTC")
    keep_days: Days = Field(default=400, description="for how many days its reports are kept")


class ApprovedRollbacks(Section):
    """`headroom release approve-rollbacks`, run by the cluster."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    schedule: ClassVar[str] = "* * * * *"
    """Each minute: users meet the bad model until then."""


class Operations(Section):
    """The image of headroom, and its jobs, each of which is there only where it is asked for."""

    image: Digest = Field(description="headroom's own image, by digest; the Dockerfile builds it")
    audit: ScheduledAudit | None = Field(
        default=None, description="the audit of all quota, as reports in a bucket of the environment"
    )

    rollbacks: ApprovedRollbacks | None = Field(
        default=None,
        description="the approval, each minute, of the way back from a failed canary, where it waits",
    )

    @model_validator(mode="after")
    def _runs_something(self) -> "Operations":
        if all(getattr(self, name) is None for name in type(self).model_fields if name != "image"):
            raise ValueError("names no job to run; add audit: {}, or leave the section out")
        return self
