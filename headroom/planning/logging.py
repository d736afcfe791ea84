"""Which log goes into which bucket, how long it stays there, and who may read it.

A log view can tell entries apart by project, resource type and log id alone, not by namespace
(LogView.filter of the Logging API v2, 2026-11), so what a pipeline's owner may read, and others not, has to
be a bucket. Buckets go by owner rather than by pipeline: pipelines of one owner share one, in which the
namespace, which has the pipeline's name, tells them apart, and another pipeline of a known owner adds no
resource. What a bucket is called depends on its owner alone, so that pipelines come and go without moving
anybody's logs.

Every entry of the cluster's workloads is kept once: in its owner's bucket, or, where it is no pipeline's, in
the cluster's. From `_Default`, which everybody who may view logs can read, both are left out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from headroom.planning.addresses import is_example
from headroom.planning.log_filters import (
    AUDIT_LOGS,
    DEBUG,
    HEALTH_CHECKS,
    in_namespaces,
    shard_by_name,
    workload_logs,
)
from headroom.planning.queues import EXPERIMENTS
from headroom.spec.errors import Problem, suggest
from headroom.spec.logging import Export, Logging
from headroom.spec.platform import Platform

PRODUCTION_DAYS = 90
"""Three months must be at hand at once (PCI DSS 4.0, 10.5.1)."""
DEVELOPMENT_DAYS = 30
"""What is kept longer is charged (cloud.google.com/stackdriver/pricing, 2026-11)."""

MOST_EXCLUSIONS = 50
"""Of one sink (cloud.google.com/logging/quotas, 2026-11)."""
_PROJECTS_OWN = 2
"""The buckets, and the sinks, that every project has: _Default and _Required."""

WRITER_ROLES = {"storage": "roles/storage.objectCreator", "bigquery": "roles/bigquery.dataEditor"}
"""What a sink needs where it writes (cloud.google.com/logging/docs/export/configure_export_v2, 2026-11)."""


@dataclass(frozen=True, slots=True)
class ExclusionPlan:
    """Entries that a sink leaves out."""

    name: str
    description: str
    filter: str


@dataclass(frozen=True, slots=True)
class SinkPlan:
    """What goes into a bucket."""

    name: str
    filter: str
    exclusions: tuple[ExclusionPlan, ...]


@dataclass(frozen=True, slots=True)
class LogBucketPlan:
    """A log bucket, what goes into it, and who may read it: nobody but those who administer logs where there
    are no readers. `namespaces` are those whose logs alone it holds."""

    name: str
    description: str
    retention_days: int
    locked: bool
    readers: tuple[str, ...]
    sinks: tuple[SinkPlan, ...]
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """A sink to a bucket of Cloud Storage (`project` is empty then) or a dataset of BigQuery."""

    name: str
    destination: str
    filter: str
    service: str
    project: str
    target: str
    role: str


@dataclass(frozen=True, slots=True)
class LoggingPlan:
    """All logs of an environment; `excluded` is what `_Default` leaves out."""

    buckets: tuple[LogBucketPlan, ...]
    excluded: tuple[ExclusionPlan, ...]
    exports: tuple[ExportPlan, ...]
    audited: tuple[str, ...]
    analytics: bool
    dataset: bool
    own_key: bool

    @property
    def sinks(self) -> int:
        """How many sinks there are, exports included."""
        return sum(len(bucket.sinks) for bucket in self.buckets) + len(self.exports)


def plan_logging(platform: Platform, environment: str) -> LoggingPlan:
    """Return the logs of a platform, for the stack called `environment`."""
    logging = platform.logging
    cluster = workload_logs(environment, platform.region)
    owned = _owner_buckets(platform, environment, cluster)
    return LoggingPlan(
        buckets=(
            *owned,
            _cluster_bucket(platform, environment, cluster, owned),
            _audit_bucket(logging, environment),
        ),
        excluded=_excluded(environment, cluster),
        exports=tuple(
            _plan_export(name, export, cluster) for name, export in sorted(logging.exports.items())
        ),
        audited=tuple(sorted(set(logging.audit.services))),
        analytics=logging.analytics,
        dataset=logging.dataset,
        own_key=logging.own_key,
    )


def logging_traits(logging: Logging) -> set[str]:
    """Return the traits by which services and roles are chosen."""
    to_datasets = logging.dataset or any(each.to.startswith("bigquery.") for each in logging.exports.values())
    return {"log_datasets"} if to_datasets else set()


def check_logging(platform: Platform, environment: str) -> list[Problem]:
    """Return what is wrong with the logs that a platform asks for."""
    logging, path = platform.logging, "headroom:logging"
    problems = [
        *_check_lock(path, _retention_days(platform), logging.locked_days),
        *_check_lock(f"{path}.audit", logging.audit.retention_days, logging.audit.locked_days),
    ]
    for name, export in logging.exports.items():
        problems += [
            Problem(
                f"{path}.exports.{name}.pipelines[{number}]",
                "is no pipeline of this stack" + suggest(pipeline, platform.pipelines),
            )
            for number, pipeline in enumerate(export.pipelines)
            if pipeline not in platform.pipelines
        ]
    return problems or _check_limits(plan_logging(platform, environment), logging)


def _check_lock(path: str, retention_days: int, locked_days: int | None) -> list[Problem]:
    if locked_days is None or locked_days == retention_days:
        return []
    return [
        Problem(
            f"{path}.retention_days",
            f"is {retention_days}, and locked_days freezes it at {locked_days}: what is locked can never be "
            f"changed; set it to {locked_days}, or locked_days too where nothing is locked yet",
        )
    ]


def _check_limits(plan: LoggingPlan, logging: Logging) -> list[Problem]:
    """Google's limits on what is otherwise well formed."""
    path = "headroom:logging"
    problems = [
        Problem(
            f"{path}.granted.{what}",
            f"is {granted}, and {count} are needed, Google's own two among them, since each owner of "
            "pipelines takes some; ask Google for more and write here what it has granted, or let groups own "
            "several pipelines",
        )
        for what, count, granted in (
            ("buckets", len(plan.buckets) + _PROJECTS_OWN, logging.granted.buckets),
            ("sinks", plan.sinks + _PROJECTS_OWN, logging.granted.sinks),
        )
        if count > granted
    ]
    if any(len(sink.exclusions) > MOST_EXCLUSIONS for bucket in plan.buckets for sink in bucket.sinks):
        problems.append(
            Problem(
                "headroom:pipelines",
                f"have more names than the {MOST_EXCLUSIONS} exclusions of a sink can hold; split the stack",
            )
        )
    return problems


