"""What an ML pipeline exports to Prometheus, by one contract for all pipelines."""

from headroom_metrics.data_issues import CategoryField, DataCheck, Issues, NumberField, TextField, find_issue
from headroom_metrics.drift import Comparison, DriftMonitor, Watch, watch_categories, watch_numbers
from headroom_metrics.errors import MetricsError, PushError
from headroom_metrics.exporter import Exporter, Scrape
from headroom_metrics.families import FAMILIES, Family
from headroom_metrics.gateway import Gateway
from headroom_metrics.identity import Identity, load_identity
from headroom_metrics.quality import QualityBound, QualityMonitor
from headroom_metrics.serving import Request, ServingMonitor
from headroom_metrics.training import TrainingMonitor

__all__ = [
    "FAMILIES",
    "CategoryField",
    "Comparison",
    "DataCheck",
    "DriftMonitor",
    "Exporter",
    "Family",
    "Gateway",
    "Identity",
    "Issues",
    "MetricsError",
    "NumberField",
    "PushError",
    "QualityBound",
    "QualityMonitor",
    "Request",
    "Scrape",
    "ServingMonitor",
    "TextField",
    "TrainingMonitor",
    "Watch",
    "find_issue",
    "load_identity",
    "watch_categories",
    "watch_numbers",
]
