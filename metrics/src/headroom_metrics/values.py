"""Which values are there at all: what counts as missing, and what as a number."""

from numbers import Real
from typing import Any

import numpy as np


def is_missing(value: Any) -> bool:
    """Say whether a value is absent: None, NaN, and what data frames write for them."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def is_number(value: Any) -> bool:
    """Say whether a value is a real number; a truth value is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def finite_numbers(values: Any) -> np.ndarray:
    """Return the finite numbers among the values, as floats: the rest is for the data check to count."""
    array = np.asarray(values) if hasattr(values, "dtype") else None
    if array is None or array.dtype.kind not in "iuf":
        array = np.array([_as_float(value) for value in values if is_number(value)])
    numbers = array.astype(float, copy=False).ravel()
    return numbers[np.isfinite(numbers)]


def _as_float(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf
