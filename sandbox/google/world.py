"""The imitated cloud as somebody with the console would see and change it, behind Pulumi's back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sandbox.google import delays
from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from sandbox.google.faults import KINDS
from sandbox.google.outputs import Settings
from sandbox.google.quota_preferences import ANSWERS, KNOB, PREFERENCE, decide
from sandbox.google.quotas import find_limit
from sandbox.google.store import LIVE, Fault, Store, WorldObject


class WorldError(Exception):
    """What was asked for cannot be done; the text says why and what can be."""


@dataclass(frozen=True)
class Quota:
    """A quota of a project: its name (`id/region-or-global[/dimension=value]`), limit, what is drawn."""

    name: str
    limit: float
    drawn: float


class World:
    """One imitated cloud, in the SQLite file at `path`."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path)

    def objects(self, token: str | None = None, status: str | None = None) -> list[WorldObject]:
        """What the world holds, of a type and in a status (`live`, `left over`, `soft-deleted`) if given."""
        return self._store.objects(token, status)

    def find(self, identity: str) -> WorldObject:
        """The live object of an id, or of the end of one that only one object has.

        Raises `WorldError` if there is none, or more than one.
        """
        live = self._store.objects(status=LIVE)
        found = [item for item in live if item.id == identity] or [
            item for item in live if item.id.endswith(f"/{identity}")
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise WorldError(f"{identity} is ambiguous: {', '.join(item.id for item in found)}")
        short = {item.id.rpartition("/")[2]: item.id for item in live}
        nearest = get_close_matches(identity.rpartition("/")[2], short, n=1)
        hint = f"; the nearest is {short[nearest[0]]}" if nearest else ""
        raise WorldError(f"the world holds nothing of the id {identity}{hint}")

    def drift(self, identity: str, path: str, value: Any) -> WorldObject:
        """Change a property of a live object, as somebody would by hand; the path is dotted.

        Raises `WorldError` if there is no such object or the path leads through something that is no object.
        """
        item = self.find(identity)
        properties = json.loads(json.dumps(item.properties))
        *parents, last = path.split(".")
        holder = properties
        for part in parents:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or (not parents and last not in properties):
            raise WorldError(f"{item.id} has no property {path}; it has {', '.join(sorted(properties))}")
        holder[last] = value
        return self._keep(replace(item, properties=properties))

    def remove(self, identity: str) -> WorldObject:
        """Delete a live object without asking anybody, as somebody would by hand."""
        item = self.find(identity)
        with self._store.transaction():
            self._store.remove(item.type, item.id)
        return item

    def _keep(self, item: WorldObject) -> WorldObject:
        with self._store.transaction():
            self._store.put(item)
        return item

    def quotas(self, project: str) -> list[Quota]:
        """The quotas of a project that were set or are drawn from."""
        limits, draws = self._store.limits(project), self._store.draws(project)
        return [
            Quota(name, find_limit(limits, name), draws.get(name, 0.0)) for name in sorted({*limits, *draws})
        ]

    def set_quota(self, project: str, name: str, limit: float) -> None:
        """Grant a quota, named as `Quota.name` has it. Raises `WorldError` for a limit below 0."""
        if limit < 0:
            raise WorldError(f"a limit is a number of 0 or more, not {limit}")
        if "/" not in name:
            raise WorldError(f"{name} names no quota: say ID/REGION or ID/global, then any dimension=value")
        with self._store.transaction():
            self._store.set_limit(project, name, limit)
            decide(self._store, project, name, limit)

    def answer_requests(self, answer: str) -> None:
        """Set how Google answers requests for quota from now on: one of `quota_preferences.ANSWERS`."""
        if answer not in ANSWERS:
            raise WorldError(f"{answer} is no answer to a request; answers are {', '.join(ANSWERS)}")
        with self._store.transaction():
            self._store.turn(KNOB, answer)

    def request_quota(self, project: str, name: str, amount: int, preference: str) -> WorldObject:
        """Ask for a quota, named as `Quota.name` has it, as somebody with the console would.

        `preference` is what the request is called. Raises `WorldError` where Google does not take it.
        """
        quota_id, place, *pairs = name.split("/")
        region = {} if place == "global" else {"region": place}
        inputs = {
            "parent": f"projects/{project}",
            "name": preference,
            "service": "compute.googleapis.com",
            "quotaId": quota_id,
            "dimensions": region | dict(pair.split("=", 1) for pair in pairs),
            "quotaConfig": {"preferredValue": str(amount)},
            "contactEmail": "somebody@acme.example",
        }
        try:
            made = Cloud(self._store).create(PREFERENCE, inputs, Settings(project))
        except ApiError as error:
            raise WorldError(str(error)) from None
        return self._keep(replace(made, properties=made.properties | {"contactEmail": None}))

    def inject(
        self,
        kind: str,
        operation: str = "*",
        token: str = "*",  # noqa: S107 (a type token)
        rate: float = 1.0,
        at: int = 0,
        times: int = 1,
    ) -> None:
        """Let something go wrong: `kind` is one of `faults.KINDS`, the rest is as in `store.Fault`.

        Raises `WorldError` for a kind, operation or rate that there is not.
        """
        if kind not in KINDS:
            raise WorldError(f"{kind} is no fault; faults are {', '.join(KINDS)}")
        if operation not in ("*", "create", "read", "update", "delete"):
            raise WorldError(f"{operation} is no operation; operations are create, read, update, delete, *")
        if not 0 <= rate <= 1 or at < 0:
            raise WorldError("a rate is a number from 0 to 1, and a step a number from 1 (0: any)")
        with self._store.transaction():
            self._store.add_fault(Fault(0, kind, operation, token, rate, at, times))

    def faults(self) -> list[Fault]:
        """The faults that can still strike."""
        return self._store.faults()

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        with self._store.transaction():
            self._store.clear_faults()

    def set_pace(self, seed: str | None = None, scale: float | None = None) -> None:
        """Set the seed of delays, order and faults, and how long a real second is here (0: no delays)."""
        try:
            turned = {
                delays.SEED: seed,
                delays.SCALE: None if scale is None else delays.parse_scale(str(scale)),
            }
        except ValueError as error:
            raise WorldError(str(error)) from None
        with self._store.transaction():
            for name, value in turned.items():
                if value is not None:
                    self._store.turn(name, str(value))

    def pace(self, environment: Mapping[str, str] | None = None) -> delays.Pace:
        """The seed and the scale in force."""
        return delays.read_pace(self._store, {} if environment is None else environment)
