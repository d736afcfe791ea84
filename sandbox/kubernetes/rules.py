"""The few validation rules in CEL that are imitated, by their text in the published schemas."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.provider.wire import UNKNOWN

IMMUTABLE: Final = "self == oldSelf"


def _has_no_limit_without_cohort(queue: Mapping[str, Any]) -> bool:
    flavors = (flavor for group in queue["resourceGroups"] for flavor in group["flavors"])
    return not any("borrowingLimit" in resource for flavor in flavors for resource in flavor["resources"])


def _covers_each_resource(group: Mapping[str, Any]) -> bool:
    return all(len(flavor["resources"]) == len(group["coveredResources"]) for flavor in group["flavors"])


def _reclaims_where_it_borrows(preemption: Mapping[str, Any]) -> bool:
    policy = preemption.get("borrowWithinCohort", {}).get("policy", "Never")
    return preemption.get("reclaimWithinCohort", "Never") != "Never" or policy == "Never"


# Source of texts and messages: the rules of config/components/crd/bases in sigs.k8s.io/kueue v0.19.2.
RULES: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "!has(self.cohortName) && has(self.resourceGroups) ? self.resourceGroups.all(rg, rg.flavors.all(f, "
    "f.resources.all(r, !has(r.borrowingLimit)))) : true": lambda queue: (
        "cohortName" in queue or "resourceGroups" not in queue or _has_no_limit_without_cohort(queue)
    ),
    "self.flavors.all(x, size(x.resources) == size(self.coveredResources))": _covers_each_resource,
    "!(self.reclaimWithinCohort == 'Never' && has(self.borrowWithinCohort) &&  "
    "self.borrowWithinCohort.policy != 'Never')": _reclaims_where_it_borrows,
    "!has(self.topologyName) || self.nodeLabels.size() >= 1": lambda flavor: (
        "topologyName" not in flavor or bool(flavor.get("nodeLabels"))
    ),
}


def check_rules(schema: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    """The messages of the imitated rules that an object of this schema breaks."""
    for rule in schema.get("x-kubernetes-validations", ()):
        holds = RULES.get(rule["rule"])
        if holds and not _holds(holds, value):
            yield f"Invalid value: {rule.get('message') or 'failed rule: ' + rule['rule']}"


def _holds(rule: Callable[[Mapping[str, Any]], bool], value: Mapping[str, Any]) -> bool:
    """Whether the rule holds; what is unknown or of the wrong shape is left to other checks."""
    try:
        return rule(value)
    except (AttributeError, KeyError, TypeError):
        return True


def find_frozen_changes(
    schema: Mapping[str, Any], old: Any, new: Any, path: str
) -> Iterator[tuple[str, str]]:
    """Fields that the schema makes immutable and that differ: their paths and the schema's messages."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if rule["rule"] == IMMUTABLE and old is not None and new is not UNKNOWN and old != new:
            yield path, f"Invalid value: {rule.get('message', 'field is immutable')}"
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name, part in schema.get("properties", {}).items():
            if name in old and name in new:
                yield from find_frozen_changes(part, old[name], new[name], f"{path}.{name}".lstrip("."))
