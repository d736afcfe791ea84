"""Pure functions on manifests: what was asked for, in a form that can be compared with what is there."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from sandbox.kubernetes.kinds import OMITTED, Kind, find_kind
from sandbox.kubernetes.quantities import canonical_quantity
from sandbox.kubernetes.validation import QUANTITY, resolve
from sandbox.provider.wire import Unknown, is_known, reveal

# How the SDKs write the extensions of CRD schemas, whose real names have dashes.
# Source: underscoreToDashMap in pulumi-kubernetes provider/pkg/provider/provider.go, read 2026-11-21.
_UNDERSCORED: Final = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
_DASHED: Final = {dashed: plain for plain, dashed in _UNDERSCORED.items()}
_SERVER_SET: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
_CONTROLLERS_ANNOTATIONS: Final = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)
ANNOTATION_PREFIX: Final = "pulumi.com/"


def to_manifest(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest from a resource's properties: no secret marks, real names of fields."""
    return _rename(reveal(dict(properties)), _UNDERSCORED)


def to_properties(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties from a manifest."""
    return _rename(dict(manifest), _DASHED)


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _rename(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_rename(item, names) for item in value]
    return value


def metadata_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata; empty where there is none or it is unknown."""
    metadata = manifest.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def name_of(manifest: Mapping[str, Any]) -> str | Unknown:
    """The name, which may be unknown; empty where there is none."""
    return metadata_of(manifest).get("name") or ""


def namespace_of(manifest: Mapping[str, Any]) -> str | Unknown:
    """The namespace, which may be unknown; empty where there is none."""
    return metadata_of(manifest).get("namespace") or ""


def annotation(manifest: Mapping[str, Any], name: str) -> str:
    """The value of the annotation `pulumi.com/NAME`; empty where there is none."""
    annotations = metadata_of(manifest).get("annotations")
    value = annotations.get(ANNOTATION_PREFIX + name) if isinstance(annotations, Mapping) else None
    return value if isinstance(value, str) else ""


def is_annotated(manifest: Mapping[str, Any], name: str) -> bool:
    """Whether the annotation `pulumi.com/NAME` is "true"."""
    return annotation(manifest, name) == "true"


def with_metadata(manifest: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """The manifest with these fields of its metadata set; None takes one away."""
    metadata = {**metadata_of(manifest), **fields}
    kept = {key: value for key, value in metadata.items() if value is not None}
    return {**manifest, "metadata": kept}


def prune(live: Any, shape: Any) -> Any:
    """The part of a live value that has the shape of what was asked for."""
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return {key: prune(value, shape[key]) for key, value in live.items() if key in shape}
    if isinstance(live, list) and isinstance(shape, list):
        pruned = [prune(value, part) for value, part in zip(live, shape, strict=False)]
        return pruned + live[len(shape) :]
    return live


def normalise(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The form in which an API server would give the manifest back, as far as it was asked for.

    Built-in kinds have their quantities rewritten, empty fields left out and a Secret's `stringData` moved to
    `data`; what only the server sets is taken away. Custom resources stay as they are, as on the server.
    """
    kind = find_kind(str(manifest.get("apiVersion")), str(manifest.get("kind")))
    result = dict(manifest)
    if kind and kind.is_built_in and is_known(manifest):
        result = _rewrite(kind, kind.schema, result)
        if kind.name == "Secret":
            result = _encode_secret(result)
        if kind.name == "CustomResourceDefinition":
            result.pop("status", None)
    if isinstance(result.get("metadata"), Mapping):
        kept = {key: value for key, value in result["metadata"].items() if key not in _SERVER_SET}
        result["metadata"] = kept
    return result


def _rewrite(kind: Kind, schema: Mapping[str, Any], value: Any) -> Any:
    """The value with its quantities in the server's form, and without what the server leaves out."""
    if schema.get("$ref") == QUANTITY:
        return canonical_quantity(value) or value
    schema = resolve(kind, schema)
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        return {
            key: _rewrite(kind, properties.get(key, rest), item)
            for key, item in value.items()
            if not (properties.get(key, rest).get(OMITTED) and not item)
        }
    if isinstance(value, list):
        return [_rewrite(kind, schema.get("items", {}), item) for item in value]
    return value


def _encode_secret(secret: dict[str, Any]) -> dict[str, Any]:
    text = secret.get("stringData")
    data = {key: _recode(value) for key, value in (secret.get("data") or {}).items()}
    if isinstance(text, dict) and text:
        data |= {key: base64.b64encode(str(value).encode()).decode() for key, value in text.items()}
        secret = {key: value for key, value in secret.items() if key != "stringData"}
    return {**secret, "data": data} if data else secret


def _recode(value: Any) -> Any:
    try:
        return base64.b64encode(base64.b64decode(value)).decode()
    except (binascii.Error, TypeError, ValueError):
        return value


def rewrite_quantities(schema: Mapping[str, Any], value: Any) -> Any:
    """A custom resource's value with its quantities in the form in which typed clients write them."""
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        return {key: rewrite_quantities(properties.get(key, rest), item) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite_quantities(schema.get("items", {}), item) for item in value]
    is_quantity = schema.get("x-kubernetes-int-or-string") and "KMGTPE" in schema.get("pattern", "")
    return canonical_quantity(value) or value if is_quantity else value


def fill_defaults(schema: Mapping[str, Any], value: Any) -> Any:
    """A custom resource's value with the defaults of its schema, as the API server fills them in."""
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
        rest = schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        filled = {**defaults, **value}
        return {name: fill_defaults(properties.get(name, rest), item) for name, item in filled.items()}
    if isinstance(value, list):
        return [fill_defaults(schema.get("items", {}), item) for item in value]
    return value


def inputs_of_live(live: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that would give a live object: all but what the server and its controllers set."""
    inputs = normalise({key: value for key, value in live.items() if key != "status"})
    annotations = {
        key: value
        for key, value in (inputs["metadata"].get("annotations") or {}).items()
        if key not in _CONTROLLERS_ANNOTATIONS
    }
    metadata = {key: value for key, value in inputs["metadata"].items() if key != "annotations"}
    return {**inputs, "metadata": metadata | ({"annotations": annotations} if annotations else {})}
