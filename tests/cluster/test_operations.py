"""What the platform runs for itself, in a real API server beside the real Kueue."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import config as kubernetes_config
from kubernetes.client import CoreV1Api

from headroom.live import kueue
from headroom.live.connection import UnansweredError
from headroom.planning.operations import NAMESPACE
from headroom.planning.plan import plan_config
from headroom.spec.stack_file import load_config
from sandbox.control_plane.plane import ControlPlane
from tests.cluster.cluster import Cluster, wait_until
from tests.mocks import Registered, record

IMAGE = "us-central1-docker.pkg.dev/acme-ml-dev/tools/headroom@sha256:" + "a1" * 32
ORDER = ("Namespace", "ServiceAccount", "ConfigMap", "ClusterRole")


@pytest.fixture(scope="module")
def objects(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Everything that the component makes in the cluster, by kind, applied in the order in which it does."""
    found = [each for each in _run_program() if each.options.get("parent") == "dev-operations"]
    # On the wire of the engine every number is a float.
    manifests = [
        json.loads(json.dumps(each.inputs), parse_float=lambda text: int(float(text)))
        for each in found
        if each.type.startswith("kubernetes:")
    ]
    manifests.sort(key=lambda each: ORDER.index(each["kind"]) if each["kind"] in ORDER else len(ORDER))
    cluster.apply(*manifests)
    return {each["kind"]: each for each in manifests}


def _run_program() -> list[Registered]:
    root = Path(__file__).resolve().parents[2]
    config = load_config(root / "Pulumi.dev.yaml") | {"headroom:operations": {"image": IMAGE, "audit": {}}}
    plan = plan_config(config, "dev", "f")

    async def main() -> None:
        from infra.stack import build

        await build(plan).registered()

    return record("dev", main)


@pytest.fixture(scope="module")
def client(
    objects: dict[str, dict[str, Any]], control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A client by the job's own kubeconfig, with a token of the job's own account."""
    folder = tmp_path_factory.mktemp("job")
    admin = yaml.safe_load(control_plane.kubeconfig.read_text())
    api = kubernetes_config.new_client_from_config(str(control_plane.kubeconfig))
    answer = CoreV1Api(api).create_namespaced_service_account_token(
        "audit", NAMESPACE, {"spec": {"audiences": None}}
    )
    api.rest_client.pool_manager.clear()
    (folder / "token").write_text(answer.status.token)
    text = objects["ConfigMap"]["data"]["cluster.yaml"]
    document = yaml.safe_load(text.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(folder)))
    document["clusters"][0]["cluster"] = admin["clusters"][0]["cluster"]
    (folder / "cluster.yaml").write_text(yaml.safe_dump(document))
    return kueue.open_kubeconfig(folder / "cluster.yaml", None)


def test_the_api_server_takes_every_object(objects: dict[str, dict[str, Any]]) -> None:
    assert sorted(objects) == [
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CronJob",
        "Namespace",
        "NetworkPolicy",
        "ResourceQuota",
        "ServiceAccount",
    ]


def test_a_run_passes_pod_security_and_its_quota_and_kueue_leaves_it(
    objects: dict[str, dict[str, Any]], cluster: Cluster
) -> None:
    """Q3, Q8: as `kubectl create job --from=cronjob/audit` makes one."""
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "now", "namespace": NAMESPACE},
        "spec": objects["CronJob"]["spec"]["jobTemplate"]["spec"],
    }
    cluster.create(job)
    wait_until(lambda: bool(cluster.list_all("v1", "Pod", NAMESPACE)), "the pod is made", 60)
    (pod,) = cluster.list_all("v1", "Pod", NAMESPACE)
    assert not pod["spec"].get("schedulingGates")
    assert pod["spec"]["containers"][0]["args"][0] == "audit"
    assert not cluster.read("batch/v1", "Job", "now", NAMESPACE)["spec"].get("suspend")
    cluster.delete("batch/v1", "Job", "now", NAMESPACE)


def test_its_account_reads_what_an_audit_asks_by_its_own_kubeconfig(client: Any) -> None:
    """Q8: queues, nodes, pods; nothing is refused."""
    queues, gaps = kueue.read_queues(client)
    assert gaps == ()
    assert isinstance(queues.queues, tuple)
    nodes = kueue.read_nodes(client)
    assert kueue.read_unmanaged(client, nodes) == ()


def test_its_account_may_do_nothing_else(client: Any, cluster: Cluster) -> None:
    from kubernetes.client.exceptions import ApiException

    for ask in (
        lambda: CoreV1Api(client).list_secret_for_all_namespaces(),
        lambda: CoreV1Api(client).delete_namespaced_config_map("project", NAMESPACE),
        lambda: CoreV1Api(client).read_namespaced_config_map("project", NAMESPACE),
    ):
        with pytest.raises(ApiException) as refusal:
            ask()
        assert refusal.value.status == 403
    with pytest.raises(UnansweredError, match="you may not list resourceflavors"):
        list(kueue._custom(client, "resourceflavors"))
