"""Data issues: values that are missing, of another type, out of range or corrupt, counted by field."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from headroom_metrics.errors import MetricsError
from headroom_metrics.exporter import Exporter
from headroom_metrics.identity import require_label, require_ratio
from headroom_metrics.values import is_missing, is_number

Reason = Literal["missing", "type", "range", "corrupt"]

REASONS: tuple[Reason, ...] = ("missing", "type", "range", "corrupt")

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class NumberField:
    """A number from `minimum` to `maximum`, both allowed. NaN is missing, an infinite number corrupt."""

    name: str
    minimum: float = -np.inf
    maximum: float = np.inf
    required: bool = True

    def __post_init__(self) -> None:
        """Refuse bounds that no number meets."""
        if not self.minimum <= self.maximum:
            raise MetricsError(f"{self.name}: minimum {self.minimum} is above maximum {self.maximum}")

    def judge(self, value: Any) -> Reason | None:
        """Return what is wrong with a value that is there."""
        if not is_number(value):
            return "type"
        if value in (np.inf, -np.inf):
            return "corrupt"
        return None if self.minimum <= value <= self.maximum else "range"


@dataclass(frozen=True)
class CategoryField:
    """One of the `choices`; another text is out of range, one that was decoded wrongly corrupt."""

    name: str
    choices: frozenset[str]
    required: bool = True

    def __post_init__(self) -> None:
        """Refuse a field without choices."""
        if not self.choices:
            raise MetricsError(f"{self.name}: choices are empty: name them, or use TextField")

    def judge(self, value: Any) -> Reason | None:
        """Return what is wrong with a value that is there."""
        return _judge_text(value, lambda text: text in self.choices)


@dataclass(frozen=True)
class TextField:
    """A text of at most `longest` characters; one that was decoded wrongly is corrupt."""

    name: str
    longest: int = 10_000
    required: bool = True

    def judge(self, value: Any) -> Reason | None:
        """Return what is wrong with a value that is there."""
        return _judge_text(value, lambda text: len(text) <= self.longest)


Field = NumberField | CategoryField | TextField


def find_issue(declared: Field, value: Any) -> Reason | None:
    """Return what is wrong with a value, or None. A missing one is wrong where the field is required."""
    if is_missing(value):
        return "missing" if declared.required else None
    return declared.judge(value)


@dataclass(frozen=True)
class Issues:
    """How many values were checked, and how many were wrong by field and reason."""

    values: int = 0
    invalid: Mapping[tuple[str, Reason], int] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """The share of values that were wrong; None where none was checked."""
        return sum(self.invalid.values()) / self.values if self.values else None


class DataCheck:
    """Checks values against the fields that are declared, and counts what is wrong. Safe in several threads.

    One for each process. Every series is there from the start, at 0: of a counter that is born at 1 no
    increase is seen. Fields of a row that are not declared are not looked at. `invalid_ratio_bound` is the
    share of unsound values beyond which the data have issues.
    """

    def __init__(self, exporter: Exporter, fields: Iterable[Field], *, invalid_ratio_bound: float = 0.01):
        require_ratio("invalid_ratio_bound", invalid_ratio_bound)
        self._exporter, self._stage, self._fields = exporter, exporter.identity.stage, tuple(fields)
        names = [each.name for each in self._fields]
        for name in names:
            require_label("field", name)
        if len(set(names)) != len(names):
            raise MetricsError("fields: a name is declared twice: keep one of them")
        exporter.reserve("DataCheck")
        exporter.claim("feature", names)
        exporter.set("ml_data_invalid_ratio_bound", invalid_ratio_bound, stage=self._stage)
        for name in names:
            self._count(name, 0, dict.fromkeys(REASONS, 0))

    def check_row(self, row: Mapping[str, Any]) -> Issues:
        """Check a row, each declared field, absent ones too: it is sound where `invalid` is empty."""
        return self.check_rows([row])

    def check_rows(self, rows: Iterable[Mapping[str, Any]]) -> Issues:
        """Check rows, each a mapping from field to value, and count them."""
        known = tuple(rows)
        return self.check_columns({each.name: [row.get(each.name) for row in known] for each in self._fields})

    def check_columns(self, columns: Mapping[str, Any]) -> Issues:
        """Check columns: a mapping from field to values, as a data frame is. An absent one is refused.

        Number columns that are arrays are checked at once; other values one by one.
        """
        invalid: dict[tuple[str, Reason], int] = {}
        values = 0
        for each in self._fields:
            if each.name not in columns:
                raise MetricsError(
                    f"{each.name}: the column is absent: a value of None says that one is missing"
                )
            column = columns[each.name]
            reasons = _count_issues(each, column)
            self._count(each.name, len(column), reasons)
            values += len(column)
            invalid |= {(each.name, reason): count for reason, count in reasons.items()}
        return Issues(values, invalid)

    def _count(self, name: str, values: int, reasons: Mapping[Reason, int]) -> None:
        self._exporter.add("ml_data_values_total", values, stage=self._stage, feature=name)
        for reason, count in reasons.items():
            self._exporter.add(
                "ml_data_invalid_values_total", count, stage=self._stage, feature=name, reason=reason
            )


def _count_issues(declared: Field, column: Any) -> dict[Reason, int]:
    if isinstance(declared, NumberField) and hasattr(column, "dtype"):
        array = np.asarray(column)
        if array.dtype.kind in "iuf":
            return _count_array_issues(declared, array)
    found = Counter(find_issue(declared, value) for value in column)
    return {reason: count for reason, count in found.items() if reason is not None}


def _count_array_issues(declared: NumberField, array: np.ndarray) -> dict[Reason, int]:
    missing, infinite = np.isnan(array), np.isinf(array)
    outside = ((array < declared.minimum) | (array > declared.maximum)) & ~infinite
    counts: dict[Reason, int] = {
        "missing": int(missing.sum()) if declared.required else 0,
        "corrupt": int(infinite.sum()),
        "range": int(outside.sum()),
    }
    return {reason: count for reason, count in counts.items() if count}


def _judge_text(value: Any, is_allowed: Callable[[str], bool]) -> Reason | None:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return "corrupt"
    if not isinstance(value, str):
        return "type"
    if _REPLACEMENT in value or any(sign < " " and sign not in "\t\n\r" for sign in value):
        return "corrupt"
    return None if is_allowed(value) else "range"
