"""Which of Google Cloud's APIs an environment needs: one list for the program and for preflight."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from headroom.catalog.facts import load_facts

ENABLED_BY_HAND = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""Through these all others are enabled and asked."""


@dataclass(frozen=True, slots=True)
class ApiNeed:
    """An API that must be enabled, and what stops without it."""

    api: str
    why: str
    asked_only: bool


def find_apis(traits: Collection[str]) -> tuple[ApiNeed, ...]:
    """Return the APIs that an environment with these traits needs, in the order of enabling."""
    needs: dict[str, ApiNeed] = {}
    for need, when in _apis():
        if not when or when in traits:
            needs.setdefault(need.api, need)
    return tuple(needs.values())


def plan_services(traits: Collection[str]) -> tuple[str, ...]:
    """Return the short names of the APIs that the program enables."""
    return tuple(
        need.api.removesuffix(".googleapis.com")
        for need in find_apis(traits)
        if not need.asked_only and need.api not in ENABLED_BY_HAND
    )


@cache
def _apis() -> tuple[tuple[ApiNeed, str], ...]:
    return tuple(
        (ApiNeed(row["api"], row["why"], row.get("asked", False)), row.get("when", ""))
        for group in load_facts("apis")
        for row in group["apis"]
    )
