"""`demand` of a pipeline: what it has to do, from which its limits are estimated."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from headroom.spec.base import BaselineName, Flag, PoolName, Section
from headroom.spec.quantities import CpuMillis, MemoryBytes

Percentile = Annotated[float, Field(strict=True, ge=50, le=99.9, allow_inf_nan=False)]
Milliseconds = Annotated[float, Field(strict=True, ge=0.001, le=3_600_000, allow_inf_nan=False)]
Rate = Annotated[float, Field(strict=True, ge=0.001, le=100_000_000, allow_inf_nan=False)]
Runs = Annotated[float, Field(strict=True, ge=0.001, le=100_000, allow_inf_nan=False)]
Factor = Annotated[float, Field(strict=True, ge=1, le=100, allow_inf_nan=False)]
Size = Annotated[float, Field(strict=True, ge=0.000_001, le=1_000_000_000_000, allow_inf_nan=False)]
Some = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class Replica(Section):
    """What one copy of the server takes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cpu": 4, "memory": "8Gi"}]})

    devices: Some = Field(
        default=1,
        description="GPUs or chips, as pods ask for them; by default 1, on TPUs a whole host or slice",
    )
    cpu: Annotated[CpuMillis, Field(ge=1)] | None = Field(
        default=None, description="cores; required on processors, else the host's share of the devices"
    )
    memory: Annotated[MemoryBytes, Field(ge=2**20)] | None = Field(
        default=None, description="memory; required on processors, else the host's share of the devices"
    )


class ServingDemand(Section):
    """Requests that are to be answered in time, and how a replica answers them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"pool": "l4", "qps": 1200, "latency_ms": 80, "service_time_ms": 12}]}
    )

    pool: PoolName = Field(description="the pool that it serves from")
    qps: Rate = Field(description="predicted queries per second in the busy hour, on average")
    latency_ms: Milliseconds = Field(description="milliseconds in which a request is to be answered")
    percentile: Percentile = Field(
        default=99, description="per cent of requests answered in time: 50 to 99.9; by default 99"
    )
    service_time_ms: Milliseconds = Field(
        description="milliseconds for one batch when the replica is fully occupied, on average"
    )
    service_variation: Annotated[float, Field(strict=True, ge=0, le=4, allow_inf_nan=False)] = Field(
        default=1, description="standard deviation of the service time over its mean: 0 to 4; by default 1"
    )
    concurrency: Some = Field(
        default=1, description="batches that a replica works on at the same time; by default 1"
    )
    batch: Some = Field(default=1, description="requests that are answered together; by default 1")
    batch_wait_ms: Annotated[float, Field(strict=True, ge=0, le=60_000, allow_inf_nan=False)] = Field(
        default=0, description="milliseconds that a request may wait for its batch to fill; by default 0"
    )
    target_utilization: Annotated[float, Field(strict=True, ge=0.05, le=0.95, allow_inf_nan=False)] = Field(
        default=0.7, description="the most that replicas are to be occupied: 0.05 to 0.95; by default 0.7"
    )
    burst: Factor = Field(
        default=1.5, description="peak over qps, which the cap must bear: 1 to 100; by default 1.5"
    )
    survive_zone_loss: Flag | None = Field(
        default=None,
        description="whether the cap bears the loss of a zone; by default where there are several",
    )
    uncertainty: Factor = Field(
        default=1.5,
        description="factor by which qps may be wrong either way; use that was observed lowers it",
    )
    replica: Replica = Field(default=Replica(), description="what one copy of the server takes")

    @model_validator(mode="after")
    def _batches(self) -> "ServingDemand":
        if self.batch == 1 and self.batch_wait_ms:
            raise ValueError(
                "batch_wait_ms is set and batch is 1: nothing would be waited for; set batch too"
            )
        return self


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class BatchDemand(Section):
    """Runs that are like those of projects in the baselines."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"pool": "v5e", "similar_to": ["clicks-training"], "scale": 1.5}]}
    )

    pool: PoolName = Field(description="the pool that it runs on")
    similar_to: Annotated[
        tuple[BaselineName, ...],
        BeforeValidator(_as_list, json_schema_input_type=BaselineName | list[BaselineName]),
    ] = Field(min_length=1, max_length=32, description="a baseline, or several of them, by name")
    size: Size | None = Field(
        default=None, description="how large a run is, in the unit of its baselines, which then need a size"
    )
    scale: Annotated[float, Field(strict=True, ge=0.001, le=1_000, allow_inf_nan=False)] | None = Field(
        default=None, description="how much larger a run is than those of its baselines; by default 1"
    )
    runs_per_day: Runs | None = Field(
        default=None, description="runs a day; by default those of its baselines"
    )
    percentile: Percentile = Field(
        default=95, description="per cent of the time in which the cap lets no run wait; by default 95"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "BatchDemand":
        if self.size is not None and self.scale is not None:
            raise ValueError("size and scale are both given; give one of them")
        if len(set(self.similar_to)) != len(self.similar_to):
            raise ValueError("similar_to names a baseline twice")
        return self
