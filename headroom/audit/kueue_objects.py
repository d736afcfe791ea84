"""Kueue's objects (v1beta2), as the API server or a stack's state has them, put into a snapshot's shape.

What cannot be read is left out and named: `gaps`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from headroom.audit.expected import RESOURCES, read_amount
from headroom.audit.snapshot import ClusterQueueNow, CohortNow, Held, LocalQueueNow, QueueLimit

Found = TypeVar("Found")

_BROKEN = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def read_all(
    items: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Found], gaps: list[str]
) -> tuple[Found, ...]:
    """Return what `read` makes of each object; those that it cannot read are named in `gaps`."""
    found = []
    for item in items:
        try:
            found.append(read(item))
        except _BROKEN:
            gaps.append(f"{_name(item)} has a form that is not Kueue's v1beta2")
    return tuple(found)


def read_cluster_queue(item: Mapping[str, Any]) -> ClusterQueueNow:
    """Return a ClusterQueue; in a stack's state it has no status."""
    spec, status = item["spec"], item.get("status") or {}
    return ClusterQueueNow(
        name=item["metadata"]["name"],
        cohort=spec.get("cohortName") or "",
        stop_policy=spec.get("stopPolicy") or "None",
        limits=tuple(_limits(spec)),
        reserved=tuple(_held(status.get("flavorsReservation") or ())),
        pending=int(status.get("pendingWorkloads") or 0),
        admitted=int(status.get("admittedWorkloads") or 0),
        idle_reason=_idle_reason(status.get("conditions") or ()),
    )


def read_cohort(item: Mapping[str, Any]) -> CohortNow:
    """Return a Cohort."""
    spec = item.get("spec") or {}
    return CohortNow(item["metadata"]["name"], spec.get("parentName") or "", tuple(_limits(spec)))


def read_local_queue(item: Mapping[str, Any]) -> LocalQueueNow:
    """Return a LocalQueue."""
    metadata, spec = item["metadata"], item["spec"]
    stop_policy = spec.get("stopPolicy") or "None"
    return LocalQueueNow(metadata["namespace"], metadata["name"], spec["clusterQueue"], stop_policy)


def _limits(spec: Mapping[str, Any]) -> Iterator[QueueLimit]:
    for group in spec.get("resourceGroups") or ():
        for flavor in group["flavors"]:
            for row in flavor["resources"]:
                resource = RESOURCES.get(row["name"])
                if resource is None:
                    continue
                amounts = (
                    None if (value := row.get(key)) is None else read_amount(resource, value)
                    for key in ("borrowingLimit", "lendingLimit")
                )
                nominal = read_amount(resource, row.get("nominalQuota") or "0")
                yield QueueLimit(flavor["name"], resource, nominal, *amounts)


def _held(flavors: Iterable[Mapping[str, Any]]) -> Iterator[Held]:
    for flavor in flavors:
        for row in flavor.get("resources") or ():
            if resource := RESOURCES.get(row["name"]):
                total, borrowed = (
                    read_amount(resource, row.get(key) or "0") for key in ("total", "borrowed")
                )
                yield Held(flavor["name"], resource, total, borrowed)


def _idle_reason(conditions: Iterable[Mapping[str, Any]]) -> str:
    """Why a queue is not active, by its condition; empty where it is, or does not say."""
    for each in conditions:
        if each.get("type") == "Active" and each.get("status") == "False":
            return str(each.get("message") or each.get("reason") or "it is not active")
    return ""


def _name(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    kind = item.get("kind") if isinstance(item, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{kind or 'an object'} {name or 'without a name'}"