def _retention_days(platform: Platform) -> int:
    default = PRODUCTION_DAYS if platform.environment.tier == "production" else DEVELOPMENT_DAYS
    return platform.logging.retention_days or default


def _owner_buckets(platform: Platform, environment: str, cluster: str) -> list[LogBucketPlan]:
    owned: dict[str, list[str]] = defaultdict(list)
    for name, pipeline in sorted(platform.pipelines.items()):
        owned[pipeline.owner.lower()].append(name)
    buckets = [
        _namespaces_bucket(
            platform,
            f"{environment}-logs-{_label(owner)}",
            f"Logs of the pipelines that {owner.partition(':')[2]} owns",
            (owner,),
            pipelines,
            cluster,
        )
        for owner, pipelines in sorted(owned.items())
    ]
    if not platform.quota.experiments.owners:
        return buckets
    name, owners = f"{environment}-logs-{EXPERIMENTS}", platform.quota.experiments.owners
    return [
        *buckets,
        _namespaces_bucket(platform, name, "Logs of experiments", owners, [EXPERIMENTS], cluster),
    ]


def _namespaces_bucket(
    platform: Platform,
    name: str,
    description: str,
    owners: Iterable[str],
    namespaces: list[str],
    cluster: str,
) -> LogBucketPlan:
    shards = shard_by_name(namespaces, lambda names: f"{cluster}\nAND {in_namespaces(names)}")
    return LogBucketPlan(
        name=name,
        description=description,
        retention_days=_retention_days(platform),
        locked=platform.logging.locked_days is not None,
        readers=_members(owners),
        sinks=tuple(
            SinkPlan(_numbered(name, number), filter_, _noise(platform)) for number, filter_ in shards
        ),
        namespaces=tuple(namespaces),
    )


