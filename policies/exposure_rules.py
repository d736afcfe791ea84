"""The rule that nothing of the platform has an address that the internet reaches."""

from collections.abc import Iterator, Mapping
from typing import Any

from headroom.planning.delivery import GATEWAY_CLASS
from headroom.planning.tenancy import DELIVERY_LABEL
from policies.model import Model
from policies.property_rules import show_value
from policies.resources import ABSENT, UNKNOWN, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings
from policies.tenancy import least_bound

SERVICE = "kubernetes:core/v1:Service"
_INTERNAL_SERVICE = {
    "networking.gke.io/load-balancer-type": "Internal",
    "cloud.google.com/load-balancer-type": "Internal",
}
_INTERNAL_INGRESS = {"kubernetes.io/ingress.class": "gce-internal"}
"""Annotations that keep a load balancer's address private, which the other kind does not know
(cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters and ingress, 2026-11)."""
_INTERNAL_CLASS = "networking.gke.io/l4-regional-internal"
_ADDRESSES = ("gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress")
_BOUNDS = ("services.loadbalancers", "services.nodeports")
_DELIVERED = {
    "from": "Selector",
    "selector": {"matchExpressions": [{"key": DELIVERY_LABEL, "operator": "Exists"}]},
}
"""The namespaces that a listener takes routes from."""
_REMEDY = "let models be reached by the gateway that the program makes"


def _check_exposed(model: Model, _: Settings) -> Iterator[Found]:
    for resource in model.resources:
        kind = resource.type.removesuffix("Patch")
        if kind == SERVICE:
            yield from _check_service(resource)
        elif kind.endswith((":Ingress", ":MultiClusterIngress")):
            yield from _check_ingress(resource)
        elif kind.startswith("kubernetes:gateway.networking.k8s.io/") and kind.endswith(":Gateway"):
            yield from _check_gateway(resource)
        elif kind in _ADDRESSES and resource.read("addressType") != "INTERNAL":
            shown = show_value(resource.read("addressType"))
            yield (
                resource,
                f"its addressType is {shown}, and EXTERNAL where it is not set",
                "set it to INTERNAL",
            )
    yield from _check_bounds(model)


def _check_service(service: Resource) -> Iterator[Found]:
    kind, outside = service.read("spec", "type"), service.read("spec", "externalIPs")
    private = kind == "LoadBalancer" and _is_internal_service(service)
    if kind not in (ABSENT, "ClusterIP", "ExternalName") and not private:
        yield service, f"its type is {show_value(kind)}, so that others than the cluster reach it", _REMEDY
    if has_unknown(outside) or each(outside):
        yield service, f"its externalIPs are {show_value(outside)}", "remove them"


def _check_ingress(ingress: Resource) -> Iterator[Found]:
    """One that spans clusters has an address that is public, whatever its annotations."""
    spans = ingress.type.removesuffix("Patch").endswith(":MultiClusterIngress")
    if spans or _annotations(ingress, _INTERNAL_INGRESS) != _INTERNAL_INGRESS:
        yield ingress, "is an Ingress whose load balancer the internet reaches", _REMEDY


def _is_internal_service(service: Resource) -> bool:
    """Whether all that says where its load balancer is says inside; a class goes before annotations."""
    said = _annotations(service, _INTERNAL_SERVICE)
    inside = service.read("spec", "loadBalancerClass") in (ABSENT, _INTERNAL_CLASS)
    return inside and bool(said) and said.items() <= _INTERNAL_SERVICE.items()


def _annotations(resource: Resource, table: Mapping[str, str]) -> dict[str, Any]:
    found = {key: resource.read("metadata", "annotations", key) for key in table}
    return {key: value for key, value in found.items() if value is not ABSENT}


def _check_gateway(gateway: Resource) -> Iterator[Found]:
    found = gateway.read("spec", "gatewayClassName")
    if found != GATEWAY_CLASS:
        shown = show_value(found)
        yield gateway, f"its gatewayClassName is {shown}, and planned is {GATEWAY_CLASS}", _REMEDY
    listeners = gateway.read("spec", "listeners")
    for listener in [UNKNOWN] if listeners is UNKNOWN else each(listeners):
        if read(listener, "allowedRoutes", "namespaces") != _DELIVERED:
            message = "takes routes from other namespaces than those that models are delivered to"
            yield gateway, message, f"let it select namespaces by {DELIVERY_LABEL}"


def _check_bounds(model: Model) -> Iterator[Found]:
    """Whoever owns a pipeline may make a Service; the namespace's quota keeps it inside."""
    for space in filter(lambda space: space.is_ours, model.namespaces):
        for key in _BOUNDS:
            amount = least_bound(space.quotas, key)
            if amount != 0:
                where = space.quotas[0] if space.quotas else space.resource
                yield where, f"{key} is {show_value(amount)}, so that its owner may open it", "set it to 0"


EXPOSURE_RULES = (
    Rule(
        name="nothing-is-exposed",
        description="Models are reached from inside the network alone, by the gateway that is planned.",
        family="security",
        severity="critical",
        reference="cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster",
        remedy="Let models be reached by the gateway that the program makes.",
        of_stack=_check_exposed,
    ),
)
