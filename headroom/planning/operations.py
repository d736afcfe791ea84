"""What the platform runs for itself: jobs beside the pipelines, what they may see, where their reports go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from headroom.catalog.facts import load_facts
from headroom.planning.grants import Grants, render_grants
from headroom.planning.pipelines import kubernetes_amount
from headroom.planning.regions import Neighbours
from headroom.planning.rollouts import RolloutPlan
from headroom.planning.staging import find_staged
from headroom.spec.errors import Problem
from headroom.spec.operations import Operations
from headroom.spec.platform import Platform
from headroom.spec.quantities import parse_quantity
from headroom.spec.stack_text import render_stack_file

NAMESPACE = "headroom-operations"
"""Begins as no pipeline may."""

FINISHED_JOBS = 3
"""Of each outcome, so that what went wrong can be looked up."""

PROJECT_FOLDER = "/etc/headroom/project"

_CONFIG_MAP_BYTES = 1_000_000
"""Of the 1 MiB that an object may have (kubernetes.io/docs/concepts/configuration/configmap, 2026-11)."""

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class AccessRule:
    """What a job may do with which kinds of the cluster's objects."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job that the cluster runs by itself; never two of it at once."""

    name: str
    schedule: str
    arguments: tuple[str, ...]
    deadline_seconds: int
    retried: tuple[int, ...]
    """Exit codes after which it is tried again; after any other it has ended."""
    cpu: str
    memory: str
    roles: tuple[str, ...]
    """In the project, without `roles/`."""
    rules: tuple[AccessRule, ...]
    archives: bool
    returns: bool
    """Whether it approves that models come back to production."""


@dataclass(frozen=True, slots=True)
class ReportsPlan:
    """The bucket that reports are written into, and never out of."""

    keep_days: int
    soft_delete_seconds: int


@dataclass(frozen=True, slots=True)
class OperationsPlan:
    """The platform's own jobs, all from one image, in a namespace that is no pipeline's."""

    image: str
    jobs: tuple[JobPlan, ...]
    reports: ReportsPlan | None
    """None: no job writes any."""
    files: tuple[tuple[str, str], ...]
    """The project as the jobs read it: path and text of each file."""
    quota: tuple[tuple[str, str], ...]
    """What a ResourceQuota bounds: each job once, and once more while it is tried again."""
    pool: str
    taint: tuple[str, str]
    control_plane: str
    """Where the API server answers."""


def plan_operations(
    platform: Platform,
    environment: str,
    pool: str,
    taint: tuple[str, str],
    grants: Grants | None,
    neighbours: Neighbours,
) -> OperationsPlan | None:
    """Return the jobs of the platform's own, on the pool of that name and taint; None: none is asked for."""
    asked = platform.operations
    if asked is None:
        return None
    jobs = tuple(_plan_jobs(asked, environment))
    return OperationsPlan(
        image=asked.image,
        jobs=jobs,
        reports=ReportsPlan(asked.audit.keep_days, 7 * _DAY_SECONDS) if asked.audit else None,
        files=tuple(_plan_files(platform, environment, grants, neighbours)),
        quota=_bound(jobs),
        pool=pool,
        taint=taint,
        control_plane=str(platform.network.control_plane),
    )


def find_waiting(operations: Operations | None, rollouts: Iterable[RolloutPlan]) -> list[Problem]:
    """Return a note where a rollback may wait for an approval, and nothing gives it by itself."""
    asking = [
        rollout.pipeline
        for rollout in rollouts
        if any(region.production.approval for region in rollout.regions)
    ]
    if not asking or (operations is not None and operations.rollbacks is not None):
        return []
    return [
        Problem(
            "headroom:operations.rollbacks",
            f"is not set: production of {', '.join(asking)} asks for approvals, and a rollback may wait for "
            "one until a person gives it; with it the cluster does, each minute",
        )
    ]


