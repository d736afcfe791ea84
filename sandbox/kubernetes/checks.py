"""Fills in what a program may leave out of a resource, and says what is wrong with it."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Protocol

from sandbox.kubernetes.errors import RefusedError
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.manifests import (
    ANNOTATION_PREFIX,
    is_annotated,
    metadata_of,
    name_of,
    namespace_of,
    normalise,
    to_manifest,
    to_properties,
    with_metadata,
)
from sandbox.kubernetes.releases import RELEASE, check_release, complete_inputs
from sandbox.kubernetes.state import mark_secrets
from sandbox.kubernetes.tokens import is_list, is_patch, read_token
from sandbox.kubernetes.validation import Problem, check_manifest
from sandbox.provider.wire import UNKNOWN

_AUTONAMED: Final = "autonamed"
_SUFFIX_LENGTH: Final = 8


class Surroundings(Protocol):
    """What a check needs to know of the session."""

    @property
    def namespace(self) -> str:
        """Where objects go that name no namespace."""
        ...

    @property
    def is_recorded(self) -> bool:
        """Whether the published schemas have the last word."""
        ...

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        """The kind as it is served or published."""
        ...


def check_inputs(
    around: Surroundings,
    token: str,
    news: Mapping[str, Any],
    olds: Mapping[str, Any],
    logical_name: str,
    seed: bytes,
) -> tuple[dict[str, Any], list[Problem]]:
    """A resource's inputs, filled in, and what is wrong with them.

    Raises RefusedError for what is no object: a list, a component, a name that the server should make.
    """
    auto_name = f"{logical_name}-{hashlib.sha256(seed).hexdigest()[:_SUFFIX_LENGTH]}"
    if token == RELEASE:
        inputs = complete_inputs(news, olds, auto_name, around.namespace)
        return inputs, list(check_release(inputs))
    if is_list(token):
        raise RefusedError(f"{token} is a list, which cannot be created: use the type of its items")
    api_version, name = read_token(token)
    given = {"apiVersion": api_version, "kind": name, **to_manifest(news)}
    is_part = is_patch(token, str(given["kind"]))
    kind = around.find_kind(str(given["apiVersion"]), str(given["kind"]))
    if given.get("metadata") is UNKNOWN:
        return to_properties(given), []
    named = _name(normalise(given), to_manifest(olds), auto_name, is_part=is_part)
    inputs = _settle(kind, named, around.namespace)
    problems = check_manifest(kind, inputs) if kind and around.is_recorded and not is_part else []
    return mark_secrets(to_properties(inputs), news), problems


def _name(
    news: Mapping[str, Any], olds: Mapping[str, Any], auto_name: str, *, is_part: bool
) -> dict[str, Any]:
    if name_of(news):
        return dict(news)
    if is_part:
        raise RefusedError("patch resources require the `.metadata.name` field to be set")
    if metadata_of(news).get("generateName"):
        raise RefusedError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
    adopted = name_of(olds) if is_annotated(olds, _AUTONAMED) else auto_name
    annotations = {**(metadata_of(news).get("annotations") or {}), f"{ANNOTATION_PREFIX}{_AUTONAMED}": "true"}
    return with_metadata(news, name=adopted, annotations=annotations)


def _settle(kind: Kind | None, manifest: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """The manifest with a namespace, unless it has one or its kind is in none."""
    if namespace_of(manifest) or (kind is not None and not kind.namespaced):
        return dict(manifest)
    return with_metadata(manifest, namespace=namespace)
