"""From a stack file, or from what Pulumi made of it, to a `Platform`."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from headroom.spec import forms
from headroom.spec.baselines import Baselines
from headroom.spec.errors import Problem, StackFileError, did_you_mean, join_path
from headroom.spec.platform import Platform
from headroom.spec.secrets import Encrypted
from headroom.spec.yaml_reader import YamlError, read_yaml

Model = TypeVar("Model", bound=BaseModel)

TOP_LEVEL_KEYS = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
SECRET_KEYS = ("gcp:accessToken", "gcp:credentials")

_STACK = re.compile(forms.STACK)
_KEYS = ("gcp:project", "gcp:region")
NAMESPACE = "headroom:"
"""Begins the keys of the main program; Pulumi takes it from the project's name."""
_COLLECTIONS = ("headroom:pools", "headroom:pipelines")
_BASELINES = "headroom:baselines"
_BASELINES_FILE = "baselines.yaml"


def load_config(path: Path) -> dict[str, Any]:
    """Return the `config:` of a stack file as Pulumi resolves it, encrypted values as `Encrypted`.

    Keys without a namespace are the project's own, and those that only the Pulumi.yaml beside it sets count
    too, as do the baselines of the baselines.yaml beside it. Raises StackFileError where a file cannot be
    read, or has keys that nobody would read.
    """
    document = _read_document(path)
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        raise StackFileError([Problem("", "has no `config:` with keys such as headroom:pools")], path.name)
    problems = [*_check_top_level(document), *_check_namespaces(config)]
    if problems:
        raise StackFileError(problems, path.name)
    own = _project_config(path.with_name("Pulumi.yaml")) | _mark_encrypted(_with_namespace(config))
    return add_baselines(own, path.parent)


def load_neighbours(config: Mapping[str, Any], folder: Path) -> dict[str, Platform]:
    """Return the stacks that a configuration names as regions of its deliveries, as far as there are files of
    them in `folder`. Raises StackFileError, which names the other file, where one cannot be used."""
    delivery = config.get(f"{NAMESPACE}delivery")
    if not isinstance(delivery, Mapping):
        return {}
    regions = delivery.get("regions")
    named = [delivery.get("follows"), *(regions if isinstance(regions, list) else [])]
    stacks = [name for name in named if isinstance(name, str) and _STACK.fullmatch(name)]
    paths = {name: folder / f"Pulumi.{name}.yaml" for name in stacks}
    return {
        name: parse_config(load_config(path), path.name) for name, path in paths.items() if path.is_file()
    }


def add_baselines(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the configuration with the baselines of the project in `folder`, before which its own come.

    Raises StackFileError where their file cannot be read, and with every problem where it is not sound.
    """
    path = folder / _BASELINES_FILE
    own = config.get(_BASELINES, {})
    if not path.is_file() or not isinstance(own, Mapping):
        return dict(config)
    shared = _read_document(path)
    try:
        validate(Baselines, {_BASELINES: shared}, NAMESPACE, _BASELINES_FILE)
    except StackFileError as error:
        problems = [Problem(p.path.removeprefix(_BASELINES).lstrip("."), p.message) for p in error.problems]
        raise StackFileError(problems, _BASELINES_FILE) from None
    return {**config, _BASELINES: {**shared, **own}}


def _read_document(path: Path) -> Any:
    try:
        return read_yaml(path.read_bytes())
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], path.name) from None
    except YamlError as error:
        raise StackFileError([Problem("", str(error))], path.name) from None


def _project_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    document = _read_document(path)
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        return {}
    values = {key: _project_value(value) for key, value in config.items() if isinstance(key, str)}
    return _mark_encrypted(
        _with_namespace({key: value for key, value in values.items() if value is not None})
    )


def _project_value(declared: Any) -> Any:
    """The value that a project file gives a key: by itself, or as `value` or `default` beside its type."""
    if isinstance(declared, dict) and declared.keys() <= {
        "type",
        "items",
        "description",
        "secret",
        "default",
        "value",
    }:
        return declared.get("value", declared.get("default"))
    return declared


def _with_namespace(config: dict[str, Any]) -> dict[str, Any]:
    return {key if ":" in key else f"{NAMESPACE}{key}": value for key, value in config.items()}


def _check_top_level(document: dict[Any, Any]) -> list[Problem]:
    return [
        Problem(join_path([str(key)]), "is no key of a stack file, whose settings stand below `config:`")
        for key in document
        if key not in TOP_LEVEL_KEYS
    ]


def _check_namespaces(config: dict[str, Any]) -> list[Problem]:
    problems = []
    for key, value in config.items():
        namespace, _, name = key.partition(":")
        if name and f"{namespace}:" != NAMESPACE and did_you_mean(namespace, [NAMESPACE[:-1]]):
            problems.append(
                Problem(
                    join_path([key]), f"is in no namespace that is read; did you mean {NAMESPACE}{name[:40]}?"
                )
            )
        if key in SECRET_KEYS and not (isinstance(value, dict) and value.keys() == {"secure"}):
            problems.append(
                Problem(
                    key, "is a credential in plain text; leave it out and use application default credentials"
                )
            )
    return problems


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
    broken = {entry[1] for entry in bad if entry[0] == _COLLECTIONS[0]}
    pipelines = {name: value for name, value in kept.items() if not _pools_of(value) & broken}
    try:
        return Platform.model_validate(data | {"headroom:pools": pools, "headroom:pipelines": pipelines})
    except ValidationError:
        return None


def _without(entries: Any, names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in (entries or {}).items() if str(key) not in names}


def _pools_of(pipeline: Any) -> set[str]:
    sections = pipeline if isinstance(pipeline, dict) else {}
    limits, demand = sections.get("limits"), sections.get("demand")
    named = set(limits) if isinstance(limits, dict) else set()
    return named | ({demand["pool"]} if isinstance(demand, dict) and "pool" in demand else set())