def check_operations(platform: Platform, environment: str, neighbours: Neighbours) -> list[Problem]:
    """Return a problem where the stack file is longer than what a job can be given of it, and where a job
    would have nothing to look after."""
    if platform.operations is None:
        return []
    if platform.operations.rollbacks and not find_staged(platform):
        lead = platform.delivery.follows
        why = f"{lead} has, which releases come from" if lead else "no pipeline has a delivery"
        return [Problem("headroom:operations.rollbacks", f"has nothing to approve: {why}; remove it")]
    size = sum(len(text.encode()) for _, text in _plan_files(platform, environment, None, neighbours))
    if size <= _CONFIG_MAP_BYTES:
        return []
    return [
        Problem(
            "headroom:operations",
            f"its jobs read the stack file from the cluster, where it may have {_CONFIG_MAP_BYTES:,} bytes, "
            f"and it has {size:,}; leave the section out, and let the workflow audit",
        )
    ]


def list_roles(job: str) -> tuple[str, ...]:
    """Return the roles in the project, without `roles/`, that a job of that name has."""
    return tuple(_find_row(job)["roles"])


def list_returning() -> tuple[str, ...]:
    """Return the names of the jobs that approve that models come back."""
    return tuple(row["name"] for row in _rows() if row["returns"])


def list_arguments(job: str, environment: str) -> tuple[str, ...]:
    """Return what a job of that name runs `headroom` with in an environment."""
    return tuple(_find_row(job)["arguments"].replace("{stack}", environment).split())


def find_amounts(job: str) -> tuple[str, str]:
    """Return the CPU and the memory of a job of that name, as Kubernetes writes them."""
    row = _find_row(job)
    return row["cpu"], row["memory"]


def _plan_jobs(asked: Operations, environment: str) -> Iterator[JobPlan]:
    for row in _rows():
        section = getattr(asked, row["name"])
        if section is not None:
            yield JobPlan(
                name=row["name"],
                schedule=section.schedule,
                arguments=list_arguments(row["name"], environment),
                deadline_seconds=row["deadline_seconds"],
                retried=tuple(row["retried"]),
                cpu=row["cpu"],
                memory=row["memory"],
                roles=list_roles(row["name"]),
                rules=tuple(
                    AccessRule(tuple(rule["groups"]), tuple(rule["resources"]), tuple(rule["verbs"]))
                    for rule in row["rules"]
                ),
                archives=row["archives"],
                returns=row["returns"],
            )


def _plan_files(
    platform: Platform, environment: str, grants: Grants | None, neighbours: Neighbours
) -> Iterator[tuple[str, str]]:
    yield "Pulumi.yaml", "name: headroom\nruntime: python\n"
    for name, each in ((environment, platform), *neighbours.items()):
        yield f"Pulumi.{name}.yaml", render_stack_file(each)
    if grants is not None:
        yield f"quotas/{environment}.json", render_grants(grants)


def _bound(jobs: Iterable[JobPlan]) -> tuple[tuple[str, str], ...]:
    jobs = tuple(jobs)
    cpu_millis = sum(int(parse_quantity(job.cpu) * 1_000) for job in jobs)
    memory = kubernetes_amount("memory", 2 * sum(int(parse_quantity(job.memory)) for job in jobs))
    counts = {
        "count/cronjobs.batch": len(jobs),
        "count/jobs.batch": len(jobs) * (2 * FINISHED_JOBS + 2),
        "persistentvolumeclaims": 0,
        "pods": 2 * len(jobs),
        "services": 0,
    }
    amounts = {
        "limits.memory": memory,
        "requests.cpu": kubernetes_amount("cpu", 2 * cpu_millis),
        "requests.memory": memory,
    }
    return tuple(sorted((amounts | {key: str(count) for key, count in counts.items()}).items()))


def _find_row(job: str) -> dict[str, Any]:
    (row,) = (row for row in _rows() if row["name"] == job)
    return row


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    return tuple(row for group in load_facts("operations") for row in group["jobs"])
