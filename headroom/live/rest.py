"""One request to an API that has no client library here, over REST."""

from typing import Any

from headroom.live.connection import TIMEOUT_S, Connection, answers, bounds


def read(connection: Connection, url: str, query: dict[str, str]) -> dict[str, Any]:
    """Return the answer to a GET, asked again while Google is busy. Raises UnansweredError."""
    with answers(connection.project):
        return bounds()["retry"](lambda: _send(connection, "GET", url, params=query))()


def search(connection: Connection, url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a POST that changes nothing, asked again while Google is busy.

    Raises UnansweredError.
    """
    with answers(connection.project):
        return bounds()["retry"](lambda: _send(connection, "POST", url, json=body))()


def change(connection: Connection, url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a POST that changes something: sent once, as it may be done even if the answer is
    lost. Raises UnansweredError."""
    with answers(connection.project):
        return _send(connection, "POST", url, json=body)


def _send(connection: Connection, method: str, url: str, **content: Any) -> dict[str, Any]:
    from google.api_core.exceptions import from_http_response

    with connection.session() as session:
        answer = session.request(method, url, timeout=TIMEOUT_S, **content)
        if not answer.ok:
            raise from_http_response(answer)
        body = answer.json()
    if not isinstance(body, dict):
        raise ValueError("the answer is no object")
    return body
