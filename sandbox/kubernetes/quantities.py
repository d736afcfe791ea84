"""Resource quantities (`500m`, `16Gi`) as the API server reads and writes them.

Source: k8s.io/apimachinery v0.36.3 pkg/api/resource/quantity.go, read 2026-11-21.
"""

import re
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

_NOTATION: Final = re.compile(
    r"(?P<number>[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))"
    r"(?P<suffix>([KMGTPE]i)|[numkMGTPE]|[eE][+-]?[0-9]{1,3}|)",
    re.ASCII,
)
_BINARY: Final = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", start=1)}
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_NANO: Final = Decimal("1e-9")
_LARGEST: Final = Decimal(2**63 - 1)


def parse_quantity(value: Any) -> Decimal | None:
    """The amount in base units, or None where the value is no quantity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _NOTATION.fullmatch(str(value))
    return _amount(match) if match else None


def canonical_quantity(value: Any) -> str | None:
    """The form in which the API server gives a quantity back (`1000m` as `1`), or None for what is none."""
    match = None if isinstance(value, bool) else _NOTATION.fullmatch(str(value))
    if match is None:
        return None
    amount = _amount(match)
    if match["suffix"] in _BINARY and abs(amount) >= 1024 and amount == amount.to_integral_value():
        return _write_binary(int(amount))
    return _write_decimal(amount, is_exponent=match["suffix"][:1] in ("e", "E") and match["suffix"] != "E")


def _amount(match: re.Match[str]) -> Decimal:
    number, suffix = Decimal(match["number"]), match["suffix"]
    if suffix in _BINARY:
        amount = number * 2 ** _BINARY[suffix]
    else:
        amount = number.scaleb(_DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:]))
    # Finer than a billionth is rounded away from zero, and nothing is larger than 2^63 - 1.
    rounded = abs(amount).quantize(_NANO, ROUND_CEILING) if abs(amount) < _LARGEST else _LARGEST
    return rounded.copy_sign(amount)


def _write_binary(amount: int) -> str:
    for suffix, power in reversed(_BINARY.items()):
        if amount % 2**power == 0:
            return f"{amount // 2**power}{suffix}"
    return str(amount)


def _write_decimal(amount: Decimal, *, is_exponent: bool) -> str:
    if amount == 0:
        return "0"
    for suffix, power in reversed(_DECIMAL.items()):
        scaled = amount.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{_exponent(power) if is_exponent else suffix}"
    raise AssertionError(amount)


def _exponent(power: int) -> str:
    return f"e{power}" if power else ""
