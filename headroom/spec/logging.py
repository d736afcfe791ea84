"""`headroom:logging`: how long logs are kept, who reads them, what is left out and where else they go."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from headroom.spec import forms
from headroom.spec.base import Flag, Owner, PipelineName, Section
from headroom.spec.log_filter import parse_filter

AuditedService = Literal["artifactregistry", "bigquery", "cloudkms", "iam", "secretmanager", "storage"]

Days = Annotated[int, Field(strict=True, ge=1, le=3650)]
"""How long a log bucket can keep an entry (cloud.google.com/logging/docs/buckets, 2026-11)."""

EntryName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["archive"])]


def _require_parsable(text: str) -> str:
    parse_filter(text)
    return text


LogFilter = Annotated[
    str,
    StringConstraints(min_length=1, max_length=8000),
    AfterValidator(_require_parsable),
    Field(examples=['severity>=WARNING AND jsonPayload.step="train"']),
]
"""A filter in the Logging query language, short enough for what headroom adds to it."""

Destination = Annotated[
    str,
    StringConstraints(
        pattern=r"^(storage\.googleapis\.com/[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]"
        r"|bigquery\.googleapis\.com/projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/datasets/[A-Za-z0-9_]{1,1024})$"
    ),
    Field(
        examples=[
            "storage.googleapis.com/acme-log-archive",
            "bigquery.googleapis.com/projects/acme-ml-prod/datasets/pipeline_logs",
        ]
    ),
]
"""A bucket of Cloud Storage or a dataset of BigQuery, as sinks name it."""


class Audit(Section):
    """Who read and wrote which data."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retention_days": 400}]})

    services: tuple[AuditedService, ...] = Field(
        default=("cloudkms", "secretmanager", "storage"),
        max_length=6,
        description="services whose reads and writes of data are logged; each entry is charged like any log",
    )
    retention_days: Days = Field(
        default=400,
        description="days that entries are kept; by default 400, as Google keeps admin activity",
    )
    locked_days: Days | None = Field(
        default=None,
        description="freezes retention_days, which it repeats, for good: the bucket cannot be unlocked",
    )
    readers: tuple[Owner, ...] = Field(
        default=(), max_length=64, description="who may read them, beside those who administer logs"
    )


class Export(Section):
    """Logs that also go to a bucket or dataset, which must be there; the right to write to it is granted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "storage.googleapis.com/acme-log-archive"}]}
    )

    to: Destination = Field(description="a bucket of Cloud Storage or a dataset of BigQuery")
    filter: LogFilter | None = Field(
        default=None, description="which of the logs, in the Logging query language; by default all"
    )
    pipelines: tuple[PipelineName, ...] = Field(
        default=(), max_length=100, description="whose logs; by default all of the cluster's"
    )


class Granted(Section):
    """What Google has granted the project, where it is more than every project has."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"buckets": 500}]})

    buckets: Annotated[int, Field(strict=True, ge=100, le=2500)] = Field(
        default=100, description="log buckets that the project may have: 100, raised on request up to 2,500"
    )
    sinks: Annotated[int, Field(strict=True, ge=200, le=4000)] = Field(
        default=200, description="sinks that the project may have: 200, raised on request up to 4,000"
    )


class Logging(Section):
    """How logs of pipelines and of the cluster are kept. Each owner's pipelines have a log bucket of their
    own, which the owner may read, and nobody else but those who administer logs."""

    retention_days: Days | None = Field(
        default=None,
        description="days that logs are kept; by default 90 in production, 30 in development",
    )
    locked_days: Days | None = Field(
        default=None,
        description="freezes retention_days, which it repeats, for good: buckets cannot be unlocked",
    )
    debug: Literal["keep", "drop"] | None = Field(
        default=None,
        description="what becomes of entries of severity DEBUG; by default dropped in production",
    )
    exclude: dict[EntryName, LogFilter] = Field(
        default_factory=dict,
        max_length=16,
        description="logs that are not kept, by name; warnings and errors always are",
    )
    analytics: Flag = Field(default=False, description="SQL in Log Analytics; cannot be switched off again")
    dataset: Flag = Field(
        default=False,
        description="links a BigQuery dataset to each bucket; who may read the project's datasets reads it",
    )
    own_key: Flag = Field(
        default=False,
        description="encrypts logs under a key of the environment; a change goes on in new buckets",
    )
    readers: tuple[Owner, ...] = Field(
        default=(), max_length=64, description="who may read the logs of the cluster that are no pipeline's"
    )
    audit: Audit = Field(default=Audit(), description="who read and wrote which data")
    exports: dict[EntryName, Export] = Field(
        default_factory=dict, max_length=20, description="logs that also go elsewhere, by name"
    )
    granted: Granted = Field(default=Granted(), description="quota beyond what every project has")

    @model_validator(mode="after")
    def _linked_to_analytics(self) -> "Logging":
        if self.dataset and not self.analytics:
            raise ValueError("dataset needs analytics; set analytics: true")
        return self
