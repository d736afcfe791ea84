"""What the official provider does when it has waited too long for something that goes on at Google."""

from typing import Final

from sandbox.google.errors import HalfDoneError, RefusedError
from sandbox.google.facts import load_table
from sandbox.google.store import WorldObject

STOPPED_WAITING: Final = (
    "timeout while waiting for state to become 'DONE' (last state: 'RUNNING', timeout: 30m0s)"
)
_ACTIVITIES: Final = {"create": "creating", "update": "updating", "delete": "deleting"}


def give_up(operation: str, known: WorldObject) -> None:
    """Stop waiting for an operation whose effect comes all the same; `known` is what the provider knows.

    Raises `HalfDoneError` where the provider keeps the resource, `RefusedError` where it forgets it, and
    returns where it looks for what it waited for, and finds it.
    """
    habit = load_table("timeouts").get(known.type, {}).get(operation) or _usual(operation)
    if habit == "find":
        return
    name = known.type.rpartition(":")[2]
    reason = f"Error waiting for {_ACTIVITIES[operation]} {name}: {STOPPED_WAITING}"
    if habit == "keep":
        raise HalfDoneError(known.id, known.properties, reason)
    raise RefusedError(reason)


def _usual(operation: str) -> str:
    return load_table("timeouts")["usual"][operation]
