"""The configuration of the bootstrap: a project, a region, who may deploy, and which CI."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from headroom.spec.base import Owner, Section
from headroom.spec.machines import RegionName
from headroom.spec.platform import ProjectId
from headroom.spec.stack_file import validate

_NAMESPACE = "headroom-bootstrap:"

GitHubId = Annotated[int, Field(strict=True, ge=1, lt=2**53)]
"""A number that GitHub never gives to another, unlike a name."""


def _require_free(pool: str) -> str:
    if pool.startswith("gcp-"):
        raise ValueError("begins with gcp-, which Google keeps for itself; choose another")
    return pool


PoolId = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,30}[a-z0-9]$"), AfterValidator(_require_free)
]


ServiceRole = Annotated[
    str,
    StringConstraints(pattern=r"^roles/[A-Za-z0-9]+\.[A-Za-z0-9_.]+$"),
    Field(examples=["roles/cloudquotas.admin"]),
]
"""A predefined role of one service: the primitive ones have no dot."""


class Ci(Section):
    """The GitHub repository whose workflows may preview and deploy, without any key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"repository": "acme/ml-platform", "repository_id": 123456789, "owner_id": 98765}]
        }
    )

    repository: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$")
    ] = Field(description="its name, for people", examples=["acme/ml-platform"])
    repository_id: GitHubId = Field(description="its number: gh api repos/OWNER/NAME --jq .id")
    owner_id: GitHubId = Field(description="its owner's number: gh api repos/OWNER/NAME --jq .owner.id")
    branch: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")] = Field(
        default="main", description="the only branch that deploys", examples=["main"]
    )
    pool: PoolId = Field(
        default="headroom-ci",
        description="the identity pool's name; one that was deleted is taken for 30 days",
        examples=["headroom-ci"],
    )
    roles: tuple[ServiceRole, ...] = Field(
        default=(),
        max_length=20,
        description="what the deploying account needs beyond the usual; `headroom preflight` prints it",
    )


class Bootstrap(Section):
    """What an admin sets up once."""

    model_config = ConfigDict(title="headroom bootstrap", validate_by_alias=True, validate_by_name=False)

    project: ProjectId = Field(alias="gcp:project")
    region: RegionName = Field(alias="gcp:region")
    operators: tuple[Owner, ...] = Field(default=(), alias="headroom-bootstrap:operators", max_length=100)
    ci: Ci | None = Field(default=None, alias="headroom-bootstrap:ci")


def parse_bootstrap(config: Mapping[str, Any], file: str) -> Bootstrap:
    """Return the bootstrap that `config` asks for. Raises StackFileError with every problem."""
    return validate(Bootstrap, config, _NAMESPACE, file)
