"""The rule that what is left out of the logs is noise, or kept elsewhere."""

from collections.abc import Iterable, Iterator
from typing import Any

from headroom.planning.log_filters import DEBUG, in_namespaces
from headroom.spec.log_filter import Comparison, FilterError, Logic, parse_filter
from policies.log_rules import listed_namespaces, taken_namespaces
from policies.model import Model
from policies.property_rules import show_value
from policies.resources import ABSENT, UNKNOWN, Resource, each, read
from policies.rules import Found, Rule
from policies.settings import Settings

_SCOPES = ("project", "folder", "organization", "billingAccount")
_SINKS = tuple(f"gcp:logging/{scope}Sink:{scope[0].upper()}{scope[1:]}Sink" for scope in _SCOPES)
_EXCLUSIONS = tuple(f"{sink.replace('Sink', 'Exclusion')}" for sink in _SINKS)
_BELOW_WARNING = Comparison("severity", "<", "WARNING")


def _check_exclusions(model: Model, _: Settings) -> Iterator[Found]:
    filters = frozenset(
        text
        for sink in model.of(*_SINKS)
        if sink.read("disabled") in (ABSENT, False) and isinstance(text := sink.read("filter"), str)
    )
    routed = {sink.urn: taken_namespaces(sink, model) for sink in model.of(*_SINKS)}
    for resource in model.of(*_EXCLUSIONS):
        yield from _check_filter(resource, resource.properties, filters, _join(routed.values()))
    for sink in model.of(*_SINKS):
        exclusions = sink.read("exclusions")
        # What the sink itself takes is nowhere else.
        others = filters - {sink.read("filter")}
        elsewhere = _join(names for urn, names in routed.items() if urn != sink.urn)
        for exclusion in [UNKNOWN] if exclusions is UNKNOWN else each(exclusions):
            yield from _check_filter(sink, exclusion, others, elsewhere)


def _join(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _check_filter(
    resource: Resource, exclusion: Any, filters: frozenset[str], routed: frozenset[str]
) -> Iterator[Found]:
    text = read(exclusion, "filter")
    if read(exclusion, "disabled") is True or (
        isinstance(text, str) and (text in filters or _is_routed(text, routed) or _is_noise(text))
    ):
        return
    yield (
        resource,
        f"leaves out {show_value(text)}, which may have warnings and errors, and no other sink takes it",
        "begin the exclusion's filter with severity<WARNING AND, or remove it",
    )


def _is_routed(text: str, routed: frozenset[str]) -> bool:
    """Whether it is namespaces that sinks of their own take."""
    listed = listed_namespaces(text)
    return bool(listed) and text == in_namespaces(listed) and routed.issuperset(listed)


def _is_noise(text: str) -> bool:
    """Whether nothing as bad as a warning matches, and not all of the rest does."""
    try:
        found = parse_filter(text)
    except FilterError:
        return False
    if text == DEBUG:
        return True
    return isinstance(found, Logic) and found.operator == "AND" and _BELOW_WARNING in found.parts


EXCLUSION_RULES = (
    Rule(
        name="only-noise-is-left-out",
        description="Exclusions leave out no warning and nothing worse, unless another sink takes it.",
        family="operations",
        severity="high",
        reference="M17",
        remedy="Begin the filter of the exclusion with severity<WARNING AND, or remove it.",
        of_stack=_check_exclusions,
    ),
)
