"""Cloud Deploy: the releases and rollouts of a delivery pipeline, and what is asked of them
(cloud.google.com/deploy/docs/api/reference/rest/v1, 2026-11)."""

from collections.abc import Iterator
from typing import Any, Final

from headroom.delivery.progress import Phase, Release, Request, Rollout
from headroom.live.connection import Connection, UnansweredError
from headroom.live.rest import change, read

_HOST: Final = "clouddeploy.googleapis.com"
_PAGE: Final = "200"
_NOT_FOUND: Final = 404


def list_releases(connection: Connection, pipeline: str) -> tuple[Release, ...]:
    """Return the releases of a delivery pipeline, `projects/P/locations/L/deliveryPipelines/D`.

    Raises UnansweredError.
    """
    return tuple(_read_release(row) for row in _list(connection, f"{pipeline}/releases", "releases"))


def list_rollouts(connection: Connection, pipeline: str) -> tuple[Rollout, ...]:
    """Return the rollouts of all releases of a delivery pipeline. Raises UnansweredError."""
    rows = _list(connection, f"{pipeline}/releases/-/rollouts", "rollouts")
    return tuple(_read_rollout(row) for row in rows)


def get_rollout(connection: Connection, name: str) -> Rollout:
    """Return a rollout by its full name. Raises UnansweredError."""
    return _read_rollout(read(connection, f"{connection.url(_HOST)}/v1/{name}", {}))


def send_request(connection: Connection, request: Request) -> None:
    """Ask for a change: an approval, going on, a rollback.

    Raises UnansweredError: with an HTTP status where Google refused, without one where it is not known
    whether the change was made.
    """
    change(connection, f"{connection.url(_HOST)}/v1/{request.path}", dict(request.body))


def _list(connection: Connection, path: str, key: str) -> Iterator[dict[str, Any]]:
    query, seen = {"pageSize": _PAGE}, set()
    while True:
        answer = _ask(connection, path, query)
        rows, token = answer.get(key, []), answer.get("nextPageToken", "")
        if not isinstance(rows, list) or answer.get("unreachable"):
            raise UnansweredError(f"Cloud Deploy did not list all {key}; try again")
        yield from rows
        if not token:
            return
        if token in seen:
            raise UnansweredError(f"Cloud Deploy lists the same {key} again and again")
        seen.add(token)
        query = {"pageSize": _PAGE, "pageToken": token}


def _ask(connection: Connection, path: str, query: dict[str, str]) -> dict[str, Any]:
    try:
        return read(connection, f"{connection.url(_HOST)}/v1/{path}", query)
    except UnansweredError as error:
        if error.status != _NOT_FOUND:
            raise
        _, project, _, region, _, pipeline, *_ = path.split("/")
        raise UnansweredError(
            f"Cloud Deploy has no delivery pipeline {pipeline} in {project}, {region}: "
            "nothing is delivered yet",
            remedy="bring the stack up, which makes it (`pulumi up`), then write a first release and create "
            "it (`headroom release render` says how)",
            status=error.status,
        ) from None


def _read_release(row: Any) -> Release:
    try:
        return Release(
            name=row["name"].rpartition("/")[2],
            created=str(row.get("createTime", "")),
            rendering=str(row.get("renderState", "")),
            abandoned=bool(row.get("abandoned", False)),
        )
    except (KeyError, TypeError, AttributeError):
        raise UnansweredError("the answer is no release of Cloud Deploy: is a proxy in between?") from None


def _read_rollout(row: Any) -> Rollout:
    try:
        return Rollout(
            name=row["name"],
            release=row["name"].split("/")[7],
            target=row["targetId"],
            state=row["state"],
            created=str(row.get("createTime", "")),
            phases=tuple(Phase(each["id"], each["state"]) for each in row.get("phases", [])),
            rollback_of=str(row.get("rollbackOfRollout", "")),
            rolled_back_by=tuple(row.get("rolledBackByRollouts", [])),
            failure=str(row.get("failureReason", "")),
        )
    except (KeyError, TypeError, AttributeError, IndexError):
        raise UnansweredError("the answer is no rollout of Cloud Deploy: is a proxy in between?") from None
