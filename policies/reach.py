"""What keeps work from a quota that is promised to it: the promise is there, and out of reach."""

from collections.abc import Iterator, Mapping

from headroom.planning.tenancy import LEAST_OBJECTS
from policies.model import Model
from policies.queues import ADMISSION_CHECK, Queue, read_amount, show_amount
from policies.resources import ABSENT, UNKNOWN, Missing, Resource, each, read
from policies.rules import Found
from policies.shares import flavored_pools
from policies.tenancy import LIMIT_RANGE, RESOURCE_QUOTA, Namespace

PROVISIONING_CONTROLLER = "kueue.x-k8s.io/provisioning-request"
"""The only controller of admission checks that the cluster has."""

_LEAST_COUNTS = dict(zip(("count/jobs.batch", "pods"), LEAST_OBJECTS, strict=True)) | dict.fromkeys(
    ("count/pods", "count/workloads.kueue.x-k8s.io"), LEAST_OBJECTS[1]
)
"""What no plan is below, by what a ResourceQuota calls it."""
_OPEN = "let it in again (`admission: open` of the pipeline), or have its owner agree to an exemption"
_RAISE = "raise it to what the queue may use"


def find_obstacles(model: Model, queue: Queue, kept: Mapping[str, int], what: str) -> Iterator[Found]:
    """Yield what keeps the namespace of a queue from `kept`, amounts by resource; `what` is their name."""
    yield from _stopped(queue.resource, "nothing in it starts")
    yield from _unanswered_checks(model, queue)
    yield from _uncovered(queue)
    for space in model.namespaces:
        if space.name == queue.name:
            for local in space.local_queues:
                yield from _stopped(local, f"nothing gets from it to the {what}")
            yield from _namespace_bounds(model, space, queue, kept, what)


def _stopped(resource: Resource, meaning: str) -> Iterator[Found]:
    stop = resource.read("spec", "stopPolicy")
    if stop not in (ABSENT, "None"):
        shown = stop if isinstance(stop, str) else UNKNOWN.value
        yield resource, f"its stopPolicy is {shown}, so {meaning}", _OPEN


def _unanswered_checks(model: Model, queue: Queue) -> Iterator[Found]:
    """A check that no controller answers is waited for for ever."""
    answered = [
        check.object_name
        for check in model.of(ADMISSION_CHECK)
        if check.read("spec", "controllerName") == PROVISIONING_CONTROLLER
    ]
    strategy = queue.resource.read("spec", "admissionChecksStrategy")
    listed = read(strategy, "admissionChecks")
    named = [read(row, "name") for row in each(listed)] + list(
        each(queue.resource.read("spec", "admissionChecks"))
    )
    if UNKNOWN in (strategy, listed):
        named.append(UNKNOWN)
    for name in named:
        if name not in answered:
            shown = name.value if isinstance(name, Missing) else name
            yield queue.resource, f"waits for the admission check {shown}, which nobody answers", "remove it"


def _uncovered(queue: Queue) -> Iterator[Found]:
    for group in each(queue.resource.read("spec", "resourceGroups")):
        covered = read(group, "coveredResources")
        rows = [row for flavor in each(read(group, "flavors")) for row in each(read(flavor, "resources"))]
        listed = {name for row in rows if isinstance(name := read(row, "name"), str)}
        if missing := sorted(name for name in listed if name not in each(covered)):
            yield (
                queue.resource,
                f"its coveredResources lack {', '.join(missing)}, which it promises",
                "list all",
            )


def _namespace_bounds(
    model: Model, space: Namespace, queue: Queue, kept: Mapping[str, int], what: str
) -> Iterator[Found]:
    for quota in model.of(RESOURCE_QUOTA):
        if quota.namespace == space.name:
            yield from _quota_bounds(quota, kept, what)
    nodes = _largest_node(model, queue)
    for limits in model.of(LIMIT_RANGE):
        if limits.namespace == space.name:
            yield from _container_bounds(limits, nodes)


def _quota_bounds(quota: Resource, kept: Mapping[str, int], what: str) -> Iterator[Found]:
    """A quota of a part of the work, by its scopes, is held to the same: the part may be all of it."""
    hard = quota.read("spec", "hard")
    if hard is UNKNOWN:
        yield quota, f"its bounds are {UNKNOWN.value}", "write them out"
    least = {**kept, **_LEAST_COUNTS}
    for key, value in hard.items() if isinstance(hard, Mapping) else ():
        name = _resource_of(key)
        amount = read_amount(name, UNKNOWN if value is None else value)
        if name in least and (not isinstance(amount, int) or amount < least[name]):
            bound, needed = show_amount(name, amount), show_amount(name, least[name])
            yield quota, f"bounds {key} to {bound}, below the {what} of {needed}", _RAISE


def _resource_of(key: str) -> str:
    """The resource that a bound is of, as pods call it; other keys are their own."""
    prefix, _, name = key.partition(".")
    return name if prefix in ("requests", "limits") else key


def _largest_node(model: Model, queue: Queue) -> dict[str, int]:
    """The most of each resource that a node of the queue's pools has."""
    used = {cell.flavor for cell in queue.cells}
    pools = [pool for pool in flavored_pools(model) if pool.name in used]
    most: dict[str, int] = {}
    for pool in pools:
        for name, amount in (("cpu", pool.cpu_millis_per_node), ("memory", pool.memory_bytes_per_node)):
            most[name] = max(most.get(name, 0), amount)
    return most


def _container_bounds(limits: Resource, nodes: Mapping[str, int]) -> Iterator[Found]:
    """What the system's pods take of a node is the stack's to say, so half of a node is asked for."""
    rows = limits.read("spec", "limits")
    if rows is UNKNOWN:
        yield limits, f"its limits are {UNKNOWN.value}", "write them out"
    for row in each(rows):
        for name, whole in nodes.items():
            most, least = (read_amount(name, read(row, key, name)) for key in ("max", "min"))
            if UNKNOWN in (row, most, least):
                yield limits, f"its bounds of {name} are {UNKNOWN.value}", "write them out"
            elif isinstance(most, int) and most < whole // 2:
                yield limits, _too_small(name, most, whole), "raise it to the largest node"
            elif isinstance(least, int) and least > whole // 2:
                yield limits, f"asks of each {name} of at least {show_amount(name, least)}", "lower min"


def _too_small(name: str, most: int, whole: int) -> str:
    bound, has = show_amount(name, most), show_amount(name, whole)
    return f"bounds {name} of a container to {bound}, and nodes have {has}"
