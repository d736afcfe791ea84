"""Every rule of security: those of the table, and those that are more than a comparison."""

from collections.abc import Iterator
from pathlib import Path

from policies.exposure_rules import EXPOSURE_RULES
from policies.frameworks import cis
from policies.identity_rules import IDENTITY_RULES
from policies.model import Model
from policies.network_rules import NETWORK_RULES
from policies.property_rules import load_property_rules
from policies.rbac_rules import RBAC_RULES
from policies.resources import Missing
from policies.rules import Found, Rule
from policies.settings import Settings

_ENFORCE = "pod-security.kubernetes.io/enforce"


def _check_pods(model: Model, _: Settings) -> Iterator[Found]:
    for space in filter(lambda space: space.is_ours, model.namespaces):
        level = space.resource.read("metadata", "labels", _ENFORCE)
        if level not in ("baseline", "restricted"):
            shown = level.value if isinstance(level, Missing) else str(level)
            yield (
                space.resource,
                f"its label {_ENFORCE} is {shown}, so pods may have the node's rights",
                "set it to baseline or restricted",
            )


SECURITY_RULES = (
    *load_property_rules(Path(__file__).with_name("security_rules.yaml")),
    *NETWORK_RULES,
    *EXPOSURE_RULES,
    *IDENTITY_RULES,
    *RBAC_RULES,
    Rule(
        name="pods-are-confined",
        description="Pods of pipelines have none of the node's rights.",
        family="security",
        severity="high",
        reference="CIS GKE Benchmark 4.2.1",
        remedy=f"Label namespaces {_ENFORCE}: baseline or restricted.",
        of_stack=_check_pods,
        frameworks=cis("4.2.1"),
    ),
)
