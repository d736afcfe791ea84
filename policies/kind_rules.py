"""The rule that everything is of a type whose resources somebody counts."""

from collections.abc import Iterator
from functools import cache

from headroom.planning.kueue_release import CHART
from policies.known_types import (
    find_opaque,
    harmless_services,
    is_known_group,
    known_packages,
    known_types,
    machine_services,
)
from policies.production_rules import HELM_RELEASE
from policies.property_rules import show_value
from policies.queues import GROUP
from policies.resources import ABSENT, Resource
from policies.rules import Found, Rule
from policies.settings import Settings

_JUDGE = "remove it, or, where it draws no quota, add it to policies/known_types.yaml with its reason"
_CLAIMS = "kubernetes:resource.k8s.io"


def _check_kind(resource: Resource, _: Settings) -> Iterator[Found]:
    kind = resource.type
    if kind.startswith("kubernetes:"):
        yield from _check_said(resource)
    # Kueue's own chart is judged by what it is told.
    is_queues = kind == HELM_RELEASE and resource.read("chart") == CHART
    if is_queues or kind in known_types():
        return
    if opaque := find_opaque(kind):
        yield resource, f"is of the type {kind}, which {opaque['does']}", "use a resource of gcp"
    elif what := _what_it_draws(kind):
        yield resource, f"is of the type {kind}, {what}", _JUDGE


def _check_said(resource: Resource) -> Iterator[Found]:
    """The provider makes what an object says that it is, whatever type it was registered as."""
    version, _, kind = resource.type.removeprefix("kubernetes:").removeprefix("core/").rpartition(":")
    for key, registered in (("apiVersion", version), ("kind", kind)):
        said = resource.read(key)
        if said not in (ABSENT, registered) and resource.type != HELM_RELEASE:
            message = f"is registered as {resource.type}, and its {key} is {show_value(said)}"
            yield resource, message, f"register it as what it is: {key} {registered}"


@cache
def _what_it_draws(kind: str) -> str:
    """What is wrong with a type; empty: nothing."""
    module, group = kind.split("/")[0], kind.rpartition(":")[0]
    package = kind.removeprefix("pulumi:providers:").partition(":")[0]
    if package not in known_packages():
        return (
            f"of the package {package}, which no rule knows, so that it may run machines that nobody counts"
        )
    if module == GROUP.rstrip("/"):
        return "which no rule of the queues knows"
    if runs := machine_services().get(module):
        return f"which may draw quota that nobody counts: its service runs {runs}"
    if module.startswith("gcp:") and module not in harmless_services():
        return "of a service that no rule knows, so that it may draw quota that nobody counts"
    if module == _CLAIMS:
        return "with which devices are drawn past the queues"
    if module.startswith("kubernetes:") and kind.endswith(("List", "Patch")):
        return "behind which objects are that no rule sees"
    if module.startswith("kubernetes:") and not is_known_group(group):
        return "of a group or a version that no rule knows, so that it may run work that nobody counts"
    return ""


KIND_RULES = (
    Rule(
        name="kinds-are-known",
        description="Nothing that may draw the same quota is of a type that the rules do not know.",
        family="quota",
        severity="high",
        reference="Q2",
        remedy="Remove it, or add its type to policies/known_types.yaml with the reason why it is harmless.",
        of_resource=_check_kind,
    ),
)
