"""Which kinds of objects there are, and their published schemas, from the data files in `schemas/`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "schemas"
# The files of `schemas/` that hold kinds; the name of each is the origin of its kinds.
ORIGINS: Final = ("kubernetes", "kueue", "provisioning", "monitoring", "gateway")
BUILT_IN: Final = "kubernetes"
# Marks properties that the API server leaves out where they are empty.
OMITTED: Final = "x-omitted-when-empty"


@dataclass(frozen=True)
class Kind:
    """A kind of object that an API server serves: its address, its schema, and whose kind it is."""

    api_version: str
    name: str
    plural: str
    namespaced: bool
    origin: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    definitions: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def is_built_in(self) -> bool:
        """Whether every API server has it."""
        return self.origin == BUILT_IN


def find_kind(api_version: str, name: str) -> Kind | None:
    """The published kind of this version and name, or None."""
    return load_kinds().get((api_version, name))


@cache
def load_kinds() -> Mapping[tuple[str, str], Kind]:
    """All published kinds by version and name."""
    found = (kind for origin in ORIGINS for kind in _load_origin(origin))
    return {(kind.api_version, kind.name): kind for kind in found}


def _load_origin(origin: str) -> list[Kind]:
    content = load_file(origin)
    definitions = content["definitions"]
    return [
        Kind(
            row["apiVersion"],
            row["kind"],
            row["plural"],
            row["namespaced"],
            origin,
            definitions[row["schema"]],
            definitions,
        )
        for row in content["kinds"]
    ]


@cache
def load_file(name: str) -> Mapping[str, Any]:
    """One data file of `schemas/` by its name without suffix."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def read_definition(manifest: Mapping[str, Any]) -> list[Kind]:
    """The kinds that a CustomResourceDefinition makes, one for each version that is served."""
    spec = manifest["spec"]
    return [
        Kind(
            f"{spec['group']}/{version['name']}",
            spec["names"]["kind"],
            spec["names"]["plural"],
            spec["scope"] == "Namespaced",
            schema=version.get("schema", {}).get("openAPIV3Schema", {}),
        )
        for version in spec["versions"]
        if version.get("served")
    ]
