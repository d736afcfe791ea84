"""APIs that are not enabled refuse, and for a while after enabling they still do."""

from http import HTTPStatus
from typing import Final

from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.outputs import project_number
from sandbox.google.rules import Surroundings

SERVICE: Final = "gcp:projects/service:Service"


def find_api(token: str) -> str | None:
    """The API that calls for a type go to, or None where the facts have none for its module."""
    table = load_table("services")
    return table["types"].get(token) or table["modules"].get(token.split(":")[1].split("/")[0])


def require_enabled(token: str, project: str, moment: float, around: Surroundings) -> None:
    """Raise `ApiError` 403 SERVICE_DISABLED if the type's API does not answer in the project yet."""
    api = find_api(token)
    if api and not is_enabled(api, project, moment, around):
        raise _disabled(api, project)


def is_enabled(api: str, project: str, moment: float, around: Surroundings) -> bool:
    """Whether an API answers in a project: enabled from the start, or long enough ago."""
    if api in load_table("services")["enabled"]:
        return True
    return around.find_settled(SERVICE, f"{project}/{api}", moment, "service") is not None


def _disabled(api: str, project: str) -> ApiError:
    title = load_table("services")["titles"].get(api, api)
    page = f"https://console.developers.google.com/apis/api/{api}/overview?project={project_number(project)}"
    message = (
        f"{title} has not been used in project {project_number(project)} before or it is disabled. "
        f"Enable it by visiting {page} then retry. If you enabled this API recently, wait a few minutes "
        "for the action to propagate to our systems and retry."
    )
    return ApiError(HTTPStatus.FORBIDDEN, message, "SERVICE_DISABLED")
