"""The control plane itself: users, admission, failures and what is left behind."""

import json
import ssl
import urllib.request
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from sandbox.control_plane.plane import ControlPlane
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.kueue_model import Quota
from tests.cluster.manifests import VERSION, cluster_queue, cohort, job, local_queue, resource_flavor

ONE_CPU = {"cpu": "1"}


def _client(kubeconfig: Path) -> Cluster:
    return Cluster(kubeconfig)


def _role_binding(place: str, role: str, **subject: str) -> dict:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": role, "namespace": place},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def test_user_may_do_what_the_users_group_may(control_plane: ControlPlane, cluster: Cluster, place: str):
    subject = {"kind": "Group", "name": "ads", "apiGroup": "rbac.authorization.k8s.io"}
    cluster.apply(_role_binding(place, "view", **subject))
    member = _client(control_plane.kubeconfig_for("ann@acme.example", ["ads"]))
    other = _client(control_plane.kubeconfig_for("bob@acme.example", ["ml"]))
    assert member.list_all("v1", "Pod", place) == []
    with pytest.raises(ApiException) as caught:
        other.list_all("v1", "Pod", place)
    assert 'User "bob@acme.example" cannot list' in json.loads(caught.value.body)["message"]
    member.close()
    other.close()


def test_service_account_is_known_by_its_token(control_plane: ControlPlane, cluster: Cluster, place: str):
    metadata = {"name": "runner", "namespace": place}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    cluster.apply(_role_binding(place, "edit", kind="ServiceAccount", **metadata))
    runner = _client(control_plane.kubeconfig_for_account(place, "runner"))
    runner.create(job("by-runner", place, None, ONE_CPU))
    runner.close()


def test_kueue_serves_the_metrics_that_alerts_are_made_of(
    control_plane: ControlPlane, cluster: Cluster, flavors: tuple[str, str], place: str
):
    """M4, M9, M10, M13: per queue, flavor and resource, with the account that may read them."""
    cluster.apply(cohort(place), cluster_queue(place, place, {flavors[0]: Quota(3, borrowing=2)}))
    metadata = {"name": "reader", "namespace": place}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    binding = _role_binding(place, "kueue-metrics-reader", kind="ServiceAccount", **metadata)
    cluster.apply(
        {**binding, "kind": "ClusterRoleBinding", "metadata": {"name": f"{place}-reader"}},
    )
    token = control_plane.create_token(place, "reader")
    request = urllib.request.Request(
        control_plane.kueue_metrics_url, headers={"Authorization": f"Bearer {token}"}
    )

    def read() -> str:
        # The server signs its certificate itself, as in a cluster.
        context = ssl._create_unverified_context()
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.read().decode()

    line = f'kueue_cluster_queue_borrowing_limit{{cluster_queue="{place}"'
    wait_until(lambda: line in read(), "the queue's borrowing limit is a metric")


@pytest.mark.parametrize(
    ("definition", "version", "kind"),
    [
        ("provisioning requests", "autoscaling.x-k8s.io/v1", "ProvisioningRequest"),
        ("jobsets", "jobset.x-k8s.io/v1alpha2", "JobSet"),
        ("pod monitorings", "monitoring.googleapis.com/v1", "PodMonitoring"),
        ("gateways", "gateway.networking.k8s.io/v1", "Gateway"),
    ],
)
def test_api_server_serves(cluster: Cluster, definition: str, version: str, kind: str):
    assert cluster.list_all(version, kind) == [], definition


@pytest.mark.parametrize(
    ("what", "manifest", "message"),
    [
        (
            "a limit on borrowing without a cohort",
            cluster_queue("alone", None, {"first": Quota(1, borrowing=1)}),
            "borrowingLimit must be nil when cohort is empty",
        ),
        (
            "lending more than there is",
            cluster_queue("generous", "pool", {"first": Quota(1, lending=2)}),
            "must be less than or equal to the nominalQuota",
        ),
    ],
)
def test_kueue_refuses(cluster: Cluster, what: str, manifest: dict, message: str):
    assert message in cluster.refusal(manifest), what


def _status(cluster: Cluster, place: str) -> dict:
    return cluster.read("v1", "ResourceQuota", "objects", place).get("status") or {}


def test_admission_is_the_api_servers_own(cluster: Cluster, place: str):
    """Quotas of objects, security standards and admission policies hold as in a cluster."""
    quota = {"hard": {"count/jobs.batch": "1"}}
    metadata = {"name": "objects", "namespace": place}
    cluster.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": quota})
    wait_until(lambda: "hard" in _status(cluster, place), "counted")
    cluster.create(job("one", place, None, ONE_CPU))
    assert "exceeded quota: objects" in cluster.refusal(job("two", place, None, ONE_CPU))
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{place}-strict", "labels": labels}}
    )
    container = {"name": "main", "image": "main", "securityContext": {"privileged": True}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": f"{place}-strict"},
        "spec": {"containers": [container]},
    }
    assert "violates PodSecurity" in cluster.refusal(pod)


def test_without_kueue_what_it_checks_is_refused_and_afterwards_all_goes_on(
    control_plane: ControlPlane, cluster: Cluster, flavors: tuple[str, str], place: str
):
    cluster.apply(cluster_queue(place, None, {flavors[0]: Quota(2)}), local_queue("queue", place, place))
    cluster.submit(place, "queue", 1, ONE_CPU)
    wait_until(lambda: cluster.count_admitted(place)["queue"] == 1, "the first job is admitted")
    control_plane.stop_kueue(kill=True)
    try:
        refusal = cluster.refusal(resource_flavor(f"{place}-new"))
        assert "failed calling webhook" in refusal
        assert "connection refused" in refusal
    finally:
        control_plane.start_kueue()
    cluster.submit(place, "queue", 1, ONE_CPU)
    wait_until(lambda: cluster.count_admitted(place)["queue"] == 2, "the second job is admitted")


def test_api_server_comes_back_with_what_it_knew(control_plane: ControlPlane, cluster: Cluster, place: str):
    metadata = {"name": "kept", "namespace": place}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}})
    control_plane.stop_api_server(kill=True)
    assert not control_plane.api.is_ready()
    control_plane.start_api_server()
    assert cluster.read("v1", "ConfigMap", "kept", place)["data"] == {"a": "b"}
    wait_until(lambda: VERSION in str(cluster.read(VERSION, "ResourceFlavor", "first")), "Kueue's objects")
