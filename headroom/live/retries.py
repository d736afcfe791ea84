"""Questions to Google's APIs that have no library here: asked anew while Google is busy."""

import time
from typing import Any, Final

from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError, answers

_BUSY: Final = (429, 500, 502, 503, 504)
_PAUSES_S: Final = (0.5, 2.0)


def get_json(connection: Connection, host: str, path: str, what: str) -> dict[str, Any]:
    """Return what a GET of `path` answers. Raises UnansweredError, which says of `what`."""
    session, url = connection.session(), connection.url(host) + path
    status = 0
    for pause in (*_PAUSES_S, None):
        with answers(connection.project), session.get(url, timeout=TIMEOUT_S) as answer:
            status = answer.status_code
            if status == 200:
                content = answer.json()
                if isinstance(content, dict):
                    return content
                raise UnansweredError("the answer is not what this API answers: is a proxy in between?")
        if pause is None or status not in _BUSY:
            break
        time.sleep(pause)
    raise _refusal(status, host, what)


def _refusal(status: int, host: str, what: str) -> UnansweredError:
    if status == 404:
        return UnansweredError(f"{what} does not exist, or you may not see it", status=status)
    if status in (401, 403):
        remedy = "roles/container.viewer on the project"
        return UnansweredError(f"{host} refuses: you may not see {what}", remedy=remedy, status=status)
    return UnansweredError(f"{host} answered {status} for {what}", status=status)
