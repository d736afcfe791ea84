"""What Google Cloud does with a request: creates, reads, changes and deletes, late, or refuses."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.google.alerting import require_sound_alerting
from sandbox.google.dashboards import require_valid_dashboard
from sandbox.google.delays import Pace, read_pace, wait
from sandbox.google.deliveries import require_sound_delivery
from sandbox.google.errors import not_found
from sandbox.google.facts import load_facts
from sandbox.google.faults import choose_fault, keep_if_refused, strike_after, strike_before
from sandbox.google.first_pool import POOL, first_pool_id, first_pool_inputs, is_removed
from sandbox.google.lifecycle import require_free, require_unprotected, status_after_deletion
from sandbox.google.limits import require_room
from sandbox.google.log_buckets import require_reversible
from sandbox.google.names import require_valid_names
from sandbox.google.networks import require_place, require_ranges
from sandbox.google.outputs import Birth, Settings, complete, overlay
from sandbox.google.principals import require_principals
from sandbox.google.quota_preferences import answer_request, require_acceptable
from sandbox.google.quotas import require_quota
from sandbox.google.references import find_owned, require_references, require_unused
from sandbox.google.rules import Request, Surroundings
from sandbox.google.schema import load_resource_type
from sandbox.google.services import require_enabled
from sandbox.google.store import LIVE, Fault, Store, WorldObject
from sandbox.provider.wire import reveal

_COMPUTE = "https://www.googleapis.com/compute/v1/"


class Cloud:
    """The imitation's behaviour over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(self, token: str, inputs: Mapping[str, Any], settings: Settings) -> WorldObject:
        """Make a resource from fully known inputs, and answer when it is done.

        Raises `ApiError` where Google would refuse, `RefusedError` where the official provider would,
        `AnswerLostError` where the answer gets lost, and `HalfDoneError` where it comes too late.
        """
        pace, fault = self._begin("create", token)
        given = reveal(dict(inputs))
        with keep_if_refused(self.store, fault), self.store.transaction():
            item = self._insert(token, given, settings, pace)
            if is_removed(token, given):
                self._insert(POOL, first_pool_inputs(item), settings, pace)
        known = {name: value for name, value in given.items() if not name.startswith("__")}
        self._end("create", replace(item, properties=known), pace, fault)
        if is_removed(token, given):
            self._remove_first_pool(item)
        return item

    def _remove_first_pool(self, cluster: WorldObject) -> None:
        with self.store.transaction():
            self.store.remove(POOL, first_pool_id(cluster.id))

    def _begin(self, operation: str, token: str) -> tuple[Pace, Fault | None]:
        pace = read_pace(self.store)
        fault = choose_fault(self.store, pace.seed, operation, token)
        strike_before(fault, token)
        return pace, fault

    def _end(self, operation: str, known: WorldObject, pace: Pace, fault: Fault | None) -> None:
        wait(pace.duration(known.type, known.id, operation))
        strike_after(fault, operation, known)

    def _insert(self, token: str, inputs: dict[str, Any], settings: Settings, pace: Pace) -> WorldObject:
        birth = Birth(self.store.next_number("objects"), time.time())
        identity, properties = complete(load_resource_type(token), load_facts(token), inputs, settings, birth)
        existing = self.store.find(token, identity)
        request = self._request(token, identity, properties, settings)
        require_enabled(token, request.project, request.moment, self._around(pace))
        require_free(existing, birth.moment)
        item = WorldObject(
            token, identity, request.project, LIVE, birth.sequence, birth.moment, birth.moment, properties
        )
        if existing and existing.status == LIVE:
            item = replace(item, sequence=existing.sequence, created=existing.created)
        self._accept(request, item, pace)
        return answer_request(self.store, item)

    def _request(
        self, token: str, identity: str, properties: Mapping[str, Any], settings: Settings
    ) -> Request:
        project = str(properties.get("project") or settings.project)
        return Request(token, identity, project, properties, time.time())

    def _around(self, pace: Pace) -> Surroundings:
        return Surroundings(self.store, pace.lag)

    def _accept(self, request: Request, item: WorldObject, pace: Pace) -> None:
        """Ask every rule, then keep the object, its links and what it draws."""
        around = self._around(pace)
        require_valid_names(request.token, request.properties)
        require_valid_dashboard(request)
        links = require_references(request, around)
        require_principals(request, around)
        require_place(request)
        require_ranges(request, around)
        require_room(request, around)
        require_reversible(request, around)
        require_sound_alerting(request, around)
        require_sound_delivery(request)
        require_acceptable(request, around)
        draws = require_quota(request, around)
        self.store.put(item)
        self.store.link(item.type, item.id, links)
        self.store.draw(item.type, item.id, item.project, draws)

    def read(self, token: str, identity: str) -> WorldObject | None:
        """The live resource of this id, or None; a compute link serves as the id too."""
        self._begin("read", token)
        return self._find(token, identity)

    def _find(self, token: str, identity: str) -> WorldObject | None:
        item = self.store.find(token, identity.removeprefix(_COMPUTE))
        return item if item and item.status == LIVE else None

    def update(
        self,
        token: str,
        identity: str,
        old_inputs: Mapping[str, Any],
        inputs: Mapping[str, Any],
        settings: Settings,
    ) -> WorldObject:
        """Change a live resource in place. Raises what `create` raises, and `ApiError` 404 if it is gone."""
        pace, fault = self._begin("update", token)
        resource, facts = load_resource_type(token), load_facts(token)
        old, new = reveal(dict(old_inputs)), reveal(dict(inputs))
        with keep_if_refused(self.store, fault), self.store.transaction():
            item = self._find(token, identity)
            if item is None:
                raise not_found(identity)
            require_enabled(token, item.project, time.time(), self._around(pace))
            _, made = complete(resource, facts, new, settings, Birth(item.sequence, item.created))
            properties = overlay(resource, facts, item.properties, old, made, new)
            changed = replace(item, properties=properties)
            self._accept(self._request(token, item.id, properties, settings), changed, pace)
            changed = answer_request(self.store, changed, item)
        if is_removed(token, new) and not is_removed(token, old):
            self._remove_first_pool(changed)
        self._end("update", item, pace, fault)
        return changed

    def delete(self, token: str, identity: str) -> None:
        """Delete a resource as far as it can be, with what belongs to it; one that is gone is deleted well.

        Raises what `create` raises, `RefusedError` where the resource is protected.
        """
        pace, fault = self._begin("delete", token)
        with keep_if_refused(self.store, fault), self.store.transaction():
            item = self._find(token, identity)
            if item is None:
                return
            require_enabled(token, item.project, time.time(), self._around(pace))
            require_unprotected(item)
            require_unused(token, item.id, self._around(pace))
            self._remove(item, pace)
        self._end("delete", item, pace, fault)

    def _remove(self, item: WorldObject, pace: Pace) -> None:
        for token, identity in find_owned(item.type, item.id, self._around(pace)):
            owned = self._find(token, identity)
            if owned:
                self._remove(owned, pace)
        status = status_after_deletion(item)
        if status is None:
            self.store.remove(item.type, item.id)
        elif status != LIVE:
            self.store.put(replace(item, status=status))
            self.store.release(item.type, item.id)
