"""Manifests of Kueue's objects and of jobs, and of a whole layout of quotas."""

from collections.abc import Iterable, Mapping
from typing import Any

from headroom.planning.tenancy import KIND_LABEL
from tests.cluster.kueue_model import Layout, Quota

VERSION = "kueue.x-k8s.io/v1beta2"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
# What a container beside a device asks of its node.
HOST = {"cpu": "500m", "memory": "1Gi"}

Manifest = dict[str, Any]


def namespace(name: str, kind: str = "training") -> Manifest:
    """A namespace in which Kueue manages jobs, as the platform labels those of pipelines."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {KIND_LABEL: kind}}}


def resource_flavor(name: str) -> Manifest:
    return {"apiVersion": VERSION, "kind": "ResourceFlavor", "metadata": {"name": name}}


def cohort(name: str, parent: str | None = None, quotas: Mapping[str, Quota] | None = None) -> Manifest:
    """A cohort with quotas of cpu by flavor."""
    spec: Manifest = {"parentName": parent} if parent else {}
    if quotas:
        spec["resourceGroups"] = _resource_groups(quotas)
    return {"apiVersion": VERSION, "kind": "Cohort", "metadata": {"name": name}, "spec": spec}


def cluster_queue(
    name: str, cohort_name: str | None, quotas: Mapping[str, Quota], *, reclaims: bool = False
) -> Manifest:
    """A cluster queue with quotas of cpu by flavor, open to every namespace."""
    spec: Manifest = {
        "namespaceSelector": {},
        "preemption": {"reclaimWithinCohort": "Any" if reclaims else "Never", "withinClusterQueue": "Never"},
        "resourceGroups": _resource_groups(quotas),
    }
    if cohort_name:
        spec["cohortName"] = cohort_name
    return {"apiVersion": VERSION, "kind": "ClusterQueue", "metadata": {"name": name}, "spec": spec}


def local_queue(name: str, place: str, queue: str) -> Manifest:
    metadata = {"name": name, "namespace": place}
    return {
        "apiVersion": VERSION,
        "kind": "LocalQueue",
        "metadata": metadata,
        "spec": {"clusterQueue": queue},
    }


def job(name: str, place: str, queue: str | None, requests: Mapping[str, str]) -> Manifest:
    """A job of one pod that asks for `requests`, suspended until Kueue admits it."""
    labels = {QUEUE_LABEL: queue} if queue else {}
    limits = {key: value for key, value in requests.items() if "/" in key}
    container = {
        "name": "main",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": dict(requests), "limits": limits},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": place, "labels": labels},
        "spec": {
            "suspend": True,
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def layout_manifests(layout: Layout, prefix: str, place: str) -> Iterable[Manifest]:
    """The objects of a layout, each name after `prefix`, with a local queue in `place` for each queue."""
    for node in layout.cohorts:
        parent = f"{prefix}{node.parent}" if node.parent else None
        yield cohort(f"{prefix}{node.name}", parent, node.quotas)
    for node in layout.queues:
        name, parent = f"{prefix}{node.name}", f"{prefix}{node.parent}" if node.parent else None
        yield cluster_queue(name, parent, node.quotas, reclaims=layout.reclaims)
        yield local_queue(name, place, name)


def _resource_groups(quotas: Mapping[str, Quota]) -> list[Manifest]:
    flavors = [
        {"name": flavor, "resources": [{"name": "cpu", **_limits(quota)}]} for flavor, quota in quotas.items()
    ]
    return [{"coveredResources": ["cpu"], "flavors": flavors}]


def _limits(quota: Quota) -> dict[str, str]:
    values = {
        "nominalQuota": quota.nominal,
        "borrowingLimit": quota.borrowing,
        "lendingLimit": quota.lending,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def expiring(manifest: Manifest, pool: str = "") -> Manifest:
    """The job as the platform wants it: gone some time after its end, and on a pool where one is named."""
    manifest["spec"]["ttlSecondsAfterFinished"] = 60
    if pool:
        manifest["spec"]["template"]["spec"]["nodeSelector"] = {"headroom/pool": pool}
    return manifest
