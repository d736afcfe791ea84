"""Which metrics are collected, and whose they are said to be.

What a series says of itself is not believed where the platform knows better: of a scraped pod the namespace
is the pipeline, of Kueue's series the queue is. Fields and limits of relabeling: the definition of
ClusterPodMonitoring, prometheus-engine v0.17.2.
"""

from dataclasses import dataclass
from typing import Literal

from headroom.alerts.contract import Exporter, load_contract
from headroom.catalog.quotas import disk_quota
from headroom.planning.queues import EXPERIMENTS
from headroom.planning.quota import QuotaDraw
from headroom.planning.staging import SUFFIX, find_staged, name_staging
from headroom.spec.platform import Platform

NAMESPACE = "headroom-monitoring"
"""Begins as no pipeline may."""

SCRAPE_LABEL = ("headroom/metrics", "scrape")
"""The label of pods whose port called `metrics` is scraped."""

PUSHGATEWAY_PORT = 9091

STALE_DAYS = 35
"""A month's job has been pushed anew by then. What is forgotten does not go unseen: a pipeline that has a
queue and exports nothing raises PipelineSilent."""

VOLUME_GB = 10
"""The smallest balanced disk (cloud.google.com/compute/docs/disks, 2026-11)."""

VOLUME_TYPE = "pd-balanced"

# Who pages is scraped where it serves: what was pushed by anybody cannot say that it is well.
_ONLY_SCRAPED = "ml_prediction_.*|ml_slo_.*"


@dataclass(frozen=True, slots=True)
class Relabeling:
    """What is done to each series: dropped, kept, or a label set to what `source` says, or to `replacement`.

    The values of `source`, joined by semicolons, must match `regex` from end to end.
    """

    action: Literal["drop", "keep", "replace"]
    source: tuple[str, ...] = ()
    regex: str = ""
    target: str = ""
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """How metrics of pipelines, of Kueue and of batch jobs are collected."""

    pipelines: tuple[Relabeling, ...]
    kueue: tuple[Relabeling, ...]
    pushed: tuple[Relabeling, ...]
    names: tuple[str, ...]
    """The pipelines whose pushed series are kept."""
    image: str
    pool: str
    taint: tuple[str, str]


def plan_collection(
    platform: Platform, environment: str, pool: str, taint: tuple[str, str]
) -> CollectionPlan:
    """Return how metrics are collected; the Pushgateway runs on the pool of that name and taint."""
    belongs_here = Relabeling("replace", target="environment", replacement=environment)
    staged = tuple(find_staged(platform))
    return CollectionPlan(
        pipelines=(
            Relabeling("drop", ("__name__",), "kueue_.*|pushgateway_.*"),
            # Nobody is on call for experiments.
            Relabeling("drop", ("namespace", "__name__"), f"{EXPERIMENTS};ml_.*"),
            Relabeling("replace", ("namespace",), target="pipeline"),
            belongs_here,
            *_tell_staging("namespace", staged, environment),
        ),
        kueue=(
            Relabeling("keep", ("__name__",), _names_of("kueue")),
            Relabeling("replace", ("cluster_queue",), target="pipeline"),
            belongs_here,
            *_tell_staging("cluster_queue", staged, environment),
        ),
        pushed=(
            Relabeling("keep", ("__name__",), f"ml_.*|push_time_seconds|{_names_of('pushgateway')}"),
            Relabeling("drop", ("__name__",), _ONLY_SCRAPED),
            Relabeling("drop", ("__name__", "serving"), "ml_pipeline_info;true"),
            belongs_here,
        ),
        names=tuple(sorted(set(platform.pipelines) - {name_staging(name) for name in staged})),
        image=platform.monitoring.pushgateway_image,
        pool=pool,
        taint=taint,
    )


def plan_volume_quota(region: str) -> QuotaDraw:
    """Return what the Pushgateway's volume draws."""
    line, amount = disk_quota(VOLUME_TYPE, VOLUME_GB, region)
    return QuotaDraw(line, NAMESPACE, amount)


def _tell_staging(source: str, staged: tuple[str, ...], environment: str) -> tuple[Relabeling, ...]:
    """A staging copy's series are its pipeline's, of the environment's staging."""
    if not staged:
        return ()
    copies = f"({'|'.join(staged)}){SUFFIX}"
    return (
        Relabeling("replace", (source,), copies, "pipeline", "$1"),
        Relabeling("replace", (source,), copies, "environment", name_staging(environment)),
    )


def _names_of(exporter: Exporter) -> str:
    """An expression that matches the metrics of an exporter, and no other."""
    return "|".join(metric.name for metric in load_contract().metrics if metric.exporter == exporter)
