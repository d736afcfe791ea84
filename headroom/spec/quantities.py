"""Quantities in Kubernetes notation (`500m`, `256Gi`), kept as whole base units."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_NOTATION = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,9})?)(?P<suffix>m|k|[KMGTP]i?|[KMGTP]?)", re.ASCII)
_DECIMAL = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50}
_LARGEST = 10**18
_LEAST_MEMORY = 2**20


def parse_quantity(value: object, example: str = "4, 500m or 16Gi") -> Decimal:
    """Return the amount that `value` stands for, in its base unit (cores, bytes); messages show `example`.

    Accepts what a Kubernetes manifest accepts for resources, without exponents: whole numbers, decimals,
    and the suffixes m, k, M, G, T, P, Ki, Mi, Gi, Ti and Pi. Raises ValueError with cause and remedy.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"must be a quantity such as {example}")
    match = _NOTATION.fullmatch(str(value))
    if match is None or match["suffix"] == "K":
        raise ValueError(f"must be a quantity in Kubernetes notation, such as {example}")
    try:
        amount = Decimal(match["number"]) * _factor(match["suffix"])
    except InvalidOperation:
        raise ValueError(f"must be a quantity in Kubernetes notation, such as {example}") from None
    if amount > _LARGEST:
        raise ValueError("is larger than any cluster; the largest quantity is 10^18")
    return amount


def _factor(suffix: str) -> Decimal:
    if suffix == "m":
        return Decimal("0.001")
    if suffix in _BINARY:
        return Decimal(2 ** _BINARY[suffix])
    return Decimal(10 ** _DECIMAL[suffix])


def _whole(value: object, unit: Decimal, what: str, example: str) -> int:
    amount = parse_quantity(value, example) / unit
    if amount != int(amount):
        raise ValueError(what)
    return int(amount)


def _parse_cpu(value: object) -> int:
    return _whole(
        value,
        Decimal("0.001"),
        "is finer than a thousandth of a core; write it in m, such as 250m",
        "4 or 500m",
    )


def _parse_memory(value: object) -> int:
    if isinstance(value, str) and value.endswith("m"):
        raise ValueError("is memory, which has no thousandths; did you mean Mi?")
    size = _whole(
        value, Decimal(1), "must be a whole number of bytes, such as 512Mi or 16Gi", "512Mi or 16Gi"
    )
    if 0 < size < _LEAST_MEMORY:
        plain = re.fullmatch(r"[0-9]{1,7}", str(value), re.ASCII)
        meant = f"did you mean {value}Gi?" if plain else "write it with a unit, such as 16Gi"
        raise ValueError(f"is less than 1Mi; {meant}")
    return size


def format_cpu(millis: int) -> str:
    """Return `millis` as cores, with as many decimals as they need: `16`, `0.25`, `190.68`."""
    return f"{Decimal(millis).scaleb(-3):f}".rstrip("0").rstrip(".") if millis % 1000 else str(millis // 1000)


def format_memory(size: int) -> str:
    """Return `size` bytes in the largest binary unit that divides it."""
    for suffix, power in reversed(_BINARY.items()):
        if size and size % 2**power == 0:
            return f"{size // 2**power}{suffix}"
    return str(size)


CpuMillis = Annotated[
    int,
    BeforeValidator(_parse_cpu, json_schema_input_type=int | float | str),
    PlainSerializer(format_cpu, return_type=str, when_used="json"),
]
"""Processor time in thousandths of a core; in JSON as a stack file says it."""

MemoryBytes = Annotated[
    int,
    BeforeValidator(_parse_memory, json_schema_input_type=int | str),
    PlainSerializer(format_memory, return_type=str, when_used="json"),
]
"""Memory in bytes; in JSON as a stack file says it."""
