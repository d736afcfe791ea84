"""The metrics contract: what pipelines, Kueue and Google export, as data (contract.yaml)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MetricType = Literal["gauge", "counter", "histogram", "delta", "bool"]
Exporter = Literal["pipeline", "kueue", "kubernetes", "pushgateway", "operations", "google"]

KINDS = ("data", "training", "validation", "serving")
"""The kinds of pipelines."""

SERIES_OF_HISTOGRAM = ("_bucket", "_count", "_sum")

_FILE = Path(__file__).parent / "contract.yaml"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: what it says, in which unit, who exports it, and by which labels its series differ."""

    name: str
    type: MetricType
    unit: str
    exporter: Exporter
    labels: tuple[str, ...]
    """All labels of its series; on Google's own those of the monitored resource come first."""
    meaning: str
    source: str
    date: str
    required_of: tuple[str, ...] = ()
    """The kinds of pipelines that must export it: where it is absent, nothing watches over them."""
    monitored_resource: str = ""
    resource_labels: tuple[str, ...] = ()

    @property
    def rises(self) -> bool:
        """Whether its series only rise, and fall to zero where what exports them starts anew."""
        return self.type in ("counter", "histogram", "delta")


@dataclass(frozen=True, slots=True)
class Contract:
    """All metrics, and what each label says."""

    metrics: tuple[Metric, ...]
    labels: tuple[tuple[str, str], ...]

    def find(self, series: str) -> Metric | None:
        """Return the metric of a series' name, `_bucket`, `_count` and `_sum` of histograms included."""
        by_name = {metric.name: metric for metric in self.metrics}
        if series in by_name:
            return by_name[series]
        for suffix in SERIES_OF_HISTOGRAM:
            metric = by_name.get(series.removesuffix(suffix)) if series.endswith(suffix) else None
            if metric and metric.type == "histogram":
                return metric
        return None

    def labels_of(self, series: str) -> frozenset[str] | None:
        """Return the labels of a series by its name, `le` on buckets included; None: no such metric."""
        metric = self.find(series)
        if metric is None:
            return None
        return frozenset(metric.labels) | ({"le"} if series.endswith("_bucket") else set())


@cache
def load_contract() -> Contract:
    """Return the contract, read once for each process.

    The file belongs to the package, so one that is missing or malformed is a defect and raises.
    """
    data = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one
    metrics = tuple(_metric(row, group) for group in data["metrics"] for row in group["metrics"])
    return Contract(metrics, tuple(data["labels"].items()))


def _metric(row: dict[str, Any], group: dict[str, Any]) -> Metric:
    if row["type"] not in get_args(MetricType):
        raise ValueError(f"{_FILE.name}: {row['name']}.type: is none of {', '.join(get_args(MetricType))}")
    resource_labels = tuple(group.get("resource_labels", ()))
    return Metric(
        name=row["name"],
        type=row["type"],
        unit=row["unit"],
        exporter=group["exporter"],
        labels=(*group.get("common", ()), *resource_labels, *row["labels"]),
        meaning=row["meaning"],
        source=group["source"],
        date=str(group["date"]),
        required_of=tuple(row.get("required_of", ())),
        monitored_resource=group.get("monitored_resource", ""),
        resource_labels=resource_labels,
    )
