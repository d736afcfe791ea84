"""The rule that everything is of a type whose resources somebody counts."""

from collections.abc import Iterator

from headroom.planning.kueue_release import CHART
from policies.known_types import (
    find_opaque,
    harmless_services,
    known_groups,
    known_types,
    machine_services,
    patched_types,
)
from policies.production_rules import HELM_RELEASE
from policies.queues import GROUP
from policies.resources import Resource
from policies.rules import Found, Rule
from policies.settings import Settings

_JUDGE = "remove it, or, where it draws no quota, add it to policies/known_types.yaml with its reason"
_CLAIMS = "kubernetes:resource.k8s.io"


def _check_kind(resource: Resource, _: Settings) -> Iterator[Found]:
    kind, module = resource.type, resource.type.split("/")[0]
    if module == GROUP.rstrip("/"):
        if kind not in known_types():
            yield resource, f"is of the type {kind}, which no rule of the queues knows", _JUDGE
        return
    # Kueue's own chart is judged by what it is told.
    is_queues = kind == HELM_RELEASE and resource.read("chart") == CHART
    if not is_queues and (opaque := find_opaque(kind)):
        yield resource, f"is of the type {kind}, which {opaque['does']}", "use a resource of gcp"
    elif kind.endswith("Patch") and kind.removesuffix("Patch") in patched_types():
        yield (
            resource,
            "patches an object whose limits are judged as the program has them",
            "change the object",
        )
    elif kind not in known_types() and not is_queues and (what := _what_it_draws(module)):
        yield resource, f"is of the type {kind}, {what}", _JUDGE


def _what_it_draws(module: str) -> str:
    """What is wrong with a service of Google Cloud, or with an API group of the cluster; empty: nothing."""
    if runs := machine_services().get(module):
        return f"which may draw quota that nobody counts: its service runs {runs}"
    if module.startswith("gcp:") and module not in harmless_services():
        return "of a service that no rule knows, so that it may draw quota that nobody counts"
    if module == _CLAIMS:
        return "with which devices are drawn past the queues"
    if module.startswith("kubernetes:") and module not in known_groups():
        return "of a group that no rule knows, so that it may run work that nobody counts"
    return ""


KIND_RULES = (
    Rule(
        name="kinds-are-known",
        description="Nothing that may draw the same quota is of a type that the rules do not know.",
        family="quota",
        severity="high",
        level="mandatory",
        reference="Q2",
        remedy="Remove it, or add its type to policies/known_types.yaml with the reason why it is harmless.",
        of_resource=_check_kind,
    ),
)
