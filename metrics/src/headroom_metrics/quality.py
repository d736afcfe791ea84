"""Model quality with the bounds that it must keep."""

from dataclasses import dataclass
from math import isfinite

from headroom_metrics.errors import MetricsError
from headroom_metrics.exporter import Exporter


@dataclass(frozen=True)
class QualityBound:
    """What a metric may be: at least `minimum` (accuracy), at most `maximum` (an error), or between both."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        """Refuse a bound that bounds nothing, or that nothing meets."""
        given = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if not given:
            raise MetricsError(f"{self.metric}: no bound is given: name minimum, maximum or both")
        if not all(isfinite(bound) for bound in given) or given != sorted(given):
            raise MetricsError(f"{self.metric}: from {self.minimum} to {self.maximum} there is nothing")

    def is_met(self, value: float) -> bool:
        """Say whether a value is within the bound, the bound itself included."""
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


class QualityMonitor:
    """Exports what a model's quality is measured to be, beside its bounds. Safe in several threads."""

    def __init__(self, exporter: Exporter, *bounds: QualityBound):
        self._exporter = exporter
        self._bounds = {bound.metric: bound for bound in bounds}
        if len(self._bounds) != len(bounds):
            raise MetricsError("bounds: a metric is bounded twice: keep one of them")
        exporter.reserve("QualityMonitor")
        exporter.claim("metric", self._bounds)
        for bound in bounds:
            for direction, value in (("min", bound.minimum), ("max", bound.maximum)):
                if value is not None:
                    exporter.set("ml_model_quality_bound", value, metric=bound.metric, direction=direction)

    def measure(self, metric: str, value: float) -> bool:
        """Export a value, in the metric's own unit, and say whether it is within its bound.

        A metric without a bound and a value that is no finite number are refused with a MetricsError: the
        first would never be looked at, the second compares as fine with everything.
        """
        if metric not in self._bounds:
            raise MetricsError(f"{metric}: has no bound; those that have: {', '.join(sorted(self._bounds))}")
        if not isfinite(value):
            raise MetricsError(f"{metric}: {value!r} is no finite number")
        self._exporter.set("ml_model_quality", value, metric=metric)
        return self._bounds[metric].is_met(value)
