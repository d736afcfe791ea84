"""Resources as rules see them: plain data, in which what is not known yet stands as itself.

Pulumi gives a policy what the program asks for, and in a preview some of it is known only after the update.
Pulumi ends a policy at the first such value and lets the change pass, so nothing unknown is ever raised here:
it is the value `UNKNOWN`, and a rule decides what it means.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Missing(Enum):
    """Why there is no value."""

    UNKNOWN = "not known before the update"
    ABSENT = "not set"


UNKNOWN: Final = Missing.UNKNOWN
ABSENT: Final = Missing.ABSENT

# Nearly all are plain dicts, which Python knows at once; an abstract type it asks each time.
_MAPPINGS = (dict, Mapping)
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark by which the engine knows a secret
_UNKNOWN_VALUES = frozenset(
    (
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)
"""What the engine sends in place of an unknown value, one for each type (pulumi_policy/proxy.py, 1.21.0)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a program says of a resource beside its properties."""

    protect: bool = False
    parent: str = ""
    """The URN of the parent; empty: none is known."""
    ignored: tuple[str, ...] = ()
    """Properties whose changes are ignored."""
    provider: str = ""
    """The name of the provider that was chosen; empty: none is known."""
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """URNs of the resources whose outputs a property is made of, by the property; empty: none are known."""

    def comes_from(self, key: str, types: Collection[str]) -> bool:
        """Return whether a property is made of the output of a resource of one of these types."""
        return any(urn.split("::")[2].rpartition("$")[2] in types for urn in self.sources.get(key, ()))


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. Secrets among its properties are plain, so they are never printed."""

    type: str
    """The token of its type, such as `gcp:container/nodePool:NodePool`."""
    name: str
    urn: str
    properties: Mapping[str, Any] = field(repr=False)
    options: Options = Options()

    def read(self, *path: str | int) -> Any:
        """Return the value at `path`, UNKNOWN where it or what holds it is not known, ABSENT where it is not.

        Keys are given one by one, as labels have dots in them. What is null is absent.
        """
        return read(self.properties, *path)

    @property
    def object_name(self) -> Any:
        """Return the name of a Kubernetes object."""
        return self.read("metadata", "name")

    @property
    def namespace(self) -> Any:
        """Return the namespace of a Kubernetes object."""
        return self.read("metadata", "namespace")


def read(value: Any, *path: str | int) -> Any:
    """Return what lies at `path` in plain data; see `Resource.read`."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, _MAPPINGS):
            value = value.get(key, ABSENT)
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(key, int):
            value = value[key] if key < len(value) else ABSENT
        else:
            return ABSENT
        if value is None:
            return ABSENT
    return value


def has_unknown(value: Any) -> bool:
    """Return whether anything in plain data is unknown, at any depth."""
    if isinstance(value, _MAPPINGS):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def each(value: Any) -> Sequence[Any]:
    """Return the items of a list that may be absent or unknown; what is no list has none."""
    return value if isinstance(value, list | tuple) else ()


def plain(value: Any) -> Any:
    """Return what the engine or the mocks give as plain data: secrets unwrapped, UNKNOWN for the unknown."""
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN_VALUES else value
    if isinstance(value, _MAPPINGS):
        if value.get(_SIGNATURE) == _SECRET:
            return plain(value.get("value"))
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [plain(child) for child in value]
    return value


def make_urn(stack: str, kind: str, name: str, project: str = "headroom") -> str:
    """Return the URN by which a resource that no engine has seen is told from others."""
    return f"urn:pulumi:{stack}::{project}::{kind}::{name}"


def from_registration(
    stack: str, kind: str, name: str, inputs: Mapping[str, Any], *, protect: bool = False, parent: str = ""
) -> Resource:
    """Return a resource that a program registered on mocks."""
    return Resource(kind, name, make_urn(stack, kind, name), plain(inputs), Options(protect, parent))


def stack_of(resources: Iterable[Resource]) -> str:
    """Return the stack's name, which every URN holds; empty where there is no resource."""
    return next((resource.urn.split("::")[0].rpartition(":")[2] for resource in resources), "")
