"""Skew and drift: windows of values compared with a reference, by a monitor that shows it is alive."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Literal, get_args

import numpy as np

from headroom_metrics.bins import Bins, cut_category_bins, cut_numeric_bins, smooth_shares
from headroom_metrics.distances import Method, measure_distance
from headroom_metrics.errors import MetricsError
from headroom_metrics.exporter import Exporter
from headroom_metrics.identity import require_label, require_one_of, require_seconds
from headroom_metrics.sample_size import require_sample_size

Subject = Literal["feature", "label", "prediction"]


@dataclass(frozen=True)
class Watch:
    """A feature, label or prediction, the reference that it is compared with, and the bound.

    `reference` names what that is: `training` for skew, `previous-week` for drift. `threshold` is in the
    units of `method`: `psi` from 0 upwards (0.1 to look, 0.25 to act, by rule of thumb), `jsd` from 0 to 1.
    """

    feature: str
    reference: str
    subject: Subject
    method: Method
    threshold: float
    bins: Bins
    reference_counts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what is not in the contract, and a threshold that means nothing or that chance crosses."""
        require_label("feature", self.feature)
        require_label("reference", self.reference)
        require_one_of("subject", self.subject, get_args(Subject))
        require_one_of("method", self.method, get_args(Method))
        highest = math.inf if self.method == "psi" else 1
        if not 0 < self.threshold < highest:
            raise MetricsError(
                f"{self.feature}: threshold {self.threshold!r} is not between 0 and {highest} ({self.method})"
            )
        try:
            _ = self.required
        except MetricsError as error:
            raise MetricsError(f"{self.feature}: {error}") from None

    @cached_property
    def required(self) -> int:
        """How many values a window needs before its distance says more than chance."""
        return require_sample_size(self.method, self.threshold, len(self.bins), sum(self.reference_counts))


def watch_numbers(
    feature: str,
    values: Any,
    *,
    reference: str = "training",
    threshold: float = 0.25,
    method: Method = "psi",
    subject: Subject = "feature",
) -> Watch:
    """Watch numbers against the `values` of the reference: any sequence or array.

    What is no finite number is left out. A threshold that the method cannot reach, or a reference with too
    few values for it, is refused with a MetricsError.
    """
    bins = cut_numeric_bins(values)
    return Watch(feature, reference, subject, method, threshold, bins, _tally(bins, values))


def watch_categories(
    feature: str,
    values: Iterable[Any],
    *,
    reference: str = "training",
    threshold: float = 0.25,
    method: Method = "psi",
    subject: Subject = "feature",
) -> Watch:
    """Watch categories against the `values` of the reference; new and rare ones are one category together."""
    known = tuple(values)
    bins = cut_category_bins(known)
    return Watch(feature, reference, subject, method, threshold, bins, _tally(bins, known))


@dataclass(frozen=True)
class Comparison:
    """What a check found of a watch; `distance` is None where the window had too few values to tell."""

    watch: Watch
    samples: int
    distance: float | None

    @property
    def is_drifted(self) -> bool | None:
        """Whether the distance is above the threshold; None where it is not known."""
        return None if self.distance is None else self.distance > self.watch.threshold


def compare(watch: Watch, counts: np.ndarray) -> Comparison:
    """Compare a window, as counts by bin, with the reference of the watch."""
    samples = int(counts.sum())
    if samples < watch.required:
        return Comparison(watch, samples, None)
    reference = smooth_shares(np.array(watch.reference_counts))
    return Comparison(watch, samples, measure_distance(watch.method, reference, smooth_shares(counts)))


class DriftMonitor:
    """Counts values into the current window and compares it when asked. Safe in several threads.

    One for each process. `interval_seconds` is how often `check` is due: the alert on dead monitors fires
    after twice of it. Memory is a count for each bin, however many values there are.
    """

    def __init__(self, exporter: Exporter, watches: Iterable[Watch], *, interval_seconds: float):
        require_seconds("interval_seconds", interval_seconds)
        self._exporter, self._stage = exporter, exporter.identity.stage
        self._lock = Lock()
        self._watches = tuple(watches)
        self._windows = {_key(watch): _empty(watch) for watch in self._watches}
        if len(self._windows) != len(self._watches):
            raise MetricsError("watches: two have the same feature, reference, subject and method: keep one")
        exporter.reserve("DriftMonitor")
        exporter.claim("feature", {watch.feature for watch in self._watches})
        for watch in self._watches:
            exporter.set("ml_distribution_distance_threshold", watch.threshold, **self._labels(watch))
            exporter.set("ml_distribution_samples_required", watch.required, **self._labels(watch))
        exporter.set("ml_monitor_interval_seconds", interval_seconds, stage=self._stage)
        if exporter.gateway is None:
            self._show_alive()

    def observe(self, values: Mapping[str, Any], subject: Subject = "feature") -> None:
        """Add values to the window, by feature: a sequence each. Names that are not watched are passed over.

        Any mapping will do, a data frame too. Missing values and those of another type are left out.
        """
        for watch in self._watches:
            if watch.subject == subject and watch.feature in values:
                counts = watch.bins.count(values[watch.feature])
                with self._lock:
                    self._windows[_key(watch)] += counts

    def observe_row(self, row: Mapping[str, Any], subject: Subject = "feature") -> None:
        """Add one value for each feature, as a request brings them."""
        self.observe({name: (value,) for name, value in row.items()}, subject)

    def check(self) -> tuple[Comparison, ...]:
        """Compare the window with the reference, export the distances and begin the next window.

        A window with too few values has no distance: the series goes away, `ml_distribution_samples` says
        how many there were, and the window goes on to be filled.
        """
        with self._lock:
            found = tuple(compare(watch, self._windows[_key(watch)]) for watch in self._watches)
            for each in found:
                if each.distance is not None:
                    self._windows[_key(each.watch)] = _empty(each.watch)
        for each in found:
            self._export(each)
        self._show_alive()
        return found

    def _export(self, found: Comparison) -> None:
        labels = self._labels(found.watch)
        self._exporter.set("ml_distribution_samples", found.samples, **labels)
        if found.distance is None:
            self._exporter.remove("ml_distribution_distance", **labels)
        else:
            self._exporter.set("ml_distribution_distance", found.distance, **labels)

    def _show_alive(self) -> None:
        self._exporter.set("ml_monitor_last_run_timestamp_seconds", time.time(), stage=self._stage)

    def _labels(self, watch: Watch) -> dict[str, str]:
        return {
            "stage": self._stage,
            "subject": watch.subject,
            "reference": watch.reference,
            "feature": watch.feature,
            "method": watch.method,
        }


def _key(watch: Watch) -> tuple[str, str, str, str]:
    return watch.feature, watch.reference, watch.subject, watch.method


def _tally(bins: Bins, values: Any) -> tuple[int, ...]:
    return tuple(int(count) for count in bins.count(values))


def _empty(watch: Watch) -> np.ndarray:
    return np.zeros(len(watch.bins), dtype=np.int64)
