"""The plan as JSON, for jobs and for `jq`."""

import json
from dataclasses import asdict
from typing import Any

from headroom.planning.grants import Grants, Standing, compare
from headroom.planning.node_pools import PoolPlan
from headroom.planning.operations import OperationsPlan
from headroom.planning.pipelines import capacity
from headroom.planning.plan import Plan
from headroom.planning.quota import QuotaDraw
from headroom.report.cloud_quotas_table import describe_requests
from headroom.report.delivery_table import describe_delivery


def render_json(plan: Plan, grants: Grants | None = None) -> str:
    """Return the plan as JSON text; amounts of cpu are thousandths of a core, of memory bytes."""
    return json.dumps(describe_plan(plan, grants), indent=2)


def describe_plan(plan: Plan, grants: Grants | None = None) -> dict[str, Any]:
    """Return the plan as plain data, without secrets, and how its quotas stand against `grants`.

    A grant of -1 is unlimited, one of null is not known.
    """
    cluster = asdict(plan.cluster) | {"registries": [registry.host for registry in plan.cluster.registries]}
    return {
        "environment": plan.environment,
        "project": plan.project,
        "region": plan.region,
        "labels": dict(plan.labels),
        "services": list(plan.services),
        "network": asdict(plan.network),
        "encryption": asdict(plan.encryption),
        "cluster": cluster,
        "pools": [_describe_pool(pool) for pool in plan.all_pools],
        "pipelines": [asdict(pipeline) for pipeline in plan.pipelines],
        "shares": [
            asdict(share) | {"available": share.available, "shared": share.shared} for share in plan.shares
        ],
        "shortfalls": [{"key": problem.path, "problem": problem.message} for problem in plan.shortfalls],
        "notes": [{"key": problem.path, "note": problem.message} for problem in plan.notes],
        "tenancy": asdict(plan.tenancy),
        "delivery": describe_delivery(plan.delivery),
        "operations": _describe_operations(plan.operations),
        "pool_quota": [_describe_draw(draw) for draw in plan.pool_quota],
        "quota": [_describe_standing(standing) for standing in compare(plan.quota, grants)],
        "quota_requests": describe_requests(plan.quota_requests),
        "grants_pulled": grants.pulled.isoformat() if grants else None,
    }


def _describe_operations(operations: OperationsPlan | None) -> dict[str, Any] | None:
    """The files are what the plan was made of."""
    if operations is None:
        return None
    return {key: value for key, value in asdict(operations).items() if key != "files"}


def _describe_pool(pool: PoolPlan) -> dict[str, Any]:
    return {
        "name": pool.name,
        "machine": pool.machine.name,
        "accelerator": pool.accelerator.name if pool.accelerator else None,
        "capacity": pool.capacity,
        "min_nodes": pool.min_nodes,
        "max_nodes": pool.max_nodes,
        "peak_nodes": pool.peak_nodes,
        "hosts_per_slice": pool.hosts_per_slice,
        "physical_devices_per_node": pool.physical_devices,
        "devices_per_node": pool.devices_per_node,
        "allocatable": capacity(pool),
        "node": asdict(pool.node),
        "placement": asdict(pool.placement) if pool.placement else None,
        "location_policy": pool.location_policy,
        "upgrade": pool.upgrade.model_dump() if pool.upgrade else None,
        "auto_repair": pool.auto_repair,
        "labels": dict(pool.labels) | dict(pool.gke_labels),
        "taints": [*(f"{key}={value}:{effect}" for key, value, effect in pool.taints), *pool.gke_taints],
        "node_pools": [asdict(node_pool) for node_pool in pool.node_pools],
    }


def _describe_draw(draw: QuotaDraw) -> dict[str, Any]:
    return {
        "service": draw.quota.service,
        "quota_id": draw.quota.quota_id,
        "region": draw.quota.region,
        "dimensions": dict(draw.quota.dimensions),
        "verified": draw.quota.verified,
        "pool": draw.pool or None,
        "amount": draw.amount,
    }


def _describe_standing(standing: Standing) -> dict[str, Any]:
    return _describe_draw(standing.draw) | {
        "granted": standing.granted,
        "standing": standing.state,
        "left": standing.left,
        "short_by": standing.short_by,
    }
