"""The rule that a queue tries, borrows and evicts in the order that the plan reckons with.

What the API server fills in is fine (kubernetes-sigs/kueue v0.19.2 apis/kueue/v1beta2/clusterqueue_types.go).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from policies.property_rules import show_value
from policies.queues import CLUSTER_QUEUE, COHORT
from policies.resources import ABSENT, UNKNOWN, Resource
from policies.rules import Found, Rule
from policies.settings import Settings

_PLANNED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("flavorFungibility", "whenCanBorrow"), "MayStopSearch", "work passes by what it could borrow"),
    (
        ("flavorFungibility", "whenCanPreempt"),
        "TryNextFlavor",
        "work evicts others' where its next pool has room",
    ),
    (("flavorFungibility", "preference"), "", "work borrows and evicts in another order"),
    (
        ("preemption", "borrowWithinCohort", "policy"),
        "Never",
        "who borrows evicts work that is within its guarantee",
    ),
    (
        ("preemption", "borrowWithinCohort", "maxPriorityThreshold"),
        "",
        "who borrows evicts work that is within its guarantee",
    ),
    (
        ("preemption", "withinClusterQueue"),
        "LowerPriority",
        "work evicts that of its own queue by another order",
    ),
    (("queueingStrategy",), "BestEffortFIFO", "what cannot start keeps all behind it waiting"),
)
"""A field of the spec, what it is if it is set (empty: it never is), and what anything else would mean."""

_JUDGED = frozenset(
    (
        *(path[0] for path, _, _ in _PLANNED),
        *("resourceGroups", "cohortName", "parentName", "namespaceSelector"),
        *("admissionChecks", "admissionChecksStrategy", "stopPolicy"),
    )
)
"""The fields of a spec that some rule reads."""


def _check_search(resource: Resource, _: Settings) -> Iterator[Found]:
    spec = resource.read("spec")
    if spec is UNKNOWN:
        yield resource, f"how it searches is {UNKNOWN.value}", "write it out"
    for path, planned, meaning in _PLANNED:
        value = resource.read("spec", *path)
        if value not in (ABSENT, planned):
            remedy = f"leave it at {planned}" if planned else "remove it"
            yield resource, f"its {'.'.join(path)} is {show_value(value)}: {meaning}", remedy
    for key, value in spec.items() if isinstance(spec, Mapping) else ():
        if key not in _JUDGED and not _is_empty(value):
            yield resource, f"has {key}, which changes who is admitted, and no rule knows how", "remove it"


def _is_empty(value: Any) -> bool:
    return value in (None, {}, [])


SEARCH_RULES = (
    Rule(
        name="queues-search-as-planned",
        description="Queues try pools, borrow and evict in the order that the plan reckons with.",
        family="quota",
        severity="high",
        reference="Q2, Q3",
        remedy="Leave all but the quota of queues as infra/components/queues.py has it.",
        of_resource=_check_search,
        types=(CLUSTER_QUEUE, COHORT),
    ),
)
