"""Ways around the limits, each with what the API server must answer."""

from collections.abc import Callable
from typing import Any

from tests.cluster.manifests import HOST, VERSION, Manifest, expiring, job


def pod(place: str, **spec: Any) -> Manifest:
    container = {"name": "main", "image": "pause", "resources": {"requests": dict(HOST)}}
    labels = {"kueue.x-k8s.io/queue-name": place}
    metadata = {"name": "escape", "namespace": place, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container | spec.pop("container", {})], **spec},
    }


def changed_job(change: Callable[[Manifest], Any]) -> Manifest:
    manifest = expiring(job("escape", "errant", "errant", HOST))
    change(manifest)
    return manifest


def template(manifest: Manifest) -> Manifest:
    return manifest["spec"]["template"]["spec"]


ESCAPES: dict[str, tuple[Manifest, str]] = {
    "no queue": (
        changed_job(lambda each: each["metadata"].pop("labels")),
        "metadata.labels must have kueue.x-k8s.io/queue-name: errant",
    ),
    "another's queue": (
        changed_job(lambda each: each["metadata"]["labels"].update({"kueue.x-k8s.io/queue-name": "steady"})),
        "metadata.labels must have kueue.x-k8s.io/queue-name: errant",
    ),
    "no requests": (
        changed_job(lambda each: template(each)["containers"][0].update(resources={})),
        "every container must ask for cpu and memory",
    ),
    "devices by claim": (
        changed_job(
            lambda each: template(each).update(resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}])
        ),
        "resourceClaims are not counted by the queues",
    ),
    "the host's network": (
        changed_job(lambda each: template(each).update(hostNetwork=True)),
        "pods may not use the host's network",
    ),
    "the host's files": (
        changed_job(lambda each: template(each).update(volumes=[{"name": "h", "hostPath": {"path": "/"}}])),
        "pods may not mount the host's files",
    ),
    "a privileged container": (
        changed_job(
            lambda each: template(each)["containers"][0].update(securityContext={"privileged": True})
        ),
        "containers may not be privileged",
    ),
    "a node by name": (
        changed_job(lambda each: template(each).update(nodeName="node-1")),
        "pods are placed by the scheduler",
    ),
    "the cluster's priority": (
        changed_job(lambda each: template(each).update(priorityClassName="system-node-critical")),
        "system- priorities are the cluster's own",
    ),
    "jobs that stay": (
        changed_job(lambda each: each["spec"].pop("ttlSecondsAfterFinished")),
        "set spec.ttlSecondsAfterFinished",
    ),
    "a DaemonSet": (
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "escape", "namespace": "errant"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod("errant")["spec"]},
            },
        },
        "a DaemonSet is in no queue",
    ),
    "devices without a queue": (
        pod(
            "default",
            container={
                "resources": {"requests": HOST | {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}}
            },
        ),
        "the namespace default has no queue, so no accelerators",
    ),
    "devices by claim without a queue": (
        pod("default", resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}]),
        "the namespace default has no queue, so no devices by resourceClaims",
    ),
    "work without a queue": (pod("default"), "the namespace default has no queue, so nothing runs there"),
    "a queue of one's own": (
        {
            "apiVersion": VERSION,
            "kind": "LocalQueue",
            "metadata": {"name": "escape", "namespace": "errant"},
            "spec": {"clusterQueue": "steady"},
        },
        "leads to the cluster queue of that name and to no other",
    ),
    "a cohort that is not there": (
        {
            "apiVersion": VERSION,
            "kind": "ClusterQueue",
            "metadata": {"name": "escape"},
            "spec": {"cohortName": "nowhere", "namespaceSelector": {}},
        },
        'there is no cohort \\"nowhere\\", and a queue of it would have no limits',
    ),
    "a door of the service's own": (
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "escape", "namespace": "errant"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        },
        "limited: services.loadbalancers=0,services.nodeports=0",
    ),
    "more than the largest node": (
        pod("errant", container={"resources": {"requests": {"cpu": "500", "memory": "1Gi"}}}),
        "must be less than or equal to cpu limit of",
    ),
}
