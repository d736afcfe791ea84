"""The recorded graph of a stack, to change in one place and judge."""

import json
import marshal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from headroom.live.grants_file import grants_path, load_grants
from headroom.live.promises_file import load_promises, promises_path
from policies.judgement import Verdict, judge
from policies.model import Model, Records, build_model
from policies.registry import RULES
from policies.resources import Resource, from_registration
from policies.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
_GRAPH = "tests/components/__snapshots__/test_stack/test_the_graph_of_a_stack_is_the_recorded_one[{}].json"


@dataclass
class Scene:
    """A stack's registrations, what is recorded beside them, and the settings of the rules."""

    stack: str
    registrations: list[dict[str, Any]]
    records: Records
    settings: Settings = field(default_factory=Settings)

    def find(self, name: str) -> dict[str, Any]:
        """Return a resource by its name, or where several have it, by its kind and name: `Account prod-nodes`."""
        kind, _, name = name.rpartition(" ")
        (found,) = [
            each
            for each in self.registrations
            if each["name"] == name
            and not each["type"].startswith("headroom:")
            and (not kind or each["type"].endswith(f":{kind}"))
        ]
        return found

    def value(self, name: str, *path: str | int) -> Any:
        """Return what lies at `path` of a resource."""
        place = self.find(name)["inputs"]
        for key in path:
            place = place[key]
        return place

    def put(self, name: str, *path: str | int, to: Any) -> "Scene":
        """Set what lies at `path` of a resource."""
        place = self.find(name)["inputs"]
        for key in path[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[path[-1]] = to
        return self

    def drop(self, name: str, *path: str | int) -> "Scene":
        """Remove what lies at `path` of a resource; without a path, the resource."""
        found = self.find(name)
        if not path:
            self.registrations.remove(found)
            return self
        place = found["inputs"]
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        return self

    def add(self, kind: str, name: str, inputs: dict[str, Any]) -> "Scene":
        """Register one more resource."""
        self.registrations.append({"type": kind, "name": name, "inputs": inputs})
        return self

    def set_quota(self, name: str, flavor: str, resource: str, key: str, to: Any) -> "Scene":
        """Set, or with None remove, a limit in a queue or cohort."""
        row = self.quota_row(name, flavor, resource)
        if to is None:
            del row[key]
        else:
            row[key] = to
        return self

    def quota_row(self, name: str, flavor: str, resource: str) -> dict[str, Any]:
        groups = self.find(name)["inputs"]["spec"]["resourceGroups"]
        (row,) = [
            row
            for group in groups
            for each in group["flavors"]
            if each["name"] == flavor
            for row in each["resources"]
            if row["name"] == resource
        ]
        return row

    def resources(self) -> list[Resource]:
        return [self._resource(each) for each in self.registrations]

    def _resource(self, given: dict[str, Any]) -> Resource:
        recorded, found = _recorded(self.stack).get((given["type"], given["name"]), (None, None))
        return found if found and given == recorded else self._read(given)

    def _read(self, given: dict[str, Any]) -> Resource:
        options = given.get("options", {})
        found = from_registration(
            self.stack, given["type"], given["name"], given["inputs"], protect=options.get("protect", False)
        )
        said = {"ignored": tuple(options.get("ignore", ())), "provider": options.get("provider", "")}
        return replace(found, options=replace(found.options, sources=options.get("sources", {}), **said))

    def model(self) -> Model:
        return build_model(self.resources(), self.records, self.settings)

    def verdicts(self) -> tuple[Verdict, ...]:
        return judge(self.resources(), self.records, self.settings, RULES)

    def broken(self) -> set[str]:
        """The names of the rules that refuse the stack."""
        return {verdict.rule.name for verdict in self.verdicts() if verdict.refuses}

    def found(self, rule: str) -> list[str]:
        """What a rule finds, as it is told to people: by itself, as `test_all_rules.py` has it beside all others."""
        (known,) = (each for each in RULES if each.name == rule)
        return [str(each.finding) for each in judge(self.resources(), self.records, self.settings, [known])]


def open_scene(stack: str) -> Scene:
    """Return the stack as it is recorded, with what is committed beside it."""
    return Scene(stack, marshal.loads(_registrations(stack)), _records(stack))


Change = Callable[[Scene], object]
Failing = tuple[str, str, Change, str]
"""The rule, what is changed, how, and what must be said."""
NotKnown = tuple[str, Change, str]
"""The rule, how a value becomes unknown, and what must be said."""


@cache
def _registrations(stack: str) -> bytes:
    """The graph as what is copied fastest, as many tests change a copy of it."""
    return marshal.dumps(json.loads((ROOT / _GRAPH.format(stack)).read_text()))


@cache
def _recorded(stack: str) -> dict[tuple[str, str], tuple[dict[str, Any], Resource]]:
    """What is recorded, and how rules see it: of a copy that is changed in one place all else is this."""
    scene = Scene(stack, [], Records())
    rows = marshal.loads(_registrations(stack))
    return {(row["type"], row["name"]): (row, scene._read(row)) for row in rows}


@cache
def _records(stack: str) -> Records:
    project = f"acme-ml-{stack}"
    return Records(load_grants(grants_path(ROOT, stack), project), load_promises(promises_path(ROOT, stack)))
