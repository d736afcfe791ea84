"""Quantities in Kubernetes notation (`500m`, `256Gi`), kept as whole base units."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator

_NOTATION = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,9})?)(?P<suffix>m|k|[KMGTP]i?|[KMGTP]?)", re.ASCII)
_DECIMAL = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50}
_LARGEST = 10**18


def parse_quantity(value: object) -> Decimal:
    """Return the amount that `value` stands for, in its base unit (cores, bytes).

    Accepts what a Kubernetes manifest accepts for resources, without exponents: whole numbers, decimals,
    and the suffixes m, k, M, G, T, P, Ki, Mi, Gi, Ti and Pi. Raises ValueError with cause and remedy.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a quantity such as 4, 500m or 16Gi")
    match = _NOTATION.fullmatch(str(value))
    if match is None or match["suffix"] == "K":
        raise ValueError("must be a quantity in Kubernetes notation, such as 4, 500m or 16Gi")
    try:
        amount = Decimal(match["number"]) * _factor(match["suffix"])
    except InvalidOperation:
        raise ValueError("must be a quantity in Kubernetes notation, such as 4, 500m or 16Gi") from None
    if amount > _LARGEST:
        raise ValueError("is larger than any cluster; the largest quantity is 10^18")
    return amount


def _factor(suffix: str) -> Decimal:
    if suffix == "m":
        return Decimal("0.001")
    if suffix in _BINARY:
        return Decimal(2 ** _BINARY[suffix])
    return Decimal(10 ** _DECIMAL[suffix])


def _whole(value: object, unit: Decimal, what: str) -> int:
    amount = parse_quantity(value) / unit
    if amount != int(amount):
        raise ValueError(what)
    return int(amount)


def _parse_cpu(value: object) -> int:
    return _whole(
        value, Decimal("0.001"), "is finer than a thousandth of a core; write it in m, such as 250m"
    )


def _parse_memory(value: object) -> int:
    if isinstance(value, str) and value.endswith("m"):
        raise ValueError("is memory, which has no thousandths; did you mean Mi?")
    return _whole(value, Decimal(1), "must be a whole number of bytes, such as 512Mi or 16Gi")


CpuMillis = Annotated[int, BeforeValidator(_parse_cpu, json_schema_input_type=int | float | str)]
"""Processor time in thousandths of a core."""

MemoryBytes = Annotated[int, BeforeValidator(_parse_memory, json_schema_input_type=int | str)]
"""Memory in bytes."""


def format_cpu(millis: int) -> str:
    """Return `millis` in Kubernetes notation: whole cores where it is whole, else thousandths."""
    return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"


def format_memory(size: int) -> str:
    """Return `size` bytes in the largest binary unit that divides it."""
    for suffix, power in reversed(_BINARY.items()):
        if size and size % 2**power == 0:
            return f"{size // 2**power}{suffix}"
    return str(size)
