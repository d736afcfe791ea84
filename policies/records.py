"""Reads what is committed beside the program."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from headroom.live.grants_file import grants_path, load_grants
from headroom.live.promises_file import load_accepted_promises
from headroom.planning.regions import Lead, find_followers, find_lead, name_target, plan_site
from headroom.planning.rollouts import people_of
from headroom.planning.staging import find_delivered
from headroom.planning.tenancy import DELIVERY_LABEL
from headroom.spec.platform import Platform
from headroom.spec.stack_file import load_config, load_neighbours, parse_config
from policies.model import DELIVERY_PIPELINE, DELIVERY_TARGET, Records, project_of
from policies.resources import ABSENT, Resource, stack_of
from policies.tenancy import NAMESPACE

_PROJECT = re.compile(r"projects/[^/]+/")
ROOT = Path(__file__).resolve().parent.parent


def load_records(resources: Iterable[Resource], root: Path = ROOT) -> Records:
    """Return what is known of a stack from the files of the project whose folder is `root`.

    Raises StackFileError for a file that cannot be used, or that is of another project.
    """
    resources = tuple(resources)
    stack, project = stack_of(resources), project_of(resources)
    known = _load_regions(root, stack) if _is_in_regions(resources, project) else Records()
    return replace(
        known,
        grants=load_grants(grants_path(root, stack), project) if project else None,
        promises=load_accepted_promises(root, stack),
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


def _load_regions(root: Path, stack: str) -> Records:
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        return Records()
    config = load_config(path)
    platform, neighbours = parse_config(config, path.name), load_neighbours(config, root)
    followers = find_followers(platform, stack, neighbours)
    lead = find_lead(platform, neighbours)
    return Records(
        regions=tuple(plan_site(name, there) for name, there in followers.items()),
        asking=frozenset(_find_asking(Lead(stack, platform), followers)),
        lead=plan_site(lead.stack, lead.platform) if lead else None,
    )


def _find_asking(lead: Lead, followers: Mapping[str, Platform]) -> Iterator[str]:
    led = find_delivered(lead.platform.pipelines)
    for stack, there in followers.items():
        for name, pipeline in find_delivered(there.pipelines).items():
            if name in led and people_of(name, pipeline, there, lead).begin:
                yield name_target(stack, name)
