"""Addresses of owners: whom they can stand for."""

from collections.abc import Iterable

_EXAMPLE_DOMAINS = ("example", "example.com", "example.net", "example.org", "test", "invalid")
"""Domains that nobody can own (RFC 2606)."""


def is_example(owner: str) -> bool:
    """Return whether an owner, `group:ADDRESS` or a bare address, is at a domain that nobody can own.

    IAM refuses what does not exist, so such owners are given nothing.
    """
    domain = owner.rpartition("@")[2].lower()
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in _EXAMPLE_DOMAINS)


def list_members(owners: Iterable[str]) -> tuple[str, ...]:
    """Return the owners that IAM can be told of, as its members, each once."""
    return tuple(sorted({owner.lower() for owner in owners if not is_example(owner)}))
