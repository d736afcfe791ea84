"""Reads a kubeconfig: which cluster it means, and with what credentials."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class KubeconfigError(Exception):
    """A kubeconfig that cannot be used; the text says why."""


@dataclass(frozen=True)
class ClusterAccess:
    """Where an API server is and how it knows its callers. Certificates and keys are PEM texts."""

    server: str
    namespace: str = "default"
    authority: str | None = None
    is_verified: bool = True
    tls_server_name: str | None = None
    certificate: str | None = None
    key: str | None = None
    token: str | None = None
    has_plugin: bool = False


def parse_kubeconfig(text: Any) -> dict[str, Any]:
    """A kubeconfig given as text (YAML or JSON), as the path of a file, or as an object already.

    Raises KubeconfigError for what is none.
    """
    if isinstance(text, Mapping):
        return dict(text)
    if not text:
        return {}
    content = str(text)
    if "\n" not in content and not content.lstrip().startswith("{"):
        content = _read_file(Path(content).expanduser())
    try:
        parsed = json.loads(content) if content.lstrip().startswith("{") else yaml.safe_load(content)
    except (ValueError, yaml.YAMLError) as error:
        raise KubeconfigError(f"the kubeconfig is neither YAML nor JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise KubeconfigError("the kubeconfig holds no object")
    return parsed


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise KubeconfigError(f"the kubeconfig {path} cannot be read: {error.strerror}") from None


def find_cluster(config: Mapping[str, Any], context: str = "", cluster: str = "") -> dict[str, Any] | None:
    """The cluster entry that a kubeconfig means, or None: its current one, unless others are named."""
    current = _find(config, "contexts", context or config.get("current-context"), "context")
    return current and _find(config, "clusters", cluster or current.get("cluster"), "cluster")


def read_access(config: Mapping[str, Any], context: str = "", cluster: str = "") -> ClusterAccess:
    """The server and the credentials that a kubeconfig means. Raises KubeconfigError where one is missing."""
    current = _find(config, "contexts", context or config.get("current-context"), "context")
    entry = find_cluster(config, context, cluster)
    if current is None or entry is None or not entry.get("server"):
        raise KubeconfigError(
            "the kubeconfig names no cluster: current-context must lead to one with a server"
        )
    user = _find(config, "users", current.get("user"), "user") or {}
    return ClusterAccess(
        server=entry["server"].rstrip("/"),
        namespace=current.get("namespace") or "default",
        authority=_material(entry, "certificate-authority"),
        is_verified=not entry.get("insecure-skip-tls-verify"),
        tls_server_name=entry.get("tls-server-name"),
        certificate=_material(user, "client-certificate"),
        key=_material(user, "client-key"),
        token=user.get("token")
        or (_read_file(Path(user["tokenFile"])).strip() if "tokenFile" in user else None),
        has_plugin="exec" in user or "auth-provider" in user,
    )


def _find(config: Mapping[str, Any], section: str, name: Any, key: str) -> dict[str, Any] | None:
    for entry in config.get(section) or ():
        if entry.get("name") == name:
            return entry.get(key) or {}
    return None


def _material(entry: Mapping[str, Any], name: str) -> str | None:
    """A certificate or key that stands in the entry itself, or in the file that it names."""
    if entry.get(f"{name}-data"):
        return base64.b64decode(entry[f"{name}-data"]).decode()
    return _read_file(Path(entry[name])) if entry.get(name) else None
