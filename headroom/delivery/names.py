"""People as pages and commands name them."""

from collections.abc import Iterable


def name_people(members: Iterable[str]) -> str:
    """Return people and groups by their addresses."""
    return " or ".join(member.partition(":")[2] for member in members)
