"""Refuses what a person who changes the imitated cloud by hand mistyped, with the nearest that is right."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from headroom.catalog.facts import load_facts
from headroom.catalog.zones import regions
from sandbox.google.check import check_object
from sandbox.google.quotas import known_quotas
from sandbox.google.schema import Property, UnknownTypeError, load_resource_type
from sandbox.google.store import WorldObject
from sandbox.google.world import WorldError


def check_apis(apis: Iterable[str]) -> None:
    """Raise `WorldError` for an API that the catalog does not know, with the nearest that it does."""
    known = [row["api"] for group in load_facts("apis") for row in group["apis"]]
    for api in apis:
        if api not in known:
            raise WorldError(f"{api} is no API that headroom asks or uses{_nearest(api, known)}")


def check_quota_name(name: str) -> None:
    """Raise `WorldError` for a quota, region or dimension that the catalog does not know, with the nearest.

    A name is `ID/REGION` or `ID/global`, then `/dimension=value` for each further dimension.
    """
    quota_id, slash, rest = name.partition("/")
    if not slash:
        raise WorldError(f"{name} names no quota: say ID/REGION or ID/global, then any dimension=value")
    known = known_quotas()
    if quota_id not in known:
        raise WorldError(f"{quota_id} is no quota that the catalog knows{_nearest(quota_id, known)}")
    place, *pairs = rest.split("/")
    if not known[quota_id] and place != "global":
        raise WorldError(f"{quota_id} is of the whole project: say {quota_id}/global")
    if known[quota_id] and place not in regions():
        raise WorldError(f"{place} is no region{_nearest(place, regions())}")
    given = [pair.partition("=")[0] for pair in pairs if pair.partition("=")[2]]
    wanted = known[quota_id][1:]
    if len(given) != len(pairs) or sorted(given) != sorted(wanted):
        form = "/".join([quota_id, place, *(f"{each}=VALUE" for each in wanted)])
        raise WorldError(f"{name} has not the dimensions of that quota: say {form}")


def check_drift(item: WorldObject, path: str, value: Any) -> None:
    """Raise `WorldError` for a property that the object's type does not have, or a value of another kind."""
    try:
        resource = load_resource_type(item.type)
    except UnknownTypeError:
        return
    computed = {name: Property(name, kind, is_required=False) for name, kind in resource.outputs.items()}
    nested = value
    for part in reversed(path.split(".")):
        nested = {part: nested}
    for failure in check_object({**computed, **resource.inputs}, nested, ""):
        is_beside_the_path = failure.reason.startswith("missing") and not failure.path.startswith(f"{path}.")
        if not is_beside_the_path:
            raise WorldError(f"{failure.path} of {item.id}: {failure.reason}")


def _nearest(given: str, known: Iterable[str]) -> str:
    by_lower_case = {name.lower(): name for name in known}
    near = get_close_matches(given.lower(), by_lower_case, n=1, cutoff=0.5)
    return f"; the nearest is {by_lower_case[near[0]]}" if near else ""
