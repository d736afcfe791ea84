"""Types of resources, namespaces and roles that rules know, from known_types.yaml."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("known_types.yaml")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load_facts() -> Mapping[str, Any]:
    """Return the tables of known_types.yaml, which says what each is for."""
    return yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe loaders


@cache
def known_types() -> frozenset[str]:
    """Return the types of machines' services that are judged, or run on none."""
    facts = load_facts()
    return frozenset(row["type"] for row in (*facts["judged"], *facts["harmless"]))


@cache
def known_packages() -> frozenset[str]:
    """Return the packages whose types the tables name, or that make nothing by themselves."""
    return frozenset(row["package"] for row in load_facts()["packages"])


@cache
def machine_services() -> Mapping[str, str]:
    """Return the services whose resources run on machines, with what they run."""
    return {row["module"]: row["runs"] for row in load_facts()["modules"]}


@cache
def harmless_services() -> frozenset[str]:
    """Return the services that draw no quota of machines."""
    return frozenset(load_facts()["harmless_modules"])


@cache
def is_known_group(module: str) -> bool:
    """Return whether rules read the objects of an API group, in a version such as `kubernetes:apps/v1`."""
    facts = load_facts()
    return module in facts["groups"] or module.split("/")[0] in facts["queued_groups"]


@cache
def left_to_others(kind: str) -> frozenset[str]:
    """Return the properties of a type that somebody else than the program sets."""
    rows = (row["properties"] for row in load_facts()["left_to_others"] if row["type"] == kind)
    return frozenset(name for names in rows for name in names)


@cache
def find_opaque(kind: str) -> Mapping[str, Any] | None:
    """Return the row of a type that may make anything; None: it makes what it says."""
    facts, group = load_facts(), kind.split("/")[0]
    ending = (row for row in facts["opaque_groups"] if group.endswith(row["suffix"]))
    beginning = (row for row in facts["opaque"] if kind.startswith(row["prefix"]))
    return next(chain(ending, beginning), None)


def find_own_work(kind: str, namespace: Any, name: Any) -> Mapping[str, Any] | None:
    """Return the row of what the platform itself runs beside the queues; `kind` is the type's token."""
    asked = (kind.removeprefix("kubernetes:"), namespace, name)
    rows = load_facts()["own_work"]
    return next((row for row in rows if (row["kind"], row["namespace"], row["name"]) == asked), None)


def is_own_namespace(name: Any) -> bool:
    """Return whether a namespace is the platform's or the cluster's, and so has no queue."""
    return isinstance(name, str) and any(
        fnmatchcase(name, row["name"]) for row in load_facts()["own_namespaces"]
    )


def is_reading_role(name: Any) -> bool:
    """Return whether a cluster role that the program does not make is known to let nobody run anything."""
    return any(row["name"] == name for row in load_facts()["reading_roles"])
