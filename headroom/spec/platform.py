"""A whole stack file: the keys of `config:` that headroom reads."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from headroom.spec import forms
from headroom.spec.base import PipelineName, PoolName, Section
from headroom.spec.cluster import Cluster
from headroom.spec.encryption import Encryption
from headroom.spec.environment import Environment
from headroom.spec.machines import RegionName
from headroom.spec.network import Network
from headroom.spec.pipelines import Pipeline
from headroom.spec.pools import Pool

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
    pools: dict[PoolName, Pool] = Field(
        alias="headroom:pools", min_length=1, description="groups of equal machines, by name"
    )
    pipelines: dict[PipelineName, Pipeline] = Field(
        default_factory=dict,
        alias="headroom:pipelines",
        description="who uses the pools, and how much of them, by name",
    )
