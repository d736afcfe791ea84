"""What the rules of the cloud are asked about: one request and the world it meets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.google.outputs import project_number
from sandbox.google.store import LIVE, Store, WorldObject


@dataclass(frozen=True)
class Request:
    """A creation or change that is about to happen: what, where, and when (seconds since the epoch)."""

    token: str
    identity: str
    project: str
    properties: Mapping[str, Any]
    moment: float

    @property
    def number(self) -> str:
        """The project's number."""
        return project_number(self.project)


@dataclass(frozen=True)
class Surroundings:
    """The world around a request, and how late it is.

    `lag(kind, token, id)` is how many seconds after its birth others see an object.
    """

    store: Store
    lag: Callable[[str, str, str], float]

    def find_settled(
        self, token: str, identity: str, moment: float, lag: str | None = None
    ) -> WorldObject | None:
        """The live object, if there is one and others see it already."""
        item = self.store.find(token, identity)
        if item is None or item.status != LIVE:
            return None
        is_late = lag is not None and moment < item.created + self.lag(lag, token, identity)
        return None if is_late else item
