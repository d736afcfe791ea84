"""The provider's own configuration: which keys there are, and what resources feel of it."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.google.check import Failure, check_object
from sandbox.google.outputs import Settings
from sandbox.google.schema import provider_properties
from sandbox.provider.wire import UNKNOWN, reveal

# Where the official provider looks for what the configuration leaves out.
# Source: google/envvar of hashicorp/terraform-provider-google, 2026-08-21.
_ENVIRONMENT: Final = {
    "project": ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "zone": ("GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
}
# Keys the engine adds for itself.
_ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "parameterization", "__internal"})


def parse_configuration(values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with what the engine sends as JSON text turned into values."""
    parsed = {}
    for name, value in reveal(dict(values)).items():
        declared = provider_properties().get(name)
        is_text = declared is not None and declared.kind.name != "string" and isinstance(value, str)
        parsed[name] = _parse(value) if is_text else value
    return parsed


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def check_configuration(values: Mapping[str, Any]) -> Iterator[Failure]:
    """What is wrong with the provider's configuration: unknown keys, wrong kinds."""
    given = {name: value for name, value in parse_configuration(values).items() if name not in _ENGINE_KEYS}
    yield from check_object(provider_properties(), given, "")


def read_settings(values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """What resources feel of the configuration; the environment fills in project and place."""
    parsed = parse_configuration(values)

    def place(name: str) -> str:
        value = parsed.get(name)
        found = (environment[key] for key in _ENVIRONMENT[name] if environment.get(key))
        return value if isinstance(value, str) and value else next(found, "")

    labels = parsed.get("defaultLabels")
    return Settings(
        place("project"),
        place("region"),
        place("zone"),
        {} if labels is None or labels is UNKNOWN else labels,
        parsed.get("addPulumiAttributionLabel") is not False,
    )
