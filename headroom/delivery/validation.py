"""What is run to validate a release: the commands of headroom-metrics, with what the plan asks for.

Requests are sent in the cluster, where the staged model is. Judging needs the metrics only and runs as the
runner of the deliveries, so that no pod of a model may read them. In staging the same command copies the
image of a good model to where production takes its images from.
"""

from collections.abc import Iterator

from headroom.delivery.releases import JudgePlan, ReleasePlan

COMMAND = "headroom-validate"
SENDER, JUDGE = "requests", "judge"


def sender_command(release: ReleasePlan) -> tuple[str, ...]:
    """Return the command that asks the staged model, by its service."""
    requests, staging = release.server.requests, release.rollout.staging
    return (
        COMMAND,
        "send",
        f"--to=http://{release.rollout.pipeline}.{staging.namespace}{requests.path}",
        f"--requests={requests.file}",
        f"--count={requests.count}",
        f"--per-second={requests.per_second}",
    )


def judge_command(release: ReleasePlan, judge: JudgePlan) -> tuple[str, ...]:
    """Return the command that judges a model by what it exports."""
    return (
        COMMAND,
        "judge",
        f"--environment={judge.environment}",
        f"--pipeline={release.rollout.pipeline}",
        f"--model-version={release.image.version}",
        f"--track={judge.track}",
        f"--prometheus={prometheus_url(judge.project)}",
        f"--minutes={judge.wait_seconds / 60:g}",
        *(f"--expect={name}" for name in judge.expected),
        *(_comparison(release, judge) if judge.is_compared else ()),
        *(_promotion(release, judge) if judge.promotes else ()),
    )


def prometheus_url(project: str) -> str:
    """Return where a project's metrics are asked for as from a Prometheus
    (cloud.google.com/stackdriver/docs/managed-prometheus/query-api-ui, 2026-11)."""
    return f"https://monitoring.googleapis.com/v1/projects/{project}/location/global/prometheus"


def _comparison(release: ReleasePlan, judge: JudgePlan) -> Iterator[str]:
    validation = release.rollout.validation
    yield f"--least-requests={judge.least_requests}"
    for bound in validation.quality:
        for direction, value in (("min", bound.least), ("max", bound.most)):
            if value is not None:
                yield f"--quality={bound.metric}:{direction}:{value:g}"
    yield f"--present={release.rollout.production.environment}"
    if validation.worse is not None:
        yield f"--worse={validation.worse:g}"
    if validation.skew is not None:
        yield f"--skew={validation.skew:g}"


def _promotion(release: ReleasePlan, judge: JudgePlan) -> Iterator[str]:
    yield f"--copy-from={release.image.reference}"
    yield f"--copy-to={release.validated.name}"
    yield f"--copy-minutes={judge.copy_seconds / 60:g}"
