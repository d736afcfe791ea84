"""The pool that GKE makes with every cluster; the official provider deletes it where the program says so.

It does so after it has seen the cluster come up, and when an update turns `removeDefaultNodePool` on: a
creation whose answer was lost or too late leaves the pool. Source: resourceContainerClusterCreate and
resourceContainerClusterUpdate in google/services/container/resource_container_cluster.go, 2026-08-21.
"""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.google.store import WorldObject

CLUSTER: Final = "gcp:container/cluster:Cluster"
POOL: Final = "gcp:container/nodePool:NodePool"
NAME: Final = "default-pool"


def is_removed(token: str, inputs: Mapping[str, Any]) -> bool:
    """Whether inputs say that a cluster's first pool shall go."""
    return token == CLUSTER and inputs.get("removeDefaultNodePool") is True


def first_pool_id(cluster: str) -> str:
    """The id of the first pool of the cluster of that id."""
    return f"{cluster}/nodePools/{NAME}"


def first_pool_inputs(cluster: WorldObject) -> dict[str, Any]:
    """The first pool of a cluster, as inputs of a node pool."""
    properties = cluster.properties
    return {
        "name": NAME,
        "cluster": properties["name"],
        "location": properties["location"],
        "project": properties["project"],
        "nodeCount": properties.get("initialNodeCount") or 1,
        "nodeConfig": properties.get("nodeConfig"),
    }
