"""The inputs that would give a live state, for refresh and import."""

from collections.abc import Mapping
from typing import Any

from sandbox.google.check import DEFAULTS_KEY
from sandbox.google.facts import ResourceFacts, load_table
from sandbox.google.labels import find_labels_property
from sandbox.google.schema import ResourceType


def project_inputs(
    resource: ResourceType, facts: ResourceFacts, old_inputs: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs that would give the live state: old ones as they are now, and what somebody set besides.

    Without old inputs (an import) all that can be given and is set.
    """
    if not old_inputs:
        given = _without_made(resource, facts, state)
        found = {name: given[name] for name in resource.inputs if not _is_unset(facts, name, given.get(name))}
        return {**found, DEFAULTS_KEY: []}
    result = {
        name: value if name == DEFAULTS_KEY else _project(value, state.get(name))
        for name, value in old_inputs.items()
    }
    for name in resource.inputs:
        is_foreign = name not in old_inputs and name not in facts.computed and facts.is_row
        if is_foreign and not _is_unset(facts, name, state.get(name)):
            result[name] = state[name]
    return {name: value for name, value in result.items() if value is not None}


def import_state(resource: ResourceType, state: Mapping[str, Any]) -> dict[str, Any]:
    """The live state as an import knows it: labels are nobody's yet, the provider's own switches are unset.

    Source: SetLabels in google/tpgresource/labels.go of the official provider, and facts/imports.yaml.
    """
    imported = dict(state) | load_table("imports").get(resource.token, {}).get("set", {})
    labels = find_labels_property(resource)
    return imported if labels is None else imported | {labels: {}, "pulumiLabels": {}}


def _without_made(resource: ResourceType, facts: ResourceFacts, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state without what Google adds inside blocks and no program can give."""
    made = load_table("outputs").get(resource.token, {}).get("set", {})
    blocks = {name: inside for name, inside in made.items() if isinstance(inside, Mapping)}
    return {
        name: _leave_out(facts, value, blocks.get(name), name) if name in blocks else value
        for name, value in state.items()
    }


def _leave_out(facts: ResourceFacts, value: Any, made: Any, path: str) -> Any:
    if not isinstance(value, Mapping) or not isinstance(made, Mapping):
        return value
    return {
        key: _leave_out(facts, item, made.get(key), f"{path}.{key}")
        for key, item in value.items()
        if isinstance(made.get(key), Mapping) or key not in made or f"{path}.{key}" in facts.computed
    }


def _is_unset(facts: ResourceFacts, name: str, value: Any) -> bool:
    return value is None or value in ("", [], {}) or value == facts.defaults.get(name)


def _project(old: Any, live: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(live, Mapping):
        return {
            key: _project(value, live.get(key)) for key, value in old.items() if live.get(key) is not None
        }
    if isinstance(old, list) and isinstance(live, list) and len(old) == len(live):
        return [_project(before, after) for before, after in zip(old, live, strict=True)]
    return live
