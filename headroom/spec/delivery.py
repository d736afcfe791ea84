"""`headroom:delivery`, and `delivery` of serving pipelines: how a new model reaches its users."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from headroom.spec import forms
from headroom.spec.alerting import Address, Moment
from headroom.spec.base import Flag, Owner, Section
from headroom.spec.cluster import Day

Percent = Annotated[int, Field(strict=True, ge=1, le=99)]

Minutes = Annotated[int, Field(strict=True, ge=1, le=2_880)]
"""Cloud Deploy watches a phase for at most 48 hours (cloud.google.com/deploy/docs/api/reference/rest/v1/
projects.locations.deliveryPipelines, Analysis.duration, 2026-11)."""

Preset = Literal["cautious", "standard", "fast"]

StackName = Annotated[str, StringConstraints(pattern=forms.STACK), Field(examples=["prod-us"])]

MetricName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$"), Field(examples=["auc", "log_loss"])
]

FreezeName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["year-end"])]

TimeZone = Annotated[
    str,
    StringConstraints(pattern=r"^(UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_+-]+){1,2})$"),
    Field(examples=["Europe/Berlin"]),
]

ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    Field(examples=["14:00"]),
]

Digest = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)+@sha256:[0-9a-f]{64}$", max_length=512
    ),
    Field(examples=["europe-west4-docker.pkg.dev/acme-ml/tools/validate@sha256:" + 64 * "0"]),
]
"""An image by the digest of what is in it: a tag can be moved to another image."""

ImagePattern = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9.-]+(:[0-9]+)?(/[a-zA-Z0-9._-]+)+(/?\*{1,2})?$", max_length=512),
    Field(examples=["us-docker.pkg.dev/acme-ml-tools/batch/**"]),
]

Ratio = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Distance = Annotated[float, Field(strict=True, gt=0, le=10, allow_inf_nan=False)]
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]
People = Annotated[tuple[Owner, ...], Field(max_length=16)]


class Phase(Section):
    """A share of the users who get the new model, and how long it is watched among them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"percent": 5, "minutes": 30}]})

    percent: Percent = Field(description="per cent of the requests that go to the new model: 1 to 99")
    minutes: Minutes = Field(description="how long it is watched; alerts must have the time to fire")
    hold: Flag = Field(
        default=False,
        description="whether it then waits until somebody who may increase lets it go on",
    )


class Approvals(Section):
    """Who may do what with a release. Nobody may approve what they released themselves."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"begin": ["group:ml-approvers@acme.example"]}]}
    )

    release: People = Field(
        default=(), description="who may release models; by default the owner of the pipeline"
    )
    begin: People = Field(
        default=(), description="who approves that a release goes to production; required in production"
    )
    increase: People = Field(
        default=(), description="who lets a rollout go on from a phase that holds; by default who begins"
    )
    roll_back: People = Field(
        default=(), description="who may roll back; by default the owner and who approves or releases"
    )


class Bound(Section):
    """What a measure of quality must be at least, at most, or both."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"min": 0.75}]})

    min: Figure | None = Field(default=None, description="the least that is good enough")
    max: Figure | None = Field(default=None, description="the most that is good enough")

    @model_validator(mode="after")
    def _bounds_something(self) -> "Bound":
        if self.min is None and self.max is None:
            raise ValueError("bounds nothing; give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min is {self.min:g}, above max, which is {self.max:g}")
        return self


class Validation(Section):
    """The job that judges a release in staging before anybody is asked for approval."""

    image: Digest | None = Field(
        default=None, description="the image of the job, by digest; by default that of headroom:delivery"
    )
    minutes: Minutes = Field(
        default=30, description="how long it may take, requests to the staged model included; by default 30"
    )
    quality: dict[MetricName, Bound] = Field(
        default_factory=dict, max_length=32, description="bounds of quality that the staged model must keep"
    )
    worse: Ratio | None = Field(
        default=None,
        description="how much worse than the present model it may be, as a share of its quality: 0 to 1",
    )
    skew: Distance | None = Field(
        default=None,
        description="how far its predictions may be from the present model's: a distance such as 0.2",
    )

    @model_validator(mode="after")
    def _compares_something(self) -> "Validation":
        if self.worse is not None and not self.quality:
            raise ValueError(
                "worse compares the measures of quality, and there are none; bound some in quality"
            )
        return self


