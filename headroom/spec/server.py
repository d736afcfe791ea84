"""A file of `releases/`: what the stack file does not know of a server and its releases have to say."""

from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from headroom.spec.base import Section
from headroom.spec.errors import Problem, StackFileError
from headroom.spec.explain import explain
from headroom.spec.stack_file import json_schema
from headroom.spec.yaml_reader import YamlError, read_yaml

OWN_VARIABLES = "HEADROOM_"
"""Begins the variables that say who a pod is, which the release itself sets."""

Port = Annotated[int, Field(strict=True, ge=1024, le=65_535)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]{0,200}$")]
ImageName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$")
]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,62}$")]
Words = Annotated[tuple[str, ...], Field(max_length=64)]


class Requests(Section):
    """The requests that a staged model is tried with: a file in the image that validates."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "/predict"}]})

    file: UrlPath = Field(
        default="/validation/requests.jsonl", description="a request in JSON on each line, in that image"
    )
    path: UrlPath = Field(default="/predict", description="where the server answers predictions")
    count: Annotated[int, Field(strict=True, ge=100, le=1_000_000)] = Field(
        default=600, description="how many are sent; with fewer than 100 nothing can be said"
    )
    per_second: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(
        default=10, description="how many are sent a second"
    )


class Server(Section):
    """How the server of a model runs, the same in every environment."""

    image: ImageName = Field(description="its name in the models' registry, without tag and digest")
    command: Words = Field(default=(), description="the command; by default the image's own")
    args: Words = Field(default=(), description="its arguments; by default the image's own")
    port: Port = Field(default=8080, description="where it answers predictions")
    metrics_port: Port = Field(default=8000, description="where its metrics are scraped")
    ready: UrlPath = Field(
        default="/healthz", description="answers 200 on the port of the predictions when the model is loaded"
    )
    start_seconds: Annotated[int, Field(strict=True, ge=10, le=3_600)] = Field(
        default=300, description="how long loading the model may take"
    )
    stop_seconds: Annotated[int, Field(strict=True, ge=10, le=600)] = Field(
        default=60, description="how long requests that are being answered may take after it is asked to stop"
    )
    cpu_percent: Annotated[int, Field(strict=True, ge=10, le=95)] = Field(
        default=60,
        description="how busy its cores are to be, in the mean, when replicas are added or removed",
    )
    env: dict[Variable, str] = Field(
        default_factory=dict,
        max_length=64,
        description="variables of its own; no secrets: a pod reads those from Secret Manager",
    )
    requests: Requests = Field(default=Requests(), description="what a staged model is tried with")

    @model_validator(mode="after")
    def _consistent(self) -> "Server":
        if self.port == self.metrics_port:
            raise ValueError("port and metrics_port are the same; give each its own")
        if any(name.startswith(OWN_VARIABLES) for name in self.env):
            raise ValueError(
                f"env sets a variable that begins with {OWN_VARIABLES}, as the release does itself"
            )
        return self


def load_server(path: Path) -> Server:
    """Return what a file of `releases/` says.

    Raises StackFileError with every problem of the file, or with how to make one where there is none.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        document = read_yaml(path.read_bytes())
    except FileNotFoundError:
        hint = f"there is none; headroom release init -p {path.stem} writes one"
        raise StackFileError([Problem("", hint)], name) from None
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], name) from None
    except YamlError as error:
        raise StackFileError([Problem("", str(error))], name) from None
    if not isinstance(document, dict):
        raise StackFileError([Problem("", "has no keys such as image")], name)
    try:
        return Server.model_validate(document)
    except ValidationError as error:
        raise StackFileError(explain(error, document, json_schema(Server)), name) from None
