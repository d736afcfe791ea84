"""The metrics of the contract, as data: names, types, labels and what each of them means."""

from dataclasses import dataclass
from typing import Literal

Type = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Family:
    """A metric, and its labels beside `environment` and `pipeline`, which every series carries.

    `is_carried`: a batch job starts from what the job before it left in the Pushgateway. Without that a
    counter would begin anew with each run, and a run that begins would wipe out when the last one ended.
    """

    name: str
    type: Type
    labels: tuple[str, ...]
    meaning: str
    is_carried: bool = False


SERVED_LABELS = ("model_version", "track")
"""Filled in from the identity, in the families that have them; empty where the pipeline does not serve."""

_THRESHOLD = ("stage", "subject", "reference", "feature", "method")
_VALUES = (*SERVED_LABELS, "stage", "feature")

_ALL = (
    Family(
        "ml_pipeline_info",
        "gauge",
        ("kind", "serving", "owner", "tier", *SERVED_LABELS),
        "1: the pipeline is there, and what it is",
    ),
)

_SERVING = (
    Family("ml_prediction_requests_total", "counter", (*SERVED_LABELS, "code"), "Requests answered"),
    Family("ml_prediction_duration_seconds", "histogram", SERVED_LABELS, "How long predictions took"),
    Family("ml_prediction_slow_requests_total", "counter", SERVED_LABELS, "Requests slower than the bound"),
    Family("ml_prediction_latency_bound_seconds", "gauge", (), "What 99 of 100 predictions must keep"),
    Family("ml_slo_objective_ratio", "gauge", ("slo",), "Share of requests that must be good"),
)

_DISTRIBUTIONS = (
    Family(
        "ml_distribution_distance",
        "gauge",
        (*SERVED_LABELS, *_THRESHOLD),
        "How far a window is from its reference",
    ),
    Family("ml_distribution_distance_threshold", "gauge", _THRESHOLD, "Beyond it the feature has drifted"),
    Family("ml_distribution_samples", "gauge", _THRESHOLD, "Values in the latest window"),
    Family("ml_distribution_samples_required", "gauge", _THRESHOLD, "Values that a comparison needs"),
    Family("ml_monitor_last_run_timestamp_seconds", "gauge", ("stage",), "When the monitor looked", True),
    Family("ml_monitor_interval_seconds", "gauge", ("stage",), "How often the monitor looks", True),
)

_DATA = (
    Family("ml_data_values_total", "counter", _VALUES, "Values looked at", True),
    Family("ml_data_invalid_values_total", "counter", (*_VALUES, "reason"), "Values found unsound", True),
    Family("ml_data_invalid_ratio_bound", "gauge", ("stage",), "Share of unsound values that is too much"),
)

_QUALITY = (
    Family("ml_model_quality", "gauge", (*SERVED_LABELS, "metric"), "Quality where outcomes are known"),
    Family("ml_model_quality_bound", "gauge", ("metric", "direction"), "Worst quality that is good enough"),
)

_TRAINING = (
    Family("ml_training_run_start_timestamp_seconds", "gauge", ("run",), "When the run began"),
    Family("ml_training_run_end_timestamp_seconds", "gauge", ("run",), "When the run ended, well or not"),
    Family("ml_training_run_duration_seconds", "gauge", (), "How long the last good run took", True),
    Family("ml_training_duration_baseline_seconds", "gauge", (), "How long a run usually takes"),
    Family("ml_training_schedule_seconds", "gauge", (), "How often a run is due"),
    Family("ml_training_last_success_timestamp_seconds", "gauge", (), "When a run last succeeded", True),
    Family("ml_training_last_failure_timestamp_seconds", "gauge", (), "When a run last failed", True),
)

FAMILIES = _ALL + _SERVING + _DISTRIBUTIONS + _DATA + _QUALITY + _TRAINING
"""All that the library exports, and nothing beside it."""

LIMITS = {"feature": 200, "metric": 50}
"""How many values of a label one process may export: each costs a series in every family that has it."""
