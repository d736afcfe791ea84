"""`headroom:monitoring`: the carrier of batch jobs' metrics, and service level objectives in the cloud."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from headroom.spec.base import PipelineName, Section

PUSHGATEWAY_IMAGE = "quay.io/prometheus/pushgateway:v1.11.1"

ImageName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
        max_length=255,
    ),
    Field(examples=["us-docker.pkg.dev/acme-ml/mirror/pushgateway:v1.11.1"]),
]
"""An image by host, path, and tag or digest: without either nobody knows what runs."""

Ratio = Annotated[float, Field(strict=True, ge=0.5, le=0.9999)]
"""A share of requests. The most that can be promised is Google's
(cloud.google.com/monitoring/api/ref_v3/rest/v3/services.serviceLevelObjectives, goal, 2026-11)."""


class Objectives(Section):
    """What a serving pipeline promises for any 28 days: what it exports as `ml_slo_objective_ratio`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"availability": 0.999, "latency": 0.99}]})

    availability: Ratio = Field(default=0.999, description="the share of requests that succeed")
    latency: Ratio = Field(default=0.99, description="the share of requests faster than the pipeline's bound")


class Monitoring(Section):
    """How metrics are collected, beyond what needs no choice."""

    pushgateway_image: ImageName = Field(
        default=PUSHGATEWAY_IMAGE,
        description="the image of the Pushgateway 1.11 and of what tidies it up, for a mirror of your own",
    )
    objectives: dict[PipelineName, Objectives] = Field(
        default_factory=dict,
        max_length=500,
        description="promises of serving pipelines, kept by the cloud too; only once their metrics were seen",
    )
