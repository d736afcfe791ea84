"""The configuration of the bootstrap: a project, a region, and who may deploy."""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from headroom.spec.base import Owner, Section
from headroom.spec.machines import RegionName
from headroom.spec.platform import ProjectId
from headroom.spec.stack_file import validate

_NAMESPACE = "headroom-bootstrap:"


class Bootstrap(Section):
    """What an admin sets up once."""

    model_config = ConfigDict(title="headroom bootstrap", validate_by_alias=True, validate_by_name=False)

    project: ProjectId = Field(alias="gcp:project")
    region: RegionName = Field(alias="gcp:region")
    operators: tuple[Owner, ...] = Field(default=(), alias="headroom-bootstrap:operators", max_length=100)


def parse_bootstrap(config: Mapping[str, Any], file: str) -> Bootstrap:
    """Return the bootstrap that `config` asks for. Raises StackFileError with every problem."""
    return validate(Bootstrap, config, _NAMESPACE, file)
