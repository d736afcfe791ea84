"""Which cluster the provider's configuration means: a real API server, or one of the record."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.google.store import LIVE
from sandbox.google.store import Store as CloudStore
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.configuration import Settings
from sandbox.kubernetes.errors import UnreachableError
from sandbox.kubernetes.kinds import BUILT_IN, ORIGINS
from sandbox.kubernetes.kubeconfig import ClusterAccess, parse_kubeconfig, read_access
from sandbox.kubernetes.live import LiveCluster
from sandbox.kubernetes.recorded import Identity, RecordedCluster, load_facts
from sandbox.kubernetes.store import Store

# Names the kubeconfig of a real API server, to which everything goes.
KUBECONFIG_VARIABLE: Final = "HEADROOM_SANDBOX_KUBECONFIG"
_GKE_CLUSTER: Final = "gcp:container/cluster:Cluster"
_GKE_DOMAIN: Final = ".gke.goog"


@dataclass(frozen=True)
class Connection:
    """The cluster to speak to, the key of its Helm releases, and where objects go that name no namespace."""

    cluster: Cluster
    key: str
    namespace: str = "default"


def connect(
    settings: Settings, store: Store, cloud: Path, environment: Mapping[str, str] = os.environ
) -> Connection:
    """The cluster that the settings mean; with $HEADROOM_SANDBOX_KUBECONFIG the one that it names.

    Raises UnreachableError where there is none or it does not answer, KubeconfigError for a kubeconfig that
    cannot be used.
    """
    path = environment.get(KUBECONFIG_VARIABLE)
    if path:
        access = read_access(parse_kubeconfig(path))
        live = LiveCluster(access)
        live.require_answer()
        return Connection(live, access.server, settings.namespace or access.namespace)
    access = _read_access(settings)
    identity = identify(access.server, settings.cluster_identifier, cloud)
    return Connection(RecordedCluster(store, identity), identity.key, settings.namespace or access.namespace)


def _read_access(settings: Settings) -> ClusterAccess:
    config = parse_kubeconfig(settings.kubeconfig)
    if not config:
        return ClusterAccess(server="")
    return read_access(config, settings.context, settings.cluster)


def identify(server: str, identifier: str, cloud: Path) -> Identity:
    """The recorded cluster behind an address.

    An address of a GKE cluster of the imitated cloud (its file is `cloud`) means that cluster, which lives as
    long as it does there; any other is a cluster that is always there. Raises UnreachableError for an address
    of GKE behind which there is no cluster any more.
    """
    host = urlsplit(server).hostname or ""
    for item in _list_clusters(cloud):
        if host and host in _addresses(item.properties):
            return _identify_gke(f"{item.id}#{item.sequence}", item.properties)
    if host.endswith(_GKE_DOMAIN):
        raise UnreachableError(f"there is no cluster behind {server} in the imitated cloud")
    others = frozenset(ORIGINS) - {BUILT_IN, *load_facts()["charts"].values()}
    return Identity(identifier or server or "default", others)


def _list_clusters(cloud: Path) -> list[Any]:
    if not cloud.is_file():
        return []
    store = CloudStore(cloud)
    try:
        return store.objects(_GKE_CLUSTER, LIVE)
    finally:
        store.close()


def _addresses(properties: Mapping[str, Any]) -> set[Any]:
    dns = _look_up(properties, "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint")
    return {properties.get("endpoint"), dns}


def _identify_gke(key: str, properties: Mapping[str, Any]) -> Identity:
    facts = load_facts()
    parts = {
        origin: row
        for origin, row in facts["gke"].items()
        if not row["property"] or _look_up(properties, row["property"]) not in row["without"]
    }
    added = [name for row in parts.values() for name in row["namespaces"]]
    return Identity(key, frozenset(parts), frozenset([*facts["namespaces"]["names"], *added]))


def _look_up(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
