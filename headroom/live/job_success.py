"""When a job of the platform's own last succeeded, as a metric of Cloud Monitoring.

A gauge of the time under one name, rather than a count of lines in the job's log: each pod would be a series
of its own there, whose one line no rate is ever made of. Request and resource:
cloud.google.com/monitoring/custom-metrics/creating-metrics, 2026-11.
"""

from datetime import UTC, datetime
from typing import Final

from headroom.live.connection import Connection
from headroom.live.rest import change

_HOST: Final = "monitoring.googleapis.com"
_METRIC: Final = "custom.googleapis.com/headroom/{job}_success_timestamp_seconds"


def record_success(connection: Connection, job: str, environment: str, moment: datetime) -> None:
    """Write that a job of an environment has succeeded at that moment, which has a zone.

    Raises UnansweredError.
    """
    row = {
        "metric": {"type": _METRIC.format(job=job), "labels": {"environment": environment}},
        "resource": {"type": "global", "labels": {"project_id": connection.project}},
        "metricKind": "GAUGE",
        "valueType": "DOUBLE",
        "points": [
            {
                "interval": {"endTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
                "value": {"doubleValue": moment.timestamp()},
            }
        ],
    }
    url = f"{connection.url(_HOST)}/v3/projects/{connection.project}/timeSeries"
    change(connection, url, {"timeSeries": [row]})