class Staging(Section):
    """The copy of the pipeline that a release goes to first, with a queue of its own."""

    replicas: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=1, description="copies of the server in staging, each as large as in production; by default 1"
    )


class PipelineDelivery(Section):
    """How a new model of a serving pipeline is tried, approved, increased and rolled back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"preset": "standard"}]})

    preset: Preset = Field(
        default="standard",
        description="phases and retries in one word; `headroom plan` shows what it sets",
    )
    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=12)] | None = Field(
        default=None, description="phases of your own in the place of the preset's; the last goes to all"
    )
    retries: Annotated[int, Field(strict=True, ge=0, le=10)] | None = Field(
        default=None, description="how often a failed deployment is tried again before it is rolled back"
    )
    staging: Staging = Field(default=Staging(), description="the copy that a release goes to first")
    validation: Validation = Field(
        default=Validation(), description="what the staged model must be like to go on"
    )
    approvals: Approvals = Field(
        default=Approvals(), description="who may do what, in the place of those of headroom:delivery"
    )


class OnceFreeze(Section):
    """A time in which nothing is delivered."""

    kind: Literal["once"] = Field(description="from a moment to another")
    start: Moment = Field(description="from when on")
    end: Moment = Field(description="until when")

    @model_validator(mode="after")
    def _ordered(self) -> "OnceFreeze":
        if self.end <= self.start:
            raise ValueError("end is not after start")
        return self


class WeeklyFreeze(Section):
    """Hours of every week in which nothing is delivered."""

    kind: Literal["weekly"] = Field(description="on days of every week")
    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=7)] = Field(
        description="on which days of the week"
    )
    start: ClockTime = Field(default="00:00", description="from what time on; by default the day's beginning")
    end: ClockTime = Field(default="24:00", description="until what time; by default the day's end")
    time_zone: TimeZone = Field(default="UTC", description="whose time that is; by default UTC")

    @model_validator(mode="after")
    def _ordered(self) -> "WeeklyFreeze":
        if self.end <= self.start:
            raise ValueError("end is not after start; a night is two freezes, one for each day")
        if len(set(self.days)) != len(self.days):
            raise ValueError("names a day twice")
        return self


Freeze = Annotated[OnceFreeze | WeeklyFreeze, Field(discriminator="kind")]


class Delivery(Section):
    """What the deliveries of all serving pipelines have in common."""

    regions: Annotated[tuple[StackName, ...], Field(max_length=15)] = Field(
        default=(),
        description="stacks of further regions, in the order in which releases go on to them from this one",
    )
    follows: StackName | None = Field(
        default=None,
        description="the stack from which releases come; staging, images and people are that one's",
    )
    wait_minutes: Annotated[int, Field(strict=True, ge=0, le=20_160)] | None = Field(
        default=None,
        description="how long the region before has had a release when it comes to this one; by default 60",
    )

    approvals: Approvals = Field(
        default=Approvals(), description="who may do what, where a pipeline does not say otherwise"
    )
    validation_image: Digest | None = Field(
        default=None, description="the image of the job that judges releases in staging, by digest"
    )
    freezes: dict[FreezeName, Freeze] = Field(
        default_factory=dict,
        max_length=32,
        description="times in which nothing is delivered; rolling back is possible at all times",
    )
    builders: Annotated[tuple[Address, ...], Field(max_length=16)] = Field(
        default=(), description="service accounts that push images of models, such as CI's"
    )
    images: Annotated[tuple[ImagePattern, ...], Field(max_length=64)] = Field(
        default=(),
        description="images of batch work from outside this project that the cluster admits, as patterns",
    )
    certificate: Annotated[str, StringConstraints(pattern=forms.RESERVATION_NAME)] | None = Field(
        default=None,
        description="regional certificate for HTTPS to the models; by default HTTP inside the VPC",
    )
