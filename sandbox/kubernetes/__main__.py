"""Serve the provider: `python -m sandbox.kubernetes`, as the engine starts a provider plugin."""

from importlib.metadata import version
from pathlib import Path

from sandbox.kubernetes.provider import KubernetesProvider
from sandbox.kubernetes.store import FILE, Store
from sandbox.provider.serving import serve


def _make(cloud: Path) -> KubernetesProvider:
    return KubernetesProvider(Store(cloud.with_name(FILE)), cloud, version("pulumi_kubernetes"))


if __name__ == "__main__":
    raise SystemExit(serve(_make))
