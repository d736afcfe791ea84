"""Reads what is committed beside the program."""

import re
from collections.abc import Iterable
from pathlib import Path

from headroom.live.grants_file import grants_path, load_grants
from headroom.live.promises_file import load_accepted_promises
from headroom.planning.regions import SitePlan, find_followers, find_lead, plan_site
from headroom.planning.tenancy import DELIVERY_LABEL
from headroom.spec.stack_file import load_config, load_neighbours, parse_config
from policies.model import CLUSTER, DELIVERY_PIPELINE, DELIVERY_TARGET, Records
from policies.node_pools import NODE_POOL
from policies.resources import ABSENT, Resource, stack_of
from policies.tenancy import NAMESPACE

_PROJECT = re.compile(r"projects/[^/]+/")
ROOT = Path(__file__).resolve().parent.parent


def load_records(resources: Iterable[Resource], root: Path = ROOT) -> Records:
    """Return what is known of a stack from the files of the project whose folder is `root`.

    Raises StackFileError for a file that cannot be used, or that is of another project.
    """
    resources = tuple(resources)
    stack, project = stack_of(resources), _project_of(resources)
    regions, lead = _load_regions(root, stack) if _is_in_regions(resources, project) else ((), None)
    return Records(
        grants=load_grants(grants_path(root, stack), project) if project else None,
        promises=load_accepted_promises(root, stack),
        regions=regions,
        lead=lead,
    )


def _is_in_regions(resources: Iterable[Resource], project: str) -> bool:
    """Whether models are delivered to another project's cluster, or from another stack: only then does a
    stack file say by which."""
    kinds = {each.type for each in resources}
    far = (str(each.read("gke", "cluster")) for each in resources if each.type == DELIVERY_TARGET)
    delivered = (
        each.read("metadata", "labels", DELIVERY_LABEL) is not ABSENT
        for each in resources
        if each.type == NAMESPACE
    )
    is_led = DELIVERY_PIPELINE not in kinds and any(delivered)
    return is_led or any(_PROJECT.match(cluster) and f"/{project}/" not in cluster for cluster in far)


def _load_regions(root: Path, stack: str) -> tuple[tuple[SitePlan, ...], SitePlan | None]:
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        return (), None
    config = load_config(path)
    platform, neighbours = parse_config(config, path.name), load_neighbours(config, root)
    followers = find_followers(platform, stack, neighbours)
    lead = find_lead(platform, neighbours)
    return (
        tuple(plan_site(name, there) for name, there in followers.items()),
        plan_site(lead.stack, lead.platform) if lead else None,
    )


def _project_of(resources: Iterable[Resource]) -> str:
    """The Google Cloud project in which the stack's nodes are; empty where that is not known."""
    named = (each.read("project") for each in resources if each.type in (CLUSTER, NODE_POOL))
    return next((project for project in named if isinstance(project, str)), "")
