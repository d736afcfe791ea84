"""Kueue as its chart installs it with the platform's values, changed where a process differs from a pod.

What differs: addresses and ports, no leader election, no visibility server, and its certificate is put where
a pod would have it mounted. Its account, roles, webhooks and all else of its configuration are the chart's.
"""

import base64
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headroom.planning.kueue_release import NAMESPACE, RELEASE, kueue_values, plan_kueue
from sandbox.control_plane.api import Manifest
from sandbox.control_plane.certificates import CertificateAuthority, KeyPair
from sandbox.control_plane.servers import Ports
from sandbox.engine.errors import SandboxError

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}-controller-manager"
ACCOUNT_GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
WEBHOOK_SERVICE = f"{RELEASE}-webhook-service"
WEBHOOK_HOST = f"{WEBHOOK_SERVICE}.{NAMESPACE}.svc"
CERTIFICATE_SECRET = f"{RELEASE}-webhook-server-cert"
# The name under which Kueue's certificate rotation knows its authority (kueue pkg/util/cert, v0.19.2).
AUTHORITY = "kueue-ca"
# Objects of the chart that stand for the pod or for what the process does not serve.
LEFT_OUT = {"APIService", "Deployment", "PodDisruptionBudget"}
FLAGS_OF_THE_POD = ("--config=",)


@dataclass(frozen=True)
class Release:
    """What the chart says: its objects, the configuration file, and the arguments of the process."""

    objects: tuple[Manifest, ...]
    configuration: Mapping[str, Any]
    arguments: tuple[str, ...]


def platform_values(nodes: int = 10) -> dict[str, Any]:
    """The chart's values that the platform sets, for a cluster of `nodes` nodes."""
    # Pool and taint say where the pod runs, and there is none.
    return kueue_values(plan_kueue(nodes, "system", ("dedicated", "system")))


def render_chart(helm: Path, chart: Path, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that Helm would install; raises SandboxError where the chart refuses the values."""
    command = [str(helm), "template", RELEASE, str(chart), "--namespace", NAMESPACE, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)
    if done.returncode != 0:
        raise SandboxError(f"Kueue's chart cannot be rendered: {done.stderr.strip()}")
    documents = yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)
    return [document for document in documents if document]


def read_release(objects: Iterable[Manifest]) -> Release:
    """The release as rendered, taken apart; raises SandboxError where a part is missing."""
    kept = tuple(objects)
    configurations = [each for each in kept if each["kind"] == "ConfigMap" and _holds_configuration(each)]
    deployments = [each for each in kept if each["kind"] == "Deployment"]
    if len(configurations) != 1 or len(deployments) != 1:
        raise SandboxError("Kueue's chart has another form than expected: one Deployment, one configuration")
    container = deployments[0]["spec"]["template"]["spec"]["containers"][0]
    arguments = tuple(each.strip() for each in container["args"])
    return Release(
        objects=tuple(each for each in kept if each["kind"] not in LEFT_OUT),
        configuration=yaml.safe_load(configurations[0]["data"]["controller_manager_config.yaml"]),
        arguments=tuple(each for each in arguments if not each.startswith(FLAGS_OF_THE_POD)),
    )


def create_certificates() -> tuple[KeyPair, KeyPair]:
    """An authority that Kueue takes for its own, and the certificate of its webhooks signed by it."""
    authority = CertificateAuthority(AUTHORITY)
    return authority.pair, authority.sign_server([WEBHOOK_HOST])


def adapt_objects(
    objects: Iterable[Manifest], port: int, authority: KeyPair, server: KeyPair
) -> Iterator[dict[str, Any]]:
    """The objects with webhooks that lead to `port` of this machine, and the certificate in its secret.

    A service of type ExternalName does it: the API server goes where it says, and still expects the name of
    the service in the certificate, as in a cluster.
    """
    for each in objects:
        adapted = _with_port(each, port)
        if _is(each, "Service", WEBHOOK_SERVICE):
            adapted["spec"] = {"type": "ExternalName", "externalName": "127.0.0.1"}
        elif _is(each, "Secret", CERTIFICATE_SECRET):
            adapted["data"] = _secret_data(authority, server)
        yield adapted


def adapt_configuration(configuration: Mapping[str, Any], ports: Ports, certificates: Path) -> dict[str, Any]:
    """The configuration with the addresses of this machine; the certificate lies in `certificates`."""
    return {
        **configuration,
        "health": {"healthProbeBindAddress": f"127.0.0.1:{ports.kueue_health}"},
        "metrics": {
            **configuration.get("metrics", {}),
            "bindAddress": f"127.0.0.1:{ports.kueue_metrics}",
        },
        "webhook": {
            **configuration.get("webhook", {}),
            "host": "127.0.0.1",
            "port": ports.kueue_webhook,
            "certDir": str(certificates),
        },
        "leaderElection": {**configuration.get("leaderElection", {}), "leaderElect": False},
    }


def adapt_arguments(arguments: Iterable[str]) -> list[str]:
    """The arguments with the visibility server off: it would be reached through the API server only."""
    gates, rest = [], []
    for argument in arguments:
        found = re.fullmatch(r"--feature-gates=(.*)", argument)
        (gates.append(found[1]) if found else rest.append(argument))
    kept = [each for gate in gates for each in gate.split(",") if not each.startswith("VisibilityOnDemand=")]
    return [*rest, f"--feature-gates={','.join([*kept, 'VisibilityOnDemand=false'])}"]


def _holds_configuration(config_map: Manifest) -> bool:
    return "controller_manager_config.yaml" in config_map.get("data", {})


def _is(manifest: Manifest, kind: str, name: str) -> bool:
    return manifest["kind"] == kind and manifest["metadata"]["name"] == name


def _with_port(value: Any, port: int) -> Any:
    """The value with `port` in every reference to the webhook service."""
    if isinstance(value, list):
        return [_with_port(each, port) for each in value]
    if not isinstance(value, Mapping):
        return value
    changed = {key: _with_port(each, port) for key, each in value.items()}
    service = changed.get("service")
    if isinstance(service, dict) and service.get("name") == WEBHOOK_SERVICE:
        changed["service"] = {**service, "port": port}
    return changed


def _secret_data(authority: KeyPair, server: KeyPair) -> dict[str, str]:
    files = {
        "ca.crt": authority.certificate,
        "ca.key": authority.key,
        "tls.crt": server.certificate,
        "tls.key": server.key,
    }
    return {name: base64.b64encode(data).decode() for name, data in files.items()}
