"""How many of a type a project, or what holds them, may have."""

from http import HTTPStatus

from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.rules import Request, Surroundings
from sandbox.google.store import LIVE, SOFT_DELETED, WorldObject


def require_room(request: Request, around: Surroundings) -> None:
    """Raise `ApiError` 429 where one more than facts/limits.yaml allows would be there."""
    limit = load_table("limits").get(request.token)
    if limit is None:
        return
    others = [
        item
        for status in (LIVE, *([SOFT_DELETED] if limit.get("deleted") else []))
        for item in around.store.objects(request.token, status)
        if item.id != request.identity and _are_together(item, request, limit["per"])
    ]
    if len(others) + limit.get("given", 0) >= limit["most"]:
        name = request.token.split(":")[2]
        message = f"The limit of {limit['most']} {name} for each {limit['per']} has been reached."
        raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, message, "limitExceeded")


def _are_together(item: WorldObject, request: Request, per: str) -> bool:
    if per == "project":
        return item.project == request.project
    return item.id.rpartition("/")[0] == request.identity.rpartition("/")[0]
