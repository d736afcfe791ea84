"""container.googleapis.com: clusters and node pools of the world, their parts called as GKE calls them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.google.apis.exchange import Call, Route, denied
from sandbox.google.errors import not_found
from sandbox.google.store import LIVE, WorldObject

API: Final = "container.googleapis.com"
CLUSTER: Final = "gcp:container/cluster:Cluster"
NODE_POOL: Final = "gcp:container/nodePool:NodePool"

_ALIKE: Final = {
    CLUSTER: (
        "addonsConfig", "authenticatorGroupsConfig", "binaryAuthorization", "controlPlaneEndpointsConfig",
        "databaseEncryption", "endpoint", "initialNodeCount", "ipAllocationPolicy", "location", "name",
        "network", "privateClusterConfig", "releaseChannel", "resourceLabels", "selfLink", "subnetwork",
        "workloadIdentityConfig",
    ),
    NODE_POOL: (
        "initialNodeCount", "management", "name", "networkConfig", "placementPolicy", "queuedProvisioning",
        "upgradeSettings", "version",
    ),
}  # fmt: skip
"""Parts that the API names as the provider does."""

_CONFIG: Final = (
    "bootDiskKmsKey", "diskSizeGb", "diskType", "flexStart", "imageType", "labels", "machineType", "metadata",
    "oauthScopes", "preemptible", "reservationAffinity", "serviceAccount", "shieldedInstanceConfig", "spot",
    "taints", "workloadMetadataConfig",
)  # fmt: skip


def list_clusters(call: Call) -> Mapping[str, Any]:
    """The clusters of a location, or with `-` of all; the API has no pages of them."""
    _allow(call, "container.clusters.list")
    place = call.names["location"]
    found = [each for each in _live(call, CLUSTER) if place in ("-", each.properties["location"])]
    return {"clusters": [_describe_cluster(call, each) for each in found]}


def get_cluster(call: Call) -> Mapping[str, Any]:
    """A cluster with its node pools."""
    _allow(call, "container.clusters.get")
    return _describe_cluster(call, _find_cluster(call))


def list_node_pools(call: Call) -> Mapping[str, Any]:
    """The node pools of a cluster; the API has no pages of them."""
    _allow(call, "container.clusters.get")
    return {"nodePools": [_describe_node_pool(each) for each in _pools_of(call, _find_cluster(call))]}


def get_node_pool(call: Call) -> Mapping[str, Any]:
    """A node pool."""
    _allow(call, "container.clusters.get")
    cluster, name = _find_cluster(call), call.names["pool"]
    for each in _pools_of(call, cluster):
        if each.properties["name"] == name:
            return _describe_node_pool(each)
    raise not_found(f"{cluster.id}/nodePools/{name}")


def _live(call: Call, kind: str) -> Iterable[WorldObject]:
    return (each for each in call.store.objects(kind, LIVE) if each.project == call.project)


def _find_cluster(call: Call) -> WorldObject:
    location, name = call.names["location"], call.names["cluster"]
    for each in _live(call, CLUSTER):
        if (each.properties["location"], each.properties["name"]) == (location, name):
            return each
    raise not_found(f"projects/{call.project}/locations/{location}/clusters/{name}")


def _pools_of(call: Call, cluster: WorldObject) -> list[WorldObject]:
    return [each for each in _live(call, NODE_POOL) if each.id.startswith(f"{cluster.id}/nodePools/")]


def _describe_cluster(call: Call, cluster: WorldObject) -> dict[str, Any]:
    held = cluster.properties
    return {
        **_take(held, _ALIKE[CLUSTER]),
        "currentMasterVersion": held.get("masterVersion"),
        "locations": held.get("nodeLocations") or [],
        "nodePools": [_describe_node_pool(each) for each in _pools_of(call, cluster)],
        "status": "RUNNING",
    }


def _describe_node_pool(pool: WorldObject) -> dict[str, Any]:
    held, config = pool.properties, pool.properties.get("nodeConfig") or {}
    devices = [
        {"acceleratorType": each["type"], "acceleratorCount": str(each["count"])}
        for each in config.get("guestAccelerators") or ()
    ]
    body = {
        **_take(held, _ALIKE[NODE_POOL]),
        "config": _take(config, _CONFIG) | ({"accelerators": devices} if devices else {}),
        "locations": held.get("nodeLocations") or [],
        "status": "RUNNING",
    }
    if held.get("autoscaling"):
        body["autoscaling"] = {"enabled": True, **_take(held["autoscaling"], held["autoscaling"])}
    if held.get("maxPodsPerNode"):
        body["maxPodsConstraint"] = {"maxPodsPerNode": str(held["maxPodsPerNode"])}
    return body


def _take(held: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The parts of those names; as all of Google's APIs do, without what is nothing."""
    return {name: held[name] for name in names if held.get(name) not in (None, 0, False, "", [], {})}


def _allow(call: Call, permission: str) -> None:
    if permission in call.settings.denied_permissions:
        raise denied(permission, f"projects/{call.project}")


_CLUSTERS: Final = r"/v1/projects/(?P<project>[^/:]+)/locations/(?P<location>[^/:]+)/clusters"
_ONE: Final = _CLUSTERS + r"/(?P<cluster>[^/:]+)"
ROUTES: Final = (
    Route(API, "GET", re.compile(_CLUSTERS), list_clusters),
    Route(API, "GET", re.compile(_ONE), get_cluster),
    Route(API, "GET", re.compile(_ONE + "/nodePools"), list_node_pools),
    Route(API, "GET", re.compile(_ONE + r"/nodePools/(?P<pool>[^/:]+)"), get_node_pool),
)
