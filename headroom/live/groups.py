"""Cloud Identity: whether a group exists."""

from typing import Final

from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError, answers

_NOT_FOUND: Final = 404


def has_group(connection: Connection, email: str) -> bool:
    """Return whether there is a group of that address.

    Raises UnansweredError, with status 403 where one may not see whether there is.
    """
    from google.api_core.exceptions import from_http_response

    url = connection.url("cloudidentity.googleapis.com")
    headers = {"x-goog-user-project": connection.project}
    try:
        with answers(connection.project):
            answer = connection.session().get(
                f"{url}/v1/groups:lookup", params={"groupKey.id": email}, headers=headers, timeout=TIMEOUT_S
            )
            if not answer.ok:
                raise from_http_response(answer)
            return bool(answer.json().get("name"))
    except UnansweredError as error:
        if error.status == _NOT_FOUND:
            return False
        raise
