"""The id and the properties that Google answers with, made from the inputs, the place and a number."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.google.errors import RefusedError
from sandbox.google.facts import ResourceFacts, load_table
from sandbox.google.labels import merge_labels
from sandbox.google.schema import Kind, ResourceType
from sandbox.google.unsent import as_answered
from sandbox.provider.wire import UNKNOWN, is_known, reveal

_FIELD: Final = re.compile(r"\{([A-Za-z0-9]+)\}")
_COMPUTE_API: Final = "https://www.googleapis.com/compute/v1/"
_PLACES: Final = {
    "project": re.compile(r"(?:^|/)projects/([^/]+)/"),
    "location": re.compile(r"/(?:locations|regions|zones)/([^/]+)/"),
    "region": re.compile(r"/regions/([^/]+)/"),
    "parent": re.compile(r"^((?:projects|folders|organizations)/[^/]+)/"),
}
_REFERENCE: Final = re.compile(r"^(?:https://[^/]+/.*)?(?:projects|folders|organizations|b)/.*?([^/]+)$")
_HOSTS: Final = {"container": "https://container.googleapis.com/v1/", "compute": _COMPUTE_API}


@dataclass(frozen=True)
class Settings:
    """The provider's own configuration, as far as resources feel it."""

    project: str = ""
    region: str = ""
    zone: str = ""
    default_labels: Mapping[str, str] = field(default_factory=dict)
    is_attributed: bool = True


@dataclass(frozen=True)
class Birth:
    """What makes one creation different from another of the same inputs: its number and its moment."""

    sequence: int
    moment: float


def project_number(project: str) -> str:
    """The twelve digits that stand for a project; the same for the same project id."""
    return str(10**11 + _integer(f"project/{project}") % (9 * 10**11))


