"""What Pulumi keeps of an object: the live object, the inputs, and the field manager."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.kubernetes.manifests import to_manifest, to_properties
from sandbox.provider.wire import Secret, reveal

# Keys of pulumi-kubernetes' state. Source: provider/pkg/provider/provider.go, read 2026-11-21.
INPUTS: Final = "__inputs"
API_VERSION: Final = "__initialApiVersion"
MANAGER: Final = "__fieldManager"


@dataclass(frozen=True)
class State:
    """A resource's state: what was asked for, what is there, and who applies it."""

    inputs: dict[str, Any]
    live: dict[str, Any]
    api_version: str
    manager: str


def read_state(properties: Mapping[str, Any]) -> State:
    """The state in the form in which it can be worked with; secrets are revealed."""
    plain = to_manifest(properties)
    inputs = plain.pop(INPUTS, None) or {}
    api_version = plain.pop(API_VERSION, None) or inputs.get("apiVersion") or plain.get("apiVersion") or ""
    return State(inputs, plain, api_version, plain.pop(MANAGER, None) or "")


def write_state(state: State, given: Mapping[str, Any]) -> dict[str, Any]:
    """The state as the engine keeps it, with the secret marks of what was `given`."""
    marked = mark_secrets(to_properties(state.live), given)
    inputs = mark_secrets(to_properties(state.inputs), given)
    return {**marked, INPUTS: inputs, API_VERSION: state.api_version, MANAGER: state.manager}


def mark_secrets(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values with secret marks where those given have one inside; a Secret's data are always secret."""
    marked = dict(values)
    if reveal(values.get("kind")) == "Secret":
        hidden = [key for key in ("data", "stringData") if marked.get(key)]
        return marked | {key: Secret(reveal(marked[key])) for key in hidden}
    for key, pattern in given.items():
        value = marked.get(key)
        if value is None:
            continue
        if isinstance(value, Mapping) and isinstance(pattern, Mapping):
            marked[key] = mark_secrets(value, pattern)
        elif _holds_secret(pattern):
            marked[key] = Secret(reveal(value))
    return marked


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_secret(item) for item in value)
    return isinstance(value, Secret)
