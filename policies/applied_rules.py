"""The rule that what the other rules judge is what comes into force, and in the stack's own cluster."""

from collections import Counter
from collections.abc import Iterator

from policies.known_types import left_to_others
from policies.model import CLUSTER, Model
from policies.node_pools import NODE_POOL
from policies.property_rules import show_value
from policies.queues import CLUSTER_QUEUE
from policies.resources import ABSENT, Resource
from policies.rules import Found, Rule
from policies.settings import Settings

_CLUSTERS = "kubernetes:"


def _check_applied(model: Model, _: Settings) -> Iterator[Found]:
    for resource in model.resources:
        if resource.options.ignored:
            yield from _check_ignored(resource)
    yield from _check_providers(model)


def _check_ignored(resource: Resource) -> Iterator[Found]:
    for key in resource.options.ignored:
        if key not in left_to_others(resource.type):
            message = f"changes of its {key} are ignored, so that it may be other than what is judged"
            yield resource, message, f"take {key} out of ignoreChanges"
    count = resource.read("nodeCount")
    if resource.type == NODE_POOL and "nodeCount" in resource.options.ignored and count is not ABSENT:
        message = f"its nodeCount is {show_value(count)}, and changes of it are ignored"
        yield resource, message, "leave it out, or take nodeCount out of ignoreChanges"


def _check_providers(model: Model) -> Iterator[Found]:
    """Objects of two providers may be in two clusters; the stack's is the one that has the queues."""
    used = Counter(queue.options.provider for queue in model.of(CLUSTER_QUEUE))
    if not used or not model.of(CLUSTER):
        return
    ((own, _),) = used.most_common(1)
    for resource in model.resources:
        if resource.type.startswith(_CLUSTERS) and resource.options.provider != own:
            message = (
                f"is made by the provider {resource.options.provider or 'of the environment'}, and the queues"
            )
            yield resource, f"{message} by {own or 'that of the environment'}", "make it with the stack's own"


APPLIED_RULES = (
    Rule(
        name="what-is-judged-is-applied",
        description="What the rules read comes into force, and all objects are in the stack's cluster.",
        family="operations",
        severity="high",
        reference="docs/decisions/0015-policies-judge-what-is-asked-for.md",
        remedy="Take the property out of ignoreChanges, and make objects with the stack's own provider.",
        of_stack=_check_applied,
    ),
)