def _cluster_bucket(
    platform: Platform, environment: str, cluster: str, owned: Iterable[LogBucketPlan]
) -> LogBucketPlan:
    name = f"{environment}-logs-cluster"
    kept = [namespace for bucket in owned for namespace in bucket.namespaces]
    elsewhere = tuple(
        ExclusionPlan(_numbered("pipelines", number), "Kept in their owners' buckets", filter_)
        for number, filter_ in shard_by_name(kept, in_namespaces)
    )
    return LogBucketPlan(
        name=name,
        description="Logs of the cluster's workloads that are no pipeline's",
        retention_days=_retention_days(platform),
        locked=platform.logging.locked_days is not None,
        readers=_members(platform.logging.readers),
        sinks=(SinkPlan(name, cluster, (*elsewhere, *_noise(platform))),),
    )


def _audit_bucket(logging: Logging, environment: str) -> LogBucketPlan:
    name, audit = f"{environment}-logs-audit", logging.audit
    return LogBucketPlan(
        name=name,
        description="Who read and wrote which data, and whom a policy refused",
        retention_days=audit.retention_days,
        locked=audit.locked_days is not None,
        readers=_members(audit.readers),
        sinks=(SinkPlan(name, AUDIT_LOGS, ()),),
    )


def _excluded(environment: str, cluster: str) -> tuple[ExclusionPlan, ...]:
    return (
        ExclusionPlan(f"{environment}-audit", "Kept in a bucket of their own", AUDIT_LOGS),
        ExclusionPlan(f"{environment}-health-checks", "Probes that were answered well", HEALTH_CHECKS),
        ExclusionPlan(f"{environment}-workloads", "Kept in buckets of their own", cluster),
    )


def _noise(platform: Platform) -> tuple[ExclusionPlan, ...]:
    """What no bucket of the workloads keeps: never a warning or anything worse."""
    debug = platform.logging.debug or ("drop" if platform.environment.tier == "production" else "keep")
    return (
        ExclusionPlan("health-checks", "Probes that were answered well", HEALTH_CHECKS),
        *([ExclusionPlan("debug", "Of use while developing", DEBUG)] if debug == "drop" else []),
        *(
            ExclusionPlan(f"own-{name}", "Left out by the stack file", f"severity<WARNING AND ({text}\n)")
            for name, text in sorted(platform.logging.exclude.items())
        ),
    )


def _plan_export(name: str, export: Export, cluster: str) -> ExportPlan:
    service, target = export.to.split(".googleapis.com/")
    project, dataset = (target.split("/")[1::2]) if service == "bigquery" else ("", target)
    parts = [cluster]
    if export.pipelines:
        parts.append(in_namespaces(sorted(set(export.pipelines))))
    if export.filter:
        # A comment at the end of the filter must not swallow the parenthesis.
        parts.append(f"({export.filter}\n)")
    return ExportPlan(
        name=name,
        destination=export.to,
        filter="\nAND ".join(parts),
        service=service,
        project=project,
        target=dataset,
        role=WRITER_ROLES[service],
    )


def _numbered(name: str, number: int) -> str:
    return f"{name}-{number}" if number else name


def _label(owner: str) -> str:
    """A readable part of an owner's address, and six characters that tell it from all others."""
    local = owner.partition(":")[2].partition("@")[0][:40]
    return f"{re.sub('[^a-z0-9]+', '-', local).strip('-')}-{sha256(owner.encode()).hexdigest()[:6]}"


def _members(owners: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({owner.lower() for owner in owners if not is_example(owner)}))
