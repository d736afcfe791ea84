"""What node pools draw from the project's quotas, and the refusal of what exceeds them."""

import math
from collections import defaultdict
from collections.abc import Mapping
from fnmatch import fnmatchcase
from fractions import Fraction
from http import HTTPStatus
from typing import Any, Final

from headroom.catalog.facts import load_facts
from headroom.catalog.quotas import QuotaLine, disk_quota, local_ssd_quota, machine_quotas
from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.machines import Nodes, read_nodes, require_offered
from sandbox.google.rules import Request, Surroundings

CLUSTER: Final = "gcp:container/cluster:Cluster"
POOL: Final = "gcp:container/nodePool:NodePool"


def quota_key(line: QuotaLine) -> str:
    """A quota as one text: id, region or global, and what else tells it from others of that id."""
    dimensions = [f"{name}={value}" for name, value in line.dimensions]
    return "/".join([line.quota_id, line.region or "global", *dimensions])


def find_limit(limits: Mapping[str, float], key: str) -> float:
    """The limit of a quota: what was set for the project, else the default grant, else nothing."""
    if key in limits:
        return limits[key]
    quota_id = key.split("/")[0]
    rows = load_table("grants")["limits"]
    return next((row["limit"] for row in rows if fnmatchcase(quota_id, row["quota"])), 0)


def known_quotas() -> dict[str, list[str]]:
    """The dimensions of every quota that the catalog knows, by its id; those of the project have none."""
    found: dict[str, list[str]] = {}
    for group in load_facts("quotas"):
        for row in (row for table in ("quotas", "disks", "local_ssds") for row in group.get(table, ())):
            own = [pair.split("=")[0] for pair in row.get("dimensions", "").split()]
            own += [row["series"]] if "series" in row else []
            found[row["quota"]] = [] if row.get("scope") == "global" else ["region", *own]
    return dict(sorted(found.items()))


def plan_draws(nodes: Nodes, local_ssds: int) -> dict[str, int]:
    """What nodes draw from each quota, in physical units, rounded up over all of them."""
    totals: dict[str, Fraction] = defaultdict(Fraction)
    lines = [*machine_quotas(nodes.machine, nodes.capacity, nodes.gpu, nodes.gpus, nodes.region)]
    if nodes.capacity != "reservation":
        lines.append(disk_quota(nodes.disk_type, nodes.disk_gb, nodes.region))
        if local_ssds:
            lines.append(local_ssd_quota(nodes.machine, local_ssds, nodes.region, nodes.capacity))
    for line, amount in lines:
        totals[quota_key(line)] += Fraction(amount) * nodes.count
    return {key: math.ceil(amount) for key, amount in totals.items() if amount}


def require_quota(request: Request, around: Surroundings) -> dict[str, int]:
    """What the request will draw from each quota.

    Raises `ApiError` 403 naming quota, limit and request if that is more than is left, and 400 if a zone
    does not have the machine.
    """
    if request.token not in (CLUSTER, POOL):
        return {}
    nodes = read_nodes(request.properties, _cluster_of(request, around))
    require_offered(nodes)
    draws = plan_draws(nodes, _local_ssds(request.properties, nodes))
    limits = around.store.limits(request.project)
    for key, amount in draws.items():
        limit = find_limit(limits, key)
        used = around.store.drawn(request.project, key, (request.token, request.identity))
        if used + amount > limit:
            raise _exceeded(key, limit, used, amount)
    is_temporary = request.token == CLUSTER and request.properties.get("removeDefaultNodePool")
    return {} if is_temporary else draws


def _local_ssds(properties: Mapping[str, Any], nodes: Nodes) -> int:
    config = properties.get("nodeConfig") or {}
    block = config.get("ephemeralStorageLocalSsdConfig") or config.get("localNvmeSsdBlockConfig") or {}
    return block.get("localSsdCount") or nodes.machine.local_ssds


def _cluster_of(request: Request, around: Surroundings) -> Mapping[str, Any]:
    if request.token == CLUSTER:
        return request.properties
    found = around.store.find(CLUSTER, request.identity.rpartition("/nodePools/")[0])
    return found.properties if found else {}


def _exceeded(key: str, limit: float, used: float, amount: float) -> ApiError:
    quota_id, place, *dimensions = key.split("/")
    metric = quota_id.removesuffix("-per-project-region").removesuffix("-per-project").replace("-", "_")
    where = "globally" if place == "global" else f"in region {place}"
    which = f" ({', '.join(dimensions)})" if dimensions else ""
    message = (
        f"Quota '{metric}' exceeded. Limit: {float(limit)} {where}{which}. "
        f"Requested: {float(amount)}, in use: {float(used)}."
    )
    return ApiError(HTTPStatus.FORBIDDEN, message, "quotaExceeded")
