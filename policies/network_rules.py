"""Rules for who reaches what over the network."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from policies.frameworks import checkov, cis, trivy
from policies.model import CLUSTER, Model
from policies.resources import ABSENT, UNKNOWN, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings

FIREWALL = "gcp:compute/firewall:Firewall"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_LEAST_PREFIX = {4: 16, 6: 32}
"""What is wider than a large organization's own range is half the internet."""


def _check_authorized(resource: Resource, _: Settings) -> Iterator[Found]:
    config = resource.read("masterAuthorizedNetworksConfig")
    remedy = "list the ranges of those who need it in masterAuthorizedNetworksConfig.cidrBlocks, or none"
    if has_unknown(config) or config is ABSENT:
        shown = config.value if config is ABSENT else UNKNOWN.value
        yield (
            resource,
            f"masterAuthorizedNetworksConfig is {shown}, so anybody may reach the API server",
            remedy,
        )
        return
    for block in each(read(config, "cidrBlocks")):
        if is_wide(read(block, "cidrBlock")):
            yield resource, f"masterAuthorizedNetworksConfig lets {read(block, 'cidrBlock')} in", remedy
    if read(config, "gcpPublicCidrsAccessEnabled") is True:
        yield (
            resource,
            "masterAuthorizedNetworksConfig lets all of Google Cloud in, its other customers too",
            "set gcpPublicCidrsAccessEnabled to false",
        )


def _check_firewall(resource: Resource, _: Settings) -> Iterator[Found]:
    if resource.read("direction") == "EGRESS" or resource.read("allows") in (ABSENT, []):
        return
    ranges = resource.read("sourceRanges")
    if has_unknown(ranges):
        yield resource, f"sourceRanges are {UNKNOWN.value}, and may be everything", "write them out"
    for wide in filter(is_wide, each(ranges)):
        yield resource, f"lets {wide} in", "name the ranges that need it"
    sources = [resource.read(key) for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts")]
    if all(source in (ABSENT, []) for source in sources):
        yield resource, "names no sources, so it lets everything in", "name the ranges that need it"


def is_wide(text: Any) -> bool:
    """Return whether a range is of the internet, and more of it than one organization has."""
    try:
        network = ip_network(text, strict=False)
    except (TypeError, ValueError):
        return True
    inside = (each for each in _PRIVATE if each.version == network.version)
    if any(network.network_address in each and network.prefixlen >= each.prefixlen for each in inside):
        return False
    return network.prefixlen < _LEAST_PREFIX[network.version]


def _check_doors(model: Model, _: Settings) -> Iterator[Found]:
    """A policy that selects all pods for both ways makes everything else that is allowed an exception."""
    policies: dict[Any, list[Resource]] = {}
    for policy in model.of(NETWORK_POLICY):
        policies.setdefault(policy.namespace, []).append(policy)
    for space in filter(lambda space: space.is_ours, model.namespaces):
        held = policies.get(space.name, [])
        if not any(map(_closes, held)):
            where = held[0] if held else space.resource
            yield (
                where,
                f"no NetworkPolicy of {space.name} closes both ways for all of its pods",
                "keep one with an empty podSelector and policyTypes Ingress and Egress",
            )
    for policy in (policy for held in policies.values() for policy in held):
        for way, side in (("ingress", "from"), ("egress", "to")):
            rules = policy.read("spec", way)
            if rules is UNKNOWN or any(_is_open(rule, side) for rule in each(rules)):
                yield policy, f"its {way} lets everything through, for all that is known", f"say {side} whom"


def _closes(policy: Resource) -> bool:
    selector, types = policy.read("spec", "podSelector"), policy.read("spec", "policyTypes")
    return selector in ({}, ABSENT) and {"Ingress", "Egress"} <= set(map(str, each(types)))


def _is_open(rule: Any, side: str) -> bool:
    """Whether a rule lets everything through: no peers, peers that are not known, or a wide range."""
    peers = read(rule, side)
    if peers in (ABSENT, UNKNOWN, []):
        return True
    blocks = (read(peer, "ipBlock") for peer in each(peers))
    return any(_is_whole(block) for block in blocks if block is not ABSENT)


def _is_whole(block: Any) -> bool:
    """Whether a block is a wide range, two halves of everything included, with the private ranges in it."""
    if not is_wide(read(block, "cidr")):
        return False
    try:
        network = ip_network(read(block, "cidr"), strict=False)
        left_out = [ip_network(text, strict=False) for text in each(read(block, "except"))]
    except (TypeError, ValueError):
        return True
    private = [each for each in _PRIVATE if _is_within(each, network)]
    return not left_out or not all(any(_is_within(each, out) for out in left_out) for each in private)


def _is_within(inner: Any, outer: Any) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)


NETWORK_RULES = (
    Rule(
        name="authorized-networks-are-narrow",
        description="Only named ranges reach the control plane's addresses, never all of the internet.",
        family="security",
        severity="critical",
        reference="CIS GKE Benchmark 5.6.3",
        remedy="List the ranges of those who need it, or none.",
        of_resource=_check_authorized,
        types=(CLUSTER,),
        frameworks=(*cis("5.6.3"), *checkov("CKV_GCP_20", "CKV_GCP_18"), *trivy("GCP-0061", "GCP-0053")),
    ),
    Rule(
        name="firewalls-are-closed",
        description="No firewall lets the internet in.",
        family="security",
        severity="critical",
        reference="Checkov CKV2_GCP_12",
        remedy="Name the ranges that need it.",
        of_resource=_check_firewall,
        types=(FIREWALL,),
        frameworks=checkov("CKV2_GCP_12", "CKV_GCP_2", "CKV_GCP_3"),
    ),
    Rule(
        name="namespaces-are-closed",
        description="Pods of a pipeline reach, and are reached by, only what a policy names.",
        family="security",
        severity="high",
        reference="cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster",
        remedy="Keep a NetworkPolicy for all pods of each namespace.",
        of_stack=_check_doors,
    ),
)
