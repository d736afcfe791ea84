"""The Skaffold configuration of a release: a profile for each place, and what verifies it there."""

from collections.abc import Iterator
from typing import Any

from headroom.delivery.manifests import progress_seconds
from headroom.delivery.releases import JudgePlan, ReleasePlan
from headroom.delivery.validation import JUDGE, SENDER, judge_command, sender_command
from headroom.planning.rollouts import CANARY, STABLE, RolloutPlan

API_VERSION = "skaffold/v4beta14"
"""The newest whose form is published (GoogleContainerTools/skaffold, docs-v2/content/en/schemas, 2026-08)."""

REQUESTS_FILE = "requests.yaml"

Configuration = dict[str, Any]


def render_skaffold(release: ReleasePlan) -> Configuration:
    """Return the configuration.

    Cloud Deploy renders each phase with the profiles of its stage and its own; that of production adds
    nothing, so that their order does not matter.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "Config",
        "metadata": {
            "name": release.rollout.pipeline,
            "annotations": {
                "headroom/model-version": release.image.version,
                "headroom/image": release.image.reference,
            },
        },
        "deploy": {"kubectl": {}, "statusCheckDeadlineSeconds": progress_seconds(release)},
        "profiles": [
            _profile("staging") | {"verify": [_send(release), _judge(release, release.judges["staging"])]},
            *(profile for region in release.rollout.regions for profile in _list_profiles(release, region)),
        ],
    }


def _list_profiles(release: ReleasePlan, region: RolloutPlan) -> Iterator[Configuration]:
    canary = region.profile(CANARY)
    yield {"name": region.production.key}
    yield _profile(canary) | {"verify": [_judge(release, release.judges[canary])]}
    yield _profile(region.profile(STABLE))


def _profile(name: str) -> Configuration:
    return {"name": name, "manifests": {"rawYaml": [f"{name}.yaml"]}}


def _send(release: ReleasePlan) -> Configuration:
    """Skaffold runs what runs in the cluster first, and then the rest."""
    return _test(
        SENDER, release, sender_command(release), release.rollout.validation.timeout_seconds // 2
    ) | {"executionMode": {"kubernetesCluster": {"jobManifestPath": REQUESTS_FILE}}}


def _judge(release: ReleasePlan, judge: JudgePlan) -> Configuration:
    return _test(JUDGE, release, judge_command(release, judge), judge.timeout_seconds)


def _test(name: str, release: ReleasePlan, command: tuple[str, ...], seconds: int) -> Configuration:
    return {
        "name": name,
        "timeout": seconds,
        "container": {
            "name": name,
            "image": release.rollout.validation.image,
            "command": list(command[:1]),
            "args": list(command[1:]),
        },
    }
