"""Address ranges: whether they hold the pools at their maximum, and how wide they must be if they do not."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations

from headroom.planning.node_pools import PoolPlan
from headroom.spec.errors import Problem
from headroom.spec.network import Network

RESERVED_ADDRESSES = 4
"""Addresses of a subnet that Google keeps (cloud.google.com/vpc/docs/subnets, 2026-08)."""

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Ranges that are nobody's on the internet (RFC 1918, RFC 6598)."""

FIXED_SIZES = (("services", 27, "the cluster's services"), ("control_plane", 28, "the control plane"))
"""Narrowest ranges whose need does not depend on the pools (cloud.google.com/kubernetes-engine/docs/concepts/
alias-ips and .../how-to/private-clusters, 2026-08)."""

_PROXIES = ("proxies", 26, "load balancers")
"""Of a subnet for proxies alone (cloud.google.com/load-balancing/docs/proxy-only-subnets, 2026-11)."""

WEBHOOK_PORTS = (8082, 9443)
"""Ports on nodes that the control plane must reach beside 443 and 10250: Kueue's visibility server and its
webhook. Private nodes admit nothing else from it."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The environment's network: one subnet for nodes with ranges for pods and services, one for the control
    plane's endpoint, and what may come in from there."""

    nodes: str
    pods: str
    services: str
    control_plane: str
    webhook_ports: tuple[int, ...]
    proxies: str | None
    """Where load balancers speak from; None: there are none."""


def pod_addresses(pools: Iterable[PoolPlan]) -> int:
    """Return the pod addresses that the pools draw at their peak: GKE gives each node a block of at least
    twice its pods (cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr, 2026-08)."""
    return sum(pool.peak_nodes * _block(pool.node.max_pods) for pool in pools)


def plan_network(network: Network, *, balanced: bool) -> NetworkPlan:
    """Return the network as it will be; `balanced`: with load balancers before the models."""
    return NetworkPlan(
        nodes=str(network.nodes),
        pods=str(network.pods),
        services=str(network.services),
        control_plane=str(network.control_plane),
        webhook_ports=WEBHOOK_PORTS,
        proxies=str(network.proxies) if balanced else None,
    )


def check_network(network: Network, pools: Iterable[PoolPlan], *, balanced: bool = False) -> list[Problem]:
    """Return what is wrong with the ranges, given `pools` at their peak (the system pool included).

    That of load balancers counts only where there are some.
    """
    planned = tuple(pools)
    used = [name for name in type(network).model_fields if balanced or name != _PROXIES[0]]
    ranges = {name: getattr(network, name) for name in used}
    problems = [
        Problem(f"headroom:network.{second}", f"overlaps {first}, {ranges[first]}; choose ranges apart")
        for first, second in combinations(ranges, 2)
        if ranges[first].overlaps(ranges[second])
    ]
    problems += [
        Problem(
            f"headroom:network.{name}",
            f"is no private range; use one within {', '.join(PRIVATE)}",
        )
        for name, given in ranges.items()
        if not _is_usable(given)
    ]
    nodes = sum(pool.peak_nodes for pool in planned)
    problems += _require_room(
        "nodes", network.nodes, nodes + RESERVED_ADDRESSES, f"{nodes} nodes at their peak"
    )
    problems += _require_room("pods", network.pods, pod_addresses(planned), f"the pods of {nodes} nodes")
    problems += [
        Problem(f"headroom:network.{key}", f"must be a /{narrowest} or wider for {purpose}")
        for key, narrowest, purpose in (*FIXED_SIZES, *([_PROXIES] if balanced else []))
        if ranges[key].prefixlen > narrowest
    ]
    return problems


def _is_usable(given: IPv4Network) -> bool:
    return any(given.subnet_of(IPv4Network(block)) for block in PRIVATE)


def _require_room(key: str, given: IPv4Network, needed: int, purpose: str) -> list[Problem]:
    if given.num_addresses >= needed:
        return []
    prefix = 32 - (needed - 1).bit_length()
    return [
        Problem(
            f"headroom:network.{key}",
            f"a /{given.prefixlen} has {given.num_addresses:,} addresses, and {purpose} need {needed:,}; "
            f"use /{prefix} or wider, or lower the pools' max",
        )
    ]


def _block(max_pods: int) -> int:
    return 2 ** (2 * max_pods - 1).bit_length()
