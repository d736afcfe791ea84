"""Stack files of any size: pools spread over machines and zones, and pipelines spread over pools."""

from typing import Any

REGION = "us-central1"
CPU_ZONES = ("us-central1-a", "us-central1-b", "us-central1-c")
SHAPES: tuple[dict[str, Any], ...] = (
    {"machine": "n2-standard-16"},
    {"machine": "e2-standard-8", "capacity": "spot"},
    {"machine": "g2-standard-48", "zones": ["us-central1-a", "us-central1-b"], "capacity": "spot"},
    {"machine": "a3-highgpu-8g", "zones": ["us-central1-a"], "capacity": "flex-start"},
    {"machine": "ct6e-standard-4t", "zones": ["us-central1-b"], "boot_disk": {"size": "200Gi"}},
)
SLICED: dict[str, Any] = {"machine": "ct5lp-hightpu-4t", "zones": ["us-central1-a"], "topology": "4x4"}
NODES_PER_POOL = 2
NODES_OF_SHARED_POOL = 100
PIPELINES_PER_SHARED_POOL = 250
# A stack has at most 64 pools; more node pools than these are slices.
PLAIN_POOLS, SLICED_POOLS = 30, 30


def build_pools_config(node_pools: int) -> dict[str, Any]:
    """Return the `config:` of a stack with the given number of node pools, two nodes or a slice in each."""
    plain = min(node_pools, PLAIN_POOLS)
    pools = {f"pool-{number}": _pool(SHAPES[number % len(SHAPES)]) for number in range(plain)}
    for number in range(SLICED_POOLS):
        if slices := (node_pools - plain + number) // SLICED_POOLS:
            pools[f"slices-{number}"] = {**SLICED, "slices": {"max": slices}}
    return _config(pools, {})


def build_pipelines_config(pipelines: int) -> dict[str, Any]:
    """Return the `config:` of a stack with the given number of pipelines, up to 250 for each pool."""
    shared = -(-pipelines // PIPELINES_PER_SHARED_POOL)
    pools = {
        f"shared-{number}": {"machine": "n2-standard-16", "nodes": {"max": NODES_OF_SHARED_POOL}}
        for number in range(shared)
    }
    return _config(
        pools, {f"pipeline-{number}": _pipeline(number, number % shared) for number in range(pipelines)}
    )


def build_contended_config(pipelines: int) -> dict[str, Any]:
    """Return the `config:` of a stack whose pipelines share one pool of 8 nodes.

    Each may have nearly all that is not headroom, and all guarantees together are four fifths of it.
    """
    config = _config({"contended": {"machine": "n2-standard-16", "nodes": {"max": 8}}}, {})
    limits = {
        "cpu": {"guarantee": 80 // pipelines, "cap": 98},
        "memory": {"guarantee": f"{240 // pipelines}Gi", "cap": "320Gi"},
    }
    return config | {
        "headroom:pipelines": {
            f"pipeline-{number}": _pipeline(number, 0) | {"limits": {"contended": limits}}
            for number in range(pipelines)
        }
    }


def _config(pools: dict[str, Any], pipelines: dict[str, Any]) -> dict[str, Any]:
    return {
        "gcp:project": "acme-ml-bench",
        "gcp:region": REGION,
        "headroom:environment": {"tier": "development"},
        # Wide enough for 16,000 nodes with 256 pod addresses each, the largest stack measured.
        "headroom:network": {
            "nodes": "10.0.0.0/16",
            "pods": "100.64.0.0/10",
            "services": "10.32.0.0/20",
            "control_plane": "10.48.0.0/28",
        },
        "headroom:cluster": {"zones": list(CPU_ZONES)},
        "headroom:pools": pools,
        "headroom:pipelines": pipelines,
    }


def _pool(shape: dict[str, Any]) -> dict[str, Any]:
    return {**shape, "nodes": {"max": NODES_PER_POOL}}


def _pipeline(number: int, pool: int) -> dict[str, Any]:
    limits = {"cpu": {"guarantee": 4, "cap": 16}, "memory": {"guarantee": "8Gi", "cap": "64Gi"}}
    return {
        "kind": ("data", "training", "validation", "serving")[number % 4],
        "model": f"model-{number // 4}",
        "owner": "group:ml@acme.example",
        "limits": {f"shared-{pool}": limits},
    }
