"""Labels as the official provider merges them: the provider's defaults under the resource's own."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.schema import ResourceType
from sandbox.provider.wire import UNKNOWN, is_known

# Source: patches of pulumi/pulumi-gcp over transport/config.go (AttributionKey), 2026-08-21.
ATTRIBUTION: Final = ("goog-pulumi-provisioned", "true")


def find_labels_property(resource: ResourceType) -> str | None:
    """The input that holds a type's labels, or None where the type has no merged labels."""
    if "pulumiLabels" not in resource.outputs:
        return None
    return next((name for name in ("labels", "resourceLabels") if name in resource.inputs), None)


def merge_labels(
    resource: ResourceType, inputs: Mapping[str, Any], default_labels: Mapping[str, str], is_attributed: bool
) -> Any:
    """The labels that a resource will carry, UNKNOWN if one is unknown, None where the type has none."""
    name = find_labels_property(resource)
    if name is None:
        return None
    own = inputs.get(name) or {}
    if not is_known(own):
        return UNKNOWN
    attribution = dict([ATTRIBUTION]) if is_attributed else {}
    return {**default_labels, **attribution, **own}
