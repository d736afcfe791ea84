"""Rules for production: it survives the loss of a zone, and a slip of the hand."""

import re
from collections.abc import Iterator

from policies.model import CLUSTER, Model
from policies.resources import ABSENT, Missing, Resource, each, has_unknown
from policies.rules import Found, Rule
from policies.settings import Settings

HELM_RELEASE = "kubernetes:helm.sh/v3:Release"
KEPT_TYPES = (
    CLUSTER,
    "gcp:artifactregistry/repository:Repository",
    "gcp:compute/network:Network",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:kms/keyRing:KeyRing",
    "gcp:storage/bucket:Bucket",
)
"""What cannot be had back, or takes everything else along."""
_REGION = re.compile(r"^[a-z]+-[a-z]+\d+$")
_DECLARE = "protect=True in its options, or deletionPolicy ABANDON"


def is_kueue(resource: Resource) -> bool:
    """Return whether it is the release of Kueue, for all that is known."""
    chart = resource.read("chart")
    return resource.type == HELM_RELEASE and (isinstance(chart, Missing) or "kueue" in str(chart))


def _check_protected(model: Model, _: Settings) -> Iterator[Found]:
    if not model.is_production:
        return
    for cluster in model.clusters:
        value = cluster.read("deletionProtection")
        if value is not True:
            shown = value.value if isinstance(value, Missing) else "false"
            yield cluster, f"its deletionProtection is {shown}", "set headroom:environment.tier to production"
    kept = (*model.of(*KEPT_TYPES), *filter(is_kueue, model.of(HELM_RELEASE)))
    for resource in kept:
        if not resource.options.protect and resource.read("deletionPolicy") not in ("ABANDON", "PREVENT"):
            yield resource, "is not protected, so that a slip of the hand deletes it", f"set {_DECLARE}"


def _check_regional(model: Model, _: Settings) -> Iterator[Found]:
    for cluster in model.clusters if model.is_production else ():
        location, zones = cluster.read("location"), cluster.read("nodeLocations")
        if isinstance(location, Missing) or not _REGION.match(str(location)):
            shown = location.value if isinstance(location, Missing) else location
            yield cluster, f"its location is {shown}, which is no region", "set gcp:region"
        if has_unknown(zones) or len(each(zones)) < 2:
            shown = (
                "not known before the update" if has_unknown(zones) else ", ".join(each(zones)) or "not set"
            )
            yield (
                cluster,
                f"its nodeLocations are {shown}: one zone less, and it is gone",
                "name two zones at least",
            )


def _check_maintained(model: Model, _: Settings) -> Iterator[Found]:
    for cluster in model.clusters if model.is_production else ():
        policy = cluster.read("maintenancePolicy")
        windows = [
            cluster.read("maintenancePolicy", key) for key in ("recurringWindow", "dailyMaintenanceWindow")
        ]
        if all(window is ABSENT for window in windows) or has_unknown(policy):
            shown = "not known before the update" if has_unknown(policy) else "not set"
            yield (
                cluster,
                f"its maintenance window is {shown}, so nodes are upgraded when Google likes",
                "set headroom:cluster.maintenance",
            )


PRODUCTION_RULES = (
    Rule(
        name="production-is-protected",
        description="What cannot be had back is protected from deletion.",
        family="operations",
        severity="critical",
        reference="docs/decisions/0002-production-guard.md",
        remedy="Set headroom:environment.tier to production.",
        of_stack=_check_protected,
        settings=("production",),
    ),
    Rule(
        name="production-survives-a-zone",
        description="The control plane is regional, and nodes are in several zones.",
        family="operations",
        severity="high",
        reference="cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters",
        remedy="Set gcp:region, and name two zones at least.",
        of_stack=_check_regional,
        settings=("production",),
    ),
    Rule(
        name="production-is-upgraded-when-agreed",
        description="Google maintains the cluster in a window that the team has set.",
        family="operations",
        severity="medium",
        reference="cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions",
        remedy="Set headroom:cluster.maintenance.",
        of_stack=_check_maintained,
        settings=("production",),
    ),
)
