"""Kubeconfig files for users of a control plane."""

import base64
import json
from pathlib import Path

from sandbox.control_plane.certificates import KeyPair
from sandbox.engine.cache import replace_file

NAME = "headroom-sandbox"


def write_kubeconfig(path: Path, port: int, authority: bytes, user: KeyPair) -> Path:
    """Write a kubeconfig that holds everything it needs, readable by its owner only; returns `path`."""
    return _write(
        path,
        port,
        authority,
        {"client-certificate-data": _encode(user.certificate), "client-key-data": _encode(user.key)},
    )


def write_token_kubeconfig(path: Path, port: int, authority: bytes, token: str) -> Path:
    """The same for a bearer token, such as a service account's."""
    return _write(path, port, authority, {"token": token})


def _write(path: Path, port: int, authority: bytes, user: dict[str, str]) -> Path:
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": _encode(authority)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": server}],
        "users": [{"name": NAME, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    # JSON is YAML too, and every reader of kubeconfigs takes it.
    replace_file(path, json.dumps(document, indent=2), mode=0o600)
    return path


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
