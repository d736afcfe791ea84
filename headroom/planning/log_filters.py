"""Filters in the Logging query language: which entries are a pipeline's, and which nobody needs."""

from collections.abc import Callable, Sequence
from hashlib import sha256

from headroom.spec.log_filter import LONGEST_FILTER

AUDIT_LOGS = 'LOG_ID("cloudaudit.googleapis.com/data_access") OR LOG_ID("cloudaudit.googleapis.com/policy")'
"""Who read and wrote data, and whom a policy refused; admin activity is in _Required, for 400 days."""

HEALTH_CHECKS = (
    "severity<WARNING AND NOT httpRequest.status>=400 AND "
    r'(httpRequest.userAgent=~"^(GoogleHC|kube-probe)/" OR '
    r'textPayload=~"GET /(healthz|livez|readyz|metrics)[ ?][^\"]*\" 200( |$)")'
)
"""Probes and scrapes that were answered well, as structured requests or as lines of an access log."""

DEBUG = "severity=DEBUG"


def workload_logs(environment: str, region: str) -> str:
    """Return the filter of what the cluster's containers and pods log, and of its events; its nodes and its
    control plane are not in it."""
    return (
        f'resource.labels.cluster_name="{environment}-cluster" AND resource.labels.location="{region}" AND '
        '(resource.type=("k8s_container" OR "k8s_pod") OR (resource.type="k8s_cluster" AND LOG_ID("events")))'
    )


def in_namespaces(names: Sequence[str]) -> str:
    """Return the filter of the entries of namespaces.

    What an event is about counts only in Kubernetes' own events: a container writes what it likes into its
    payload.
    """
    listed = " OR ".join(f'"{name}"' for name in names)
    return (
        f"(resource.labels.namespace_name=({listed}) OR "
        f'(resource.type="k8s_cluster" AND jsonPayload.involvedObject.namespace=({listed})))'
    )


def shard_by_name(names: Sequence[str], render: Callable[[Sequence[str]], str]) -> list[tuple[int, str]]:
    """Return filters, with their numbers, that name all of `names`, each as short as Google wants it.

    A name's filter follows from its hash and from how many filters there are, which doubles where one would
    be too long: but for that, another name changes one filter.
    """
    hashes = {name: int.from_bytes(sha256(name.encode()).digest()[:8]) for name in names}
    count = 1
    while True:
        shards: list[list[str]] = [[] for _ in range(count)]
        for name, hashed in hashes.items():
            shards[hashed % count].append(name)
        filters = [(number, render(shard)) for number, shard in enumerate(shards) if shard]
        if all(len(text) <= LONGEST_FILTER for _, text in filters):
            return filters
        count *= 2
