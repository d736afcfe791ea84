"""Resource Manager and Cloud Billing: the project itself, and what one may do in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headroom.live.connection import Connection, answers, bounds

_PERMISSIONS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Project:
    """A project as Resource Manager knows it; `parent` is its folder or organization, if it has one."""

    number: str
    active: bool
    parent: str


def get_project(connection: Connection) -> Project:
    """Return the project. Raises UnansweredError, with status 403 also where there is no such project."""
    from google.cloud.resourcemanager_v3 import Project as Message
    from google.cloud.resourcemanager_v3 import ProjectsClient

    with answers(connection.project):
        found = connection.client(ProjectsClient).get_project(
            name=f"projects/{connection.project}", **bounds()
        )
    return Project(
        found.name.removeprefix("projects/"), found.state == Message.State.ACTIVE, str(found.parent)
    )


def list_held(connection: Connection, permissions: Sequence[str]) -> frozenset[str]:
    """Return those of `permissions` that the credentials have on the project. Raises UnansweredError."""
    from google.cloud.resourcemanager_v3 import ProjectsClient

    held: set[str] = set()
    with answers(connection.project):
        client = connection.client(ProjectsClient)
        for start in range(0, len(permissions), _PERMISSIONS_AT_ONCE):
            answer = client.test_iam_permissions(
                resource=f"projects/{connection.project}",
                permissions=list(permissions[start : start + _PERMISSIONS_AT_ONCE]),
                **bounds(),
            )
            held.update(answer.permissions)
    return frozenset(held)


def is_billed(connection: Connection) -> bool:
    """Return whether the project has a billing account that is open. Raises UnansweredError."""
    from google.cloud.billing_v1 import CloudBillingClient

    with answers(connection.project):
        info = connection.client(CloudBillingClient).get_project_billing_info(
            name=f"projects/{connection.project}", **bounds()
        )
    return bool(info.billing_enabled)
