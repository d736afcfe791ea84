"""Rules for namespaces: what Kueue does not manage is bounded there, objects too."""

from collections.abc import Iterator
from typing import TypeGuard

from headroom.planning.tenancy import KIND_LABEL
from policies.model import Model
from policies.queues import Queue, show_amount
from policies.resources import ABSENT, UNKNOWN, Missing, Resource
from policies.rules import Found, Rule
from policies.settings import Settings
from policies.tenancy import Namespace, least_bound

_COUNTED = {
    "count/jobs.batch": "jobs",
    "pods": "pods",
    "count/workloads.kueue.x-k8s.io": "pods",
}


def _check_present(model: Model, _: Settings) -> Iterator[Found]:
    spaces = {space.name: space for space in model.namespaces}
    for queue in model.queues:
        space = spaces.get(queue.name)
        if space is None:
            yield queue.resource, f"there is no namespace {queue.name} that bounds its work", "add it"
        elif space.kind is ABSENT:
            yield space.resource, f"has no label {KIND_LABEL}, which the admission policies go by", "label it"
    for space in model.namespaces:
        if space.kind is UNKNOWN:
            yield space.resource, f"its label {KIND_LABEL} is {UNKNOWN.value}", "write it out"
        if not space.is_ours:
            if space.local_queues:
                yield space.resource, f"has a LocalQueue and no label {KIND_LABEL}", "label it"
            continue
        if not space.quotas:
            yield (
                space.resource,
                "has no ResourceQuota, so objects and Deployments are not bounded",
                "add one",
            )
        if not space.limits:
            yield space.resource, "has no LimitRange, so what asks for nothing counts as zero", "add one"


def _check_objects(model: Model, settings: Settings) -> Iterator[Found]:
    most = {"jobs": settings.objects.jobs, "pods": settings.objects.pods}
    for space in filter(lambda space: space.is_ours, model.namespaces):
        for quota in space.quotas[:1]:
            for key, kind in _COUNTED.items():
                amount = least_bound(space.quotas, key)
                if not isinstance(amount, int):
                    yield (
                        quota,
                        f"{key} is {amount.value}: a flood would delay everybody",
                        f"set it to {most[kind]}",
                    )
                elif amount > most[kind]:
                    yield quota, f"{key} is {amount}, and the most is {most[kind]}", f"set it to {most[kind]}"


def _check_amounts(model: Model, _: Settings) -> Iterator[Found]:
    queues = {queue.name: queue for queue in model.queues}
    for space in filter(lambda space: space.is_ours, model.namespaces):
        if space.quotas and (queue := queues.get(space.name)):
            yield from _check_amount(space.quotas[0], space, queue)


def _check_amount(quota: Resource, space: Namespace, queue: Queue) -> Iterator[Found]:
    """Deployments are bounded by the namespace too: never above what the queue's caps add up to."""
    caps: dict[str, list[int | Missing]] = {}
    for cell in queue.cells:
        caps.setdefault(cell.resource, []).append(cell.cap if queue.shares else cell.nominal)
    # A cap that is not there or not known is told by the rules of queues.
    known = {name: sum(found) for name, found in caps.items() if _all_known(found)}
    for name, cap in known.items():
        key = f"requests.{name}"
        amount = least_bound(space.quotas, key, name)
        if isinstance(amount, Missing):
            if amount is UNKNOWN or cap:
                yield (
                    quota,
                    f"{key} is {amount.value}",
                    f"set it to {show_amount(name, cap)}, the queue's cap",
                )
        elif amount > cap:
            yield (
                quota,
                f"{key} is {show_amount(name, amount)}, above {show_amount(name, cap)}, its queue's caps",
                f"set it to {show_amount(name, cap)}",
            )


def _all_known(amounts: list[int | Missing]) -> TypeGuard[list[int]]:
    return all(isinstance(amount, int) for amount in amounts)


TENANCY_RULES = (
    Rule(
        name="namespaces-are-bounded",
        description="Every queue has a namespace with a ResourceQuota and a LimitRange.",
        family="quota",
        severity="high",
        reference="Q3",
        remedy="Add what is missing to the namespace.",
        of_stack=_check_present,
    ),
    Rule(
        name="objects-are-bounded",
        description="Jobs, pods and workloads of each namespace are limited in number.",
        family="quota",
        severity="high",
        reference="Q3",
        remedy="Set count/jobs.batch, count/workloads.kueue.x-k8s.io and pods in the ResourceQuota.",
        of_stack=_check_objects,
        settings=("objects",),
    ),
    Rule(
        name="namespaces-within-caps",
        description="What a namespace's pods may ask for in sum is no more than its queue's caps.",
        family="quota",
        severity="high",
        reference="Q3",
        remedy="Set the ResourceQuota's requests to the queue's caps.",
        of_stack=_check_amounts,
    ),
)
