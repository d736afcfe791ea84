"""Custom resource definitions that a cluster on Google Cloud has besides Kueue's own."""

from pathlib import Path
from typing import Any

import yaml

from sandbox.tools.catalog import find_module_folder

# Go modules, and the folder in each; their versions are fixed in sandbox/tools.
SOURCES = (
    ("k8s.io/autoscaler/cluster-autoscaler/apis", "config/crd"),
    ("sigs.k8s.io/jobset", "config/components/crd/bases"),
    ("sigs.k8s.io/gateway-api", "config/crd/standard"),
    ("github.com/GoogleCloudPlatform/prometheus-engine", "charts/operator/crds"),
)

NAMESPACES = ("gmp-public", "gmp-system")
"""What GKE makes for managed collection."""


def load_definitions() -> list[dict[str, Any]]:
    """ProvisioningRequest, JobSet, Gateway API, and Managed Prometheus's monitoring resources."""
    return [
        definition
        for module, folder in SOURCES
        for path in sorted((find_module_folder(module) / folder).glob("*.yaml"))
        for definition in _read(path)
    ]


def _read(path: Path) -> list[dict[str, Any]]:
    documents = yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return [each for each in documents if each and each["kind"] == "CustomResourceDefinition"]
