"""Bins, cut once from the reference: what a window's values are counted into."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headroom_metrics.errors import MetricsError
from headroom_metrics.values import finite_numbers, is_missing

SMOOTHING = 0.5
"""Added to every bin's count, so that an empty bin makes no distance infinite."""

NUMERIC_BINS = 10
CATEGORY_BINS = 20


@dataclass(frozen=True)
class NumericBins:
    """Bins between `edges`, open at both ends; a value on an edge belongs to the bin above it."""

    edges: tuple[float, ...]

    def __len__(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1

    def count(self, values: Any) -> np.ndarray:
        """Return how many of the values fall into each bin; what is no finite number falls into none."""
        places = np.searchsorted(self.edges, finite_numbers(values), side="right")
        return np.bincount(places, minlength=len(self))


@dataclass(frozen=True)
class CategoryBins:
    """A bin for each category and a last one for all others; categories are compared as text."""

    categories: tuple[str, ...]

    def __len__(self) -> int:
        """How many bins there are."""
        return len(self.categories) + 1

    def count(self, values: Iterable[Any]) -> np.ndarray:
        """Return how many of the values fall into each bin; a missing one falls into none."""
        found = _count_categories(values)
        known = [found.pop(category, 0) for category in self.categories]
        return np.array([*known, found.total()])


Bins = NumericBins | CategoryBins


def cut_numeric_bins(reference: Any, bins: int = NUMERIC_BINS) -> NumericBins:
    """Return bins that hold about equal shares of the reference; a very frequent value has one to itself.

    Where it has no more distinct values than `bins`, each has a bin of its own, and what lies outside of
    them two more: a new value below or above is seen even where the reference is constant.
    """
    numbers = finite_numbers(reference)
    if not numbers.size:
        raise MetricsError("the reference has no finite number to cut bins from")
    distinct = np.unique(numbers)
    if distinct.size <= bins:
        between = (distinct[:-1] + distinct[1:]) / 2
        edges = np.concatenate([distinct[:1], between, [np.nextafter(distinct[-1], np.inf)]])
    else:
        quantiles = np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1])
        values, times = np.unique(quantiles, return_counts=True)
        edges = np.concatenate([values, np.nextafter(values[times > 1], np.inf)])
    return NumericBins(tuple(float(edge) for edge in np.unique(edges)))


def cut_category_bins(reference: Iterable[Any], bins: int = CATEGORY_BINS) -> CategoryBins:
    """Return a bin for each of the most frequent categories, at most `bins`, and one for the rest."""
    found = _count_categories(reference)
    if not found:
        raise MetricsError("the reference has no category to make bins of")
    frequent = sorted(found, key=lambda category: (-found[category], category))[:bins]
    return CategoryBins(tuple(sorted(frequent)))


def smooth_shares(counts: np.ndarray) -> np.ndarray:
    """Return each bin's share of the values, half a value (SMOOTHING) added to every bin."""
    smoothed = counts + SMOOTHING
    return smoothed / smoothed.sum()


def _count_categories(values: Iterable[Any]) -> Counter[str]:
    return Counter(str(value) for value in values if not is_missing(value))
