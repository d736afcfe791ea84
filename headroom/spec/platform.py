"""A whole stack file: the keys of `config:` that headroom reads."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from headroom.spec import forms
from headroom.spec.alerting import Alerting
from headroom.spec.audit import AuditThresholds
from headroom.spec.base import BaselineName, ModelName, PipelineName, PoolName, Section
from headroom.spec.baselines import Baseline
from headroom.spec.cluster import Cluster
from headroom.spec.delivery import Delivery
from headroom.spec.encryption import Encryption
from headroom.spec.environment import Environment
from headroom.spec.logging import Logging
from headroom.spec.machines import MachineName, RegionName
from headroom.spec.models import Model
from headroom.spec.monitoring import Monitoring
from headroom.spec.network import Network
from headroom.spec.operations import Operations
from headroom.spec.pipelines import Pipeline
from headroom.spec.pools import Pool
from headroom.spec.prices import MachinePrice
from headroom.spec.quota import Quota

ProjectId = Annotated[str, StringConstraints(pattern=forms.PROJECT_ID), Field(examples=["acme-ml-dev"])]


class Platform(Section):
    """An environment, as its stack file asks for it. Keys are those of `config:`, with their namespace."""

    model_config = ConfigDict(title="headroom stack", validate_by_alias=True, validate_by_name=False)

    project: ProjectId = Field(alias="gcp:project", description="the Google Cloud project")
    region: RegionName = Field(alias="gcp:region", description="the region of the cluster")
    environment: Environment = Field(
        alias="headroom:environment", description="what kind of environment this is, and its labels"
    )
    network: Network = Field(
        default=Network(), alias="headroom:network", description="address ranges; final once in use"
    )
    encryption: Encryption = Field(
        default=Encryption(), alias="headroom:encryption", description="keys of the cluster and its disks"
    )
    cluster: Cluster = Field(alias="headroom:cluster", description="the environment's one cluster")
    logging: Logging = Field(
        default=Logging(), alias="headroom:logging", description="how long logs are kept, and who reads them"
    )
    alerting: Alerting = Field(
        default=Alerting(), alias="headroom:alerting", description="who is told of what goes wrong"
    )
    monitoring: Monitoring = Field(
        default=Monitoring(),
        alias="headroom:monitoring",
        description="what carries the metrics of batch jobs, and objectives kept by the cloud",
    )
    audit: AuditThresholds = Field(
        default=AuditThresholds(),
        alias="headroom:audit",
        description="from where on `headroom audit` speaks of what it sees",
    )
    operations: Operations | None = Field(
        default=None,
        alias="headroom:operations",
        description="what the platform runs for itself in the cluster",
    )
    delivery: Delivery = Field(
        default=Delivery(),
        alias="headroom:delivery",
        description="what the deliveries of all serving pipelines have in common",
    )
    pools: dict[PoolName, Pool] = Field(
        alias="headroom:pools", min_length=1, description="groups of equal machines, by name"
    )
    quota: Quota = Field(
        default=Quota(),
        alias="headroom:quota",
        description="the headroom for experiments, and what is granted",
    )
    baselines: dict[BaselineName, Baseline] = Field(
        default_factory=dict,
        alias="headroom:baselines",
        description="what similar projects took, by name; beside those of baselines.yaml",
    )
    pipelines: dict[PipelineName, Pipeline] = Field(
        default_factory=dict,
        alias="headroom:pipelines",
        description="who uses the pools, and how much of them, by name",
    )
    models: dict[ModelName, Model] = Field(
        default_factory=dict,
        alias="headroom:models",
        description="what the models of the pipelines are, by name, for `headroom advise`",
    )
    prices: dict[MachineName, MachinePrice] = Field(
        default_factory=dict,
        alias="headroom:prices",
        description="what machines cost this project, by machine type, where that is not the list price",
    )