def _integer(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _agent_domain(service: str) -> str:
    return f"gcp-sa-{service.split('.')[0]}.iam.gserviceaccount.com"


class _Values(Mapping[str, Any]):
    """What templates may name: made-up values, the resource's properties, the provider's settings."""

    def __init__(
        self, resource: ResourceType, properties: dict[str, Any], settings: Settings, birth: Birth
    ) -> None:
        self.properties = properties
        project = properties.get("project") or settings.project
        seed = f"{resource.token}/{project}/{birth.sequence}"
        digest, number = hashlib.sha256(seed.encode()).hexdigest(), _integer(seed)
        moment = datetime.fromtimestamp(birth.moment, UTC)
        agents = load_table("agents")
        service = str(properties.get("service"))
        self.made = {
            "project": project,
            "location": settings.region,
            "region": settings.region,
            "zone": settings.zone,
            "parent": f"projects/{project}",
            "number": project_number(str(project)),
            "integerNumber": int(project_number(str(project))),
            "digits": str(10**18 + number % (9 * 10**18)),
            "integer": number % 2**40,
            "hash": digest[:12],
            "hash40": digest[:40],
            "uuid": str(uuid.UUID(digest[:32])),
            "octet": number % 200 + 10,
            "octet2": number // 256 % 250 + 1,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
            "sequence": birth.sequence,
            "api": resource.token.split(":")[1].split("/")[0],
            "agent": agents[service]["domain"] if service in agents else _agent_domain(service),
        }

    def __getitem__(self, key: str) -> Any:
        value = self.properties.get(key)
        if value in (None, "") and key in _PLACES:
            value = self._referred(_PLACES[key])
        return self.made[key] if value in (None, "") and key in self.made else value

    def _referred(self, place: re.Pattern[str]) -> str | None:
        """A place that the program left out and that the id of a referred resource tells."""
        texts = (value for value in self.properties.values() if isinstance(value, str))
        found = (place.search(text) for text in texts)
        return next((match[1] for match in found if match), None)

    def __iter__(self) -> Any:
        return iter({**self.made, **self.properties})

    def __len__(self) -> int:
        return len({**self.made, **self.properties})


def render(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with its fields filled in; UNKNOWN if one of them is. A lone field keeps its kind."""
    if isinstance(template, Mapping):
        return {key: render(item, values) for key, item in template.items()}
    if isinstance(template, list):
        return [render(item, values) for item in template]
    if not isinstance(template, str):
        return template
    names = _FIELD.findall(template)
    if any(values[name] is UNKNOWN for name in names):
        return UNKNOWN
    if len(names) == 1 and template == f"{{{names[0]}}}":
        return values[names[0]]
    return _FIELD.sub(lambda match: _text(values[match[1]]), template)


def _text(value: Any) -> str:
    return "" if value is None else str(value).removeprefix("https://www.googleapis.com/compute/v1/")


def complete(
    resource: ResourceType, facts: ResourceFacts, inputs: Mapping[str, Any], settings: Settings, birth: Birth
) -> tuple[str, dict[str, Any]]:
    """The id and all properties of a resource that is made from known inputs.

    Every property of the type is present, null where Google would leave it out.
    """
    given = {name: value for name, value in inputs.items() if not name.startswith("__")}
    properties = as_answered(resource.token, given)
    values = _Values(resource, properties, settings, birth)
    _fill_place(resource, properties, values)
    row = load_table("outputs").get(resource.token, {}).get("set", {})
    early = {name: template for name, template in row.items() if "{id}" not in str(template)}
    _fill(resource, properties, early, values)
    identity = _identify(facts, values)
    properties["id"] = identity
    _fill(resource, properties, row, values)
    _fill(resource, properties, _usual(resource), values)
    labels = merge_labels(resource, inputs, settings.default_labels, settings.is_attributed)
    if labels is not None:
        properties |= {"pulumiLabels": labels, "effectiveLabels": labels}
    if "id" not in resource.outputs:
        del properties["id"]
    return identity, fill_rest(resource, properties)


def _fill_place(resource: ResourceType, properties: dict[str, Any], values: _Values) -> None:
    for name in ("project", "location", "region", "zone"):
        if name in resource.outputs and not properties.get(name) and values[name]:
            properties[name] = values[name]


def _identify(facts: ResourceFacts, values: _Values) -> str:
    names = _FIELD.findall(facts.id)
    named = {name: values[name] for name in names}
    for name in names:
        if name != "role" and not facts.id.startswith(f"{{{name}}}"):
            named[name] = last_segment(named[name])
    _require_place(named)
    identity = str(render(facts.id, named))
    if any(value in (None, "") for value in named.values()):
        identity = f"{identity.rstrip('/')}/{values['digits']}"
    title = (values.get("condition") or {}).get("title")
    return f"{identity}/{title}" if title else identity


def _require_place(named: Mapping[str, Any]) -> None:
    """Raise `RefusedError` as the official provider does where nobody says the place."""
    missing = [
        name for name in ("project", "region", "zone", "location") if named.get(name, "set") in (None, "")
    ]
    if "project" in missing:
        raise RefusedError("project: required field is not set")
    if missing:
        raise RefusedError(
            f"Cannot determine {missing[0]}: set in this resource, or set provider-level '{missing[0]}'."
        )


def last_segment(value: Any) -> Any:
    """The short name at the end of a resource's id or link; any other value as it is."""
    match = _REFERENCE.match(value) if isinstance(value, str) else None
    return match[1] if match else value


def _usual(resource: ResourceType) -> dict[str, Any]:
    host = _HOSTS.get(resource.token.split(":")[1].split("/")[0])
    usual = {
        name: template
        for name, template in load_table("usual_outputs").items()
        if name not in resource.inputs
    }
    usual |= {name: load_table("usual_outputs")[name] for name in ("deletionPolicy",)}
    if host:
        usual["selfLink"] = host + "{id}"
    return usual


def _fill(
    resource: ResourceType, properties: dict[str, Any], row: Mapping[str, Any], values: _Values
) -> None:
    for name, template in row.items():
        if name in resource.outputs:
            properties[name] = _merge(properties.get(name), render(template, values))


def _merge(given: Any, made: Any) -> Any:
    """What was given, with what Google adds inside it."""
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        return {**made, **{key: _merge(value, made.get(key)) for key, value in given.items()}}
    return made if given is None else given


def fill_rest(resource: ResourceType, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with an empty value for each unknown one: a pure output is never null."""
    empty = {"list": [], "map": {}, "int": 0, "float": 0, "bool": False, "string": ""}
    rest: dict[str, Any] = {}
    for name, kind in resource.outputs.items():
        if properties.get(name) is None:
            rest[name] = None if name in resource.inputs else _copy(empty.get(kind.name))
    return {**rest, **{name: value for name, value in properties.items() if value is not None}}


def _copy(value: Any) -> Any:
    return type(value)() if isinstance(value, (list, dict)) else value


def preview(
    resource: ResourceType, facts: ResourceFacts, inputs: Mapping[str, Any], settings: Settings
) -> dict[str, Any]:
    """The properties as far as they are known before a creation: inputs and place, the rest unknown."""
    properties = {name: value for name, value in reveal(dict(inputs)).items() if not name.startswith("__")}
    values = _Values(resource, properties, settings, Birth(0, 0))
    _fill_place(resource, properties, values)
    labels = merge_labels(resource, properties, settings.default_labels, settings.is_attributed)
    if labels is not None:
        properties |= {"pulumiLabels": labels, "effectiveLabels": labels}
    for name, kind in resource.outputs.items():
        if name not in properties and (name not in resource.inputs or _is_computed(facts, name, kind)):
            properties[name] = UNKNOWN
    added = load_table("outputs").get(resource.token, {}).get("set", {})
    return {name: _with_unknown(value, added.get(name)) for name, value in properties.items()}


def _with_unknown(value: Any, added: Any) -> Any:
    """A block with what Google will add inside it, as far as nobody can know it yet."""
    if not isinstance(value, Mapping) or not isinstance(added, Mapping):
        return value
    missing = {name: UNKNOWN for name in added if name not in value}
    return {name: _with_unknown(item, added.get(name)) for name, item in value.items()} | missing


def _is_computed(facts: ResourceFacts, name: str, kind: Kind) -> bool:
    return name in facts.computed or (not facts.is_row and kind.name == "string")


def overlay(
    resource: ResourceType,
    facts: ResourceFacts,
    state: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    made: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> dict[str, Any]:
    """The state after an update: what the inputs say, and for all else what it was."""
    result = dict(state)
    added = load_table("outputs").get(resource.token, {}).get("set", {})
    for name in resource.inputs:
        if inputs.get(name) is not None:
            result[name] = _keep_added(made[name], state.get(name), added.get(name))
        elif old_inputs.get(name) is not None and name not in facts.computed:
            result[name] = facts.defaults.get(name)
    moving = (
        "pulumiLabels",
        "effectiveLabels",
        "etag",
        "fingerprint",
        "labelFingerprint",
        "updateTime",
        "updated",
    )
    result |= {name: made[name] for name in moving if name in made and name not in resource.inputs}
    return result


def _keep_added(value: Any, before: Any, added: Any) -> Any:
    """The new value of a block, with what Google added inside it before, which a preview knows too."""
    if not all(isinstance(each, Mapping) for each in (value, before, added)):
        return value
    kept = {name: before[name] for name in added if name in before and value.get(name, UNKNOWN) is UNKNOWN}
    rest = {name: item for name, item in value.items() if name not in kept}
    return kept | {name: _keep_added(item, before.get(name), added.get(name)) for name, item in rest.items()}


def is_fully_known(inputs: Mapping[str, Any]) -> bool:
    """Whether a real creation may go ahead with these inputs."""
    return is_known(dict(inputs))
