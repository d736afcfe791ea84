"""The cluster and its node pools, as the API of GKE has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headroom.audit.snapshot import NodePoolNow
from headroom.live.connection import Connection, UnansweredError
from headroom.live.retries import get_json
from headroom.spec.base import POOL_LABEL

_HOST: Final = "container.googleapis.com"


@dataclass(frozen=True, slots=True)
class GkeCluster:
    """What an audit wants of a cluster: the DNS name of its API server, and its node pools."""

    endpoint: str
    node_pools: tuple[NodePoolNow, ...]
    gaps: tuple[str, ...]


def get_cluster(connection: Connection, region: str, name: str) -> GkeCluster:
    """Return the cluster. Raises UnansweredError where there is none, or it cannot be asked."""
    path = f"/v1/projects/{connection.project}/locations/{region}/clusters/{name}"
    content = get_json(connection, _HOST, path, f"the cluster {name}")
    dns = (content.get("controlPlaneEndpointsConfig") or {}).get("dnsEndpointConfig") or {}
    gaps: list[str] = []
    pools = []
    for item in content.get("nodePools") or ():
        try:
            pools.append(read_node_pool(item))
        except (KeyError, TypeError, ValueError, AttributeError):
            gaps.append("a node pool has a form that is not GKE's v1")
    return GkeCluster(str(dns.get("endpoint") or ""), tuple(pools), tuple(gaps))


def read_node_pool(item: Mapping[str, Any]) -> NodePoolNow:
    """Return a node pool, as the API has it or as a stack's state has its inputs: both are named alike.

    Limits of a zone are multiplied by the zones; a pool without the autoscaler stays at its size.
    An autoscaler that says no maximum leaves it unknown.
    """
    config = item.get("config") or item.get("nodeConfig") or {}
    scaling = item.get("autoscaling") or {}
    zones = len(item.get("locations") or item.get("nodeLocations") or ()) or 1
    if scaling and scaling.get("enabled", True):
        total, of_zone = scaling.get("totalMaxNodeCount"), scaling.get("maxNodeCount")
        most = int(total) if total else int(of_zone) * zones if of_zone else None
    else:
        size = item.get("nodeCount", item.get("initialNodeCount"))
        most = None if size is None else int(size) * zones
    labels = config.get("labels") or {}
    return NodePoolNow(str(item["name"]), str(labels.get(POOL_LABEL, "")), str(config["machineType"]), most)


def require_endpoint(cluster: GkeCluster, name: str) -> str:
    """Return the DNS name of a cluster's API server. Raises UnansweredError where it has none."""
    if not cluster.endpoint:
        raise UnansweredError(f"the cluster {name} has no DNS endpoint", remedy="pulumi up")
    return cluster.endpoint
