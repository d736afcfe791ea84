"""The commands by which people deliver: gcloud's, as its reference has them
(cloud.google.com/sdk/gcloud/reference/deploy, 2026-11), and headroom's own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from headroom.planning.plan import Plan
from headroom.planning.rollouts import RolloutPlan

RELEASE, ROLLOUT = "RELEASE", "ROLLOUT"
"""What a reader puts in."""

_INDENT = "    "
_MOST_LETTERS = 63
_HASH_LETTERS = 6


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of one pipeline in one environment; each is text for a shell."""

    project: str
    region: str
    delivery_pipeline: str

    def gcloud(self, verb: str, *arguments: str) -> str:
        """Return a command of `gcloud deploy` on this pipeline, one argument on each line."""
        where = (
            f"--delivery-pipeline={self.delivery_pipeline}",
            f"--region={self.region}",
            f"--project={self.project}",
        )
        return wrap(f"gcloud deploy {verb}", (*arguments, *where))

    def on_rollout(self, verb: str, *arguments: str) -> str:
        """Return a command on a rollout that the reader names."""
        return self.gcloud(f"rollouts {verb} {ROLLOUT}", f"--release={RELEASE}", *arguments)


def commands_of(plan: Plan, pipeline: str) -> Commands:
    """Return the commands of a delivered pipeline."""
    return Commands(plan.project, plan.region, f"{plan.environment}-{pipeline}")


def release_command(plan: Plan, pipeline: str, release: str, folder: str) -> str:
    """Return the command that releases what is in `folder` under a name."""
    return commands_of(plan, pipeline).gcloud(f"releases create {release}", f"--source={folder}")


def name_release(version: str) -> str:
    """Return what the release of a version is called: lower-case letters, digits and hyphens, at most 63.

    No two versions are called the same: what cannot be said in these letters is told apart by a hash.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", version.lower()).strip("-")
    if slug == version and len(slug) < _MOST_LETTERS:
        return f"v{slug}"
    digest = sha256(version.encode()).hexdigest()[:_HASH_LETTERS]
    return f"v{slug[: _MOST_LETTERS - _HASH_LETTERS - 2].rstrip('-')}-{digest}"


def wrap(command: str, arguments: Iterable[str]) -> str:
    """Return a command with each argument on a line of its own."""
    return f" \\\n{_INDENT}".join((command, *arguments))


def region_arguments(region: RolloutPlan) -> tuple[str, ...]:
    """Return the arguments by which a step is that of a region alone; none for the first one's."""
    return ("--region", region.production.site.stack) if region.place_suffix else ()


def step_command(plan: Plan, step: str, pipeline: str, *arguments: str) -> str:
    """Return headroom's own command of a step, such as `approve`, on one line."""
    return " ".join((f"headroom release {step} -s {plan.environment} -p {pipeline}", *arguments))
