"""Namespaces as rules see them, with what bounds the work in each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headroom.planning.tenancy import KIND_LABEL
from policies.queues import LOCAL_QUEUE, read_amount
from policies.resources import ABSENT, UNKNOWN, Missing, Resource

CORE = "kubernetes:core/v1:"
NAMESPACE, RESOURCE_QUOTA, LIMIT_RANGE = (
    f"{CORE}{kind}" for kind in ("Namespace", "ResourceQuota", "LimitRange")
)
_MODEL_LABEL = "headroom/model"


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace, and the objects in it that bound its work."""

    resource: Resource
    name: Any
    kind: Any
    """What runs there; ABSENT where it is no pipeline's, nor that of the experiments."""
    model: Any
    quotas: tuple[Resource, ...]
    limits: tuple[Resource, ...]
    local_queues: tuple[Resource, ...]

    @property
    def is_ours(self) -> bool:
        """Return whether it is a pipeline's or that of the experiments, for all that is known."""
        return self.kind is not ABSENT


def read_namespaces(by_type: Mapping[str, Iterable[Resource]]) -> tuple[Namespace, ...]:
    """Return the namespaces among resources that are grouped by type."""
    # A quota with scopes bounds a part of the work only, so it is none that can be relied on.
    whole = [quota for quota in by_type.get(RESOURCE_QUOTA, ()) if not _is_scoped(quota)]
    held = {
        RESOURCE_QUOTA: _by_namespace(whole),
        LIMIT_RANGE: _by_namespace(by_type.get(LIMIT_RANGE, ())),
        LOCAL_QUEUE: _by_namespace(by_type.get(LOCAL_QUEUE, ())),
    }
    return tuple(
        Namespace(
            resource,
            name := resource.object_name,
            resource.read("metadata", "labels", KIND_LABEL),
            resource.read("metadata", "labels", _MODEL_LABEL),
            *(held[kind].get(name, ()) for kind in (RESOURCE_QUOTA, LIMIT_RANGE, LOCAL_QUEUE)),
        )
        for resource in by_type.get(NAMESPACE, ())
    )


def least_bound(quotas: Iterable[Resource], key: str, name: str = "") -> int | Missing:
    """Return what bounds `key`, an amount of the resource `name`: of several quotas the least.

    An unknown one counts where no other is known.
    """
    amounts = [read_amount(name, quota.read("spec", "hard", key)) for quota in quotas]
    known = [amount for amount in amounts if isinstance(amount, int)]
    if known:
        return min(known)
    return UNKNOWN if UNKNOWN in amounts else ABSENT


def _by_namespace(resources: Iterable[Resource]) -> dict[Any, tuple[Resource, ...]]:
    found: dict[Any, tuple[Resource, ...]] = {}
    for resource in resources:
        found[resource.namespace] = (*found.get(resource.namespace, ()), resource)
    return found


def _is_scoped(quota: Resource) -> bool:
    return any(quota.read("spec", key) is not ABSENT for key in ("scopes", "scopeSelector"))
