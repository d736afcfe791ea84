"""What collects metrics, in a real API server, with the metrics of the real Kueue."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from headroom.planning.plan import plan_config
from headroom.spec.stack_file import load_config
from sandbox.control_plane.plane import ControlPlane
from tests.cluster.cluster import Cluster, wait_until
from tests.mocks import Registered, record

PLACE = "headroom-monitoring"


@pytest.fixture(scope="module")
def objects(cluster: Cluster) -> list[dict[str, Any]]:
    """Everything that the component makes, applied in the order in which it does."""
    found = [each for each in _run_program() if each.options.get("parent") == "dev-collection"]
    order = ("Namespace", "ServiceAccount", "StorageClass", "ConfigMap")
    # On the wire of the engine every number is a float.
    manifests = [
        json.loads(json.dumps(each.inputs), parse_float=lambda text: int(float(text))) for each in found
    ]
    manifests.sort(key=lambda each: order.index(each["kind"]) if each["kind"] in order else len(order))
    cluster.apply(*manifests)
    return manifests


def _run_program() -> list[Registered]:
    root = Path(__file__).resolve().parents[2]
    plan = plan_config(load_config(root / "Pulumi.dev.yaml"), "dev", "f")

    async def main() -> None:
        from infra.stack import build

        await build(plan).registered()

    return record("dev", main)


def test_the_api_server_takes_every_object(objects: list[dict[str, Any]]) -> None:
    assert sorted({each["kind"] for each in objects}) == [
        "ClusterPodMonitoring",
        "ClusterRoleBinding",
        "ConfigMap",
        "Namespace",
        "NetworkPolicy",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
        "StatefulSet",
        "StorageClass",
    ]


def test_the_pushgateway_passes_pod_security_its_quota_and_kueue(
    objects: list[dict[str, Any]], cluster: Cluster
) -> None:
    """A pod that is refused is never made; one that Kueue manages has a gate."""
    wait_until(lambda: bool(cluster.list_all("v1", "Pod", PLACE)), "the pod is made", 60)
    (pod,) = cluster.list_all("v1", "Pod", PLACE)
    assert pod["metadata"]["name"] == "pushgateway-0"
    assert not pod["spec"].get("schedulingGates")
    assert [each["metadata"]["name"] for each in cluster.list_all("v1", "PersistentVolumeClaim", PLACE)] == [
        "data-pushgateway-0"
    ]


def test_the_collectors_token_opens_kueues_metrics_and_nothing_else(
    objects: list[dict[str, Any]], cluster: Cluster, control_plane: ControlPlane
) -> None:
    """Q3: a scrape without it is refused, and the alerts on quota would be silent."""

    def secret() -> dict[str, Any]:
        return cluster.read("v1", "Secret", "kueue-metrics", "gmp-public")

    wait_until(lambda: bool(secret().get("data")), "the token is there", 60)
    token = base64.b64decode(secret()["data"]["token"]).decode()
    wait_until(lambda: _status(control_plane.kueue_metrics_url, token) == 200, "Kueue shows its metrics", 60)
    assert _status(control_plane.kueue_metrics_url, "") in (401, 403)
    assert _status(f"https://127.0.0.1:{control_plane.ports.api}/api/v1/secrets", token) == 403


def test_collectors_may_read_that_secret_and_no_other(
    objects: list[dict[str, Any]], cluster: Cluster, control_plane: ControlPlane
) -> None:
    cluster.apply(
        _object("ServiceAccount", "collector", "gmp-system"), _object("Secret", "other", "gmp-public")
    )
    token = control_plane.create_token("gmp-system", "collector")
    secrets = f"https://127.0.0.1:{control_plane.ports.api}/api/v1/namespaces/gmp-public/secrets"
    assert _status(f"{secrets}/kueue-metrics", token) == 200
    watched = f"{secrets}?fieldSelector=metadata.name%3Dkueue-metrics"
    assert _status(watched, token) == 200, "as the collectors watch it"
    assert _status(f"{secrets}/other", token) == 403
    assert _status(secrets, token) == 403


def _object(kind: str, name: str, place: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": place}}


def _status(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), context=unchecked
        ) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
