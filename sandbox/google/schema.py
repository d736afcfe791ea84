"""What a resource type may be given and gives back, read from pulumi_gcp's own types.

Reading imports the packages of pulumi_gcp, half of this provider's work in a usual update: what was read is
kept in the cache folder.
"""

import hashlib
import importlib
import inspect
import json
import re
import threading
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sandbox.engine.cache import find_cache_folder, replace_file
from sandbox.engine.errors import SandboxError

_TOKEN: Final = re.compile(r"^gcp:([A-Za-z0-9]+)/([A-Za-z0-9]+):([A-Za-z0-9]+)$")
# The generated pages have closed lists in this one form; sentences that say "include" are examples.
_DOCUMENTED: Final = re.compile(r":param [^:\n]* (\w+): (.*?)(?=\n\s*:param |\Z)", re.DOTALL)
_CLOSED_LIST: Final = re.compile(r"Possible values are: ((?:`[A-Z0-9_a-z-]*`(?:, | and |, and | or )?)+)\.")
_import_lock = threading.Lock()


class UnknownTypeError(LookupError):
    """The token names no resource type of the installed pulumi_gcp."""


@dataclass(frozen=True)
class Kind:
    """The shape of a value: string, int, float, bool, list, map, object or any."""

    name: str
    element: "Kind | None" = None
    held: "Mapping[str, Property] | None" = None

    def properties(self) -> "Mapping[str, Property]":
        """What an object may hold; empty for every other kind."""
        return self.held or {}


@dataclass(frozen=True)
class Property:
    """One input: its name on the wire, its kind, whether it must be given, its closed list if documented."""

    name: str
    kind: Kind
    is_required: bool
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceType:
    """A resource type: its inputs by name and the kinds of all its properties, outputs included."""

    token: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Kind]


def load_resource_type(token: str) -> ResourceType:
    """The type that a token such as `gcp:container/nodePool:NodePool` names.

    Raises `UnknownTypeError` where pulumi_gcp has no such type.
    """
    # Importing a package's module from several threads at once may deadlock or see it half made.
    with _import_lock:
        return _load_resource_type(token)


@cache
def _load_resource_type(token: str) -> ResourceType:
    kept = _recall(token)
    if kept is None:
        kept = read_resource_type(token)
        _remember(kept)
    return kept


def _file_of(token: str) -> Path:
    """Where a type is kept: another pulumi_gcp or another reader reads it anew."""
    reader = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9]+", "-", token)
    return find_cache_folder() / "types" / f"{version('pulumi_gcp')}-{reader}" / f"{name}.json"


def _recall(token: str) -> ResourceType | None:
    try:
        kept = json.loads(_file_of(token).read_text(encoding="utf-8"))
    except (OSError, ValueError, SandboxError):
        return None
    outputs = {name: _parse_kind(kind) for name, kind in kept["outputs"].items()}
    return ResourceType(token, _parse_properties(kept["inputs"]), outputs)


def _remember(resource: ResourceType) -> None:
    try:
        replace_file(_file_of(resource.token), json.dumps(asdict(resource)))
    except (OSError, SandboxError):
        return  # Without a cache it is read again the next time.


def _parse_properties(kept: Mapping[str, Any]) -> dict[str, Property]:
    return {
        name: Property(name, _parse_kind(each["kind"]), each["is_required"], tuple(each["values"]))
        for name, each in kept.items()
    }


def _parse_kind(kept: Mapping[str, Any]) -> Kind:
    element, held = kept["element"], kept["held"]
    return Kind(
        kept["name"],
        None if element is None else _parse_kind(element),
        None if held is None else _parse_properties(held),
    )


def read_resource_type(token: str) -> ResourceType:
    """The type as pulumi_gcp has it; raises as `load_resource_type` does."""
    from pulumi._types import resource_types

    match = _TOKEN.match(token)
    if match is None:
        raise UnknownTypeError(f"{token!r} is not a token of the form gcp:module/name:Name")
    module_name, _, class_name = match.groups()
    try:
        module = importlib.import_module(f"pulumi_gcp.{module_name.lower()}")
        resource, args = getattr(module, class_name), getattr(module, f"{class_name}Args")
    except (ModuleNotFoundError, AttributeError):
        raise UnknownTypeError(f"the installed pulumi_gcp has no type {token}") from None
    outputs = {name: _kind(hint) for name, hint in resource_types(resource).items()}
    return ResourceType(token, _object_properties(args), outputs)


@cache
def provider_properties() -> Mapping[str, Property]:
    """The settings of the provider itself, such as project and defaultLabels."""
    import pulumi_gcp

    return _object_properties(pulumi_gcp.ProviderArgs)


@cache
def _object_properties(args: type) -> Mapping[str, Property]:
    from pulumi._types import input_type_py_to_pulumi_names, input_type_types

    names = {wire: python for python, wire in input_type_py_to_pulumi_names(args).items()}
    parameters = inspect.signature(args.__init__).parameters
    documented = _documented_values(args)
    return {
        wire: Property(
            wire,
            _kind(hint),
            parameters[names[wire]].default is inspect.Parameter.empty,
            documented.get(names[wire], ()),
        )
        for wire, hint in input_type_types(args).items()
    }


def _documented_values(args: type) -> dict[str, tuple[str, ...]]:
    text = inspect.getdoc(args.__init__) or ""
    found = {}
    for name, description in _DOCUMENTED.findall(text):
        closed = _CLOSED_LIST.search(" ".join(description.split()))
        if closed:
            found[name] = tuple(re.findall(r"`([^`]*)`", closed[1]))
    return found


def _kind(hint: Any) -> Kind:
    plain = _plain(hint)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin in (Sequence, list):
        return Kind("list", _kind(arguments[0]))
    if origin in (Mapping, dict):
        return Kind("map", _kind(arguments[1]))
    scalars = {str: "string", int: "int", float: "float", bool: "bool"}
    if plain in scalars:
        return Kind(scalars[plain])
    return _object_kind(plain)


def _object_kind(cls: Any) -> Kind:
    from pulumi._types import is_input_type, is_output_type

    if inspect.isclass(cls) and is_input_type(cls):
        return Kind("object", held=_object_properties(cls))
    return Kind("object") if inspect.isclass(cls) and is_output_type(cls) else Kind("any")


def _plain(hint: Any) -> Any:
    """The hint without Optional, Awaitable and Output around it."""
    if typing.get_origin(hint) is not typing.Union:
        return hint
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    return _plain(options[0])
