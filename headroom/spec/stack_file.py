"""From a stack file, or from what Pulumi made of it, to a `Platform`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from headroom.spec.errors import Problem, StackFileError
from headroom.spec.platform import Platform
from headroom.spec.secrets import Encrypted
from headroom.spec.yaml_reader import YamlError, read_yaml

Model = TypeVar("Model", bound=BaseModel)

_KEYS = ("gcp:project", "gcp:region")
NAMESPACE = "headroom:"
"""Begins the keys of the main program; Pulumi takes it from the project's name."""
_COLLECTIONS = ("headroom:pools", "headroom:pipelines")


def load_config(path: Path) -> dict[str, Any]:
    """Return the `config:` of the stack file at `path`, encrypted values as `Encrypted`.

    Raises StackFileError where the file cannot be read or has no such mapping.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], path.name) from None
    try:
        document = read_yaml(content)
    except YamlError as error:
        raise StackFileError([Problem("", str(error))], path.name) from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        raise StackFileError([Problem("", "has no `config:` with keys such as headroom:pools")], path.name)
    return _mark_encrypted(config)


def decode_config(raw: Mapping[str, str], namespace: str = NAMESPACE) -> dict[str, Any]:
    """Return the configuration that Pulumi hands to a program, the project's objects decoded from JSON."""
    return {key: _decode(value) if key.startswith(namespace) else value for key, value in raw.items()}


def parse_config(config: Mapping[str, Any], file: str) -> Platform:
    """Return the platform that `config` asks for; keys of other namespaces are not headroom's business.

    Raises StackFileError with every problem, and with what is left without the entries that have one.
    """
    data = _own_keys(config, NAMESPACE)
    try:
        return validate(Platform, data, NAMESPACE, file)
    except StackFileError as error:
        if isinstance(error.__cause__, ValidationError):
            error.remainder = _remainder(error.__cause__, data)
        raise


def validate(model: type[Model], config: Mapping[str, Any], namespace: str, file: str) -> Model:
    """Return the keys of `namespace` in `config`, beside project and region, as a `model`.

    Raises StackFileError with every problem.
    """
    data = _own_keys(config, namespace)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        from headroom.spec.explain import explain

        raise StackFileError(explain(error, data, json_schema(model)), file) from error


@cache
def json_schema(model: type[BaseModel] = Platform) -> dict[str, Any]:
    """Return the JSON Schema of a stack file's `config:`."""
    return model.model_json_schema(by_alias=True)


def _own_keys(config: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key in _KEYS or key.startswith(namespace)}


def _decode(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _mark_encrypted(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            return Encrypted()
        return {key: _mark_encrypted(child) for key, child in value.items()}
    return [_mark_encrypted(child) for child in value] if isinstance(value, list) else value


def _remainder(error: ValidationError, data: dict[str, Any]) -> Platform | None:
    bad = {(str(detail["loc"][0]), *map(str, detail["loc"][1:2])) for detail in error.errors()}
    if any(section not in _COLLECTIONS or not entry for section, *entry in bad):
        return None
    pools = _without(data.get("headroom:pools"), {entry[1] for entry in bad if entry[0] == _COLLECTIONS[0]})
    kept = _without(
        data.get("headroom:pipelines"), {entry[1] for entry in bad if entry[0] == _COLLECTIONS[1]}
    )
    pipelines = {name: value for name, value in kept.items() if _limits_of(value) <= pools.keys()}
    try:
        return Platform.model_validate(data | {"headroom:pools": pools, "headroom:pipelines": pipelines})
    except ValidationError:
        return None


def _without(entries: Any, names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in (entries or {}).items() if str(key) not in names}


def _limits_of(pipeline: Any) -> set[str]:
    limits = pipeline.get("limits") if isinstance(pipeline, dict) else None
    return set(limits) if isinstance(limits, dict) else set()
