"""Reads what is committed beside the program."""

from collections.abc import Iterable
from pathlib import Path

from headroom.live.grants_file import grants_path, load_grants
from headroom.live.promises_file import load_accepted_promises
from policies.model import CLUSTER, Records
from policies.node_pools import NODE_POOL
from policies.resources import Resource, stack_of

ROOT = Path(__file__).resolve().parent.parent


def load_records(resources: Iterable[Resource], root: Path = ROOT) -> Records:
    """Return what is known of a stack from the files of the project whose folder is `root`.

    Raises StackFileError for a file that cannot be used, or that is of another project.
    """
    resources = tuple(resources)
    stack, project = stack_of(resources), _project_of(resources)
    return Records(
        load_grants(grants_path(root, stack), project) if project else None,
        load_accepted_promises(root, stack),
    )


def _project_of(resources: Iterable[Resource]) -> str:
    """The Google Cloud project in which the stack's nodes are; empty where that is not known."""
    named = (each.read("project") for each in resources if each.type in (CLUSTER, NODE_POOL))
    return next((project for project in named if isinstance(project, str)), "")
