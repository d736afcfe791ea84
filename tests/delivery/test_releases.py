"""D3, D7: which image is released, how many replicas it gets, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.delivery.releases import (
    ModelImage,
    ReleasePlan,
    expected_metrics,
    plan_release,
    require_digest,
    require_model,
    require_version,
)
from headroom.planning.pipelines import LimitPlan
from headroom.planning.plan import Plan
from headroom.planning.staging import SURGE
from headroom.spec.errors import StackFileError
from headroom.spec.server import Requests, Server
from tests.delivery.conftest import DIGEST, plan_of, release_of

NAME = "europe-west4-docker.pkg.dev/acme-ml-prod/prod-models/feed"


def caps(plan: Plan, pipeline: str) -> dict[str, int]:
    limits: tuple[LimitPlan, ...] = next(each for each in plan.pipelines if each.name == pipeline).limits
    return {limit.resource: limit.cap for limit in limits}


def test_a_digest_of_the_models_registry_is_taken() -> None:
    assert require_digest(f"{NAME}@{DIGEST}", NAME) == DIGEST


@pytest.mark.parametrize(
    ("image", "phrase"),
    [
        (f"{NAME}:7", f"--image: is an image by its tag, which can be moved; write {NAME}@sha256:DIGEST"),
        (NAME, "is an image by its tag"),
        (f"{NAME}@sha256:abc", "has no digest of 64 hexadecimal digits"),
        (
            f"docker.io/acme/feed@{DIGEST}",
            f"is not {NAME}; models run from the registry of their environment",
        ),
    ],
)
def test_a_tag_or_another_registrys_image_is_refused(image: str, phrase: str) -> None:
    """D3: what was validated is what runs."""
    with pytest.raises(StackFileError) as refusal:
        require_digest(image, NAME)
    assert phrase in str(refusal.value)


@pytest.mark.parametrize("version", ["7", "2026-11-21", "v1.2.3_rc4", "a" * 63])
def test_a_version_is_what_tags_and_labels_can_be(version: str) -> None:
    assert require_version(version) == version


@pytest.mark.parametrize("version", ["", "-7", "7.", "a" * 64, "a b", "7@sha256", "7:8", "7\n"])
def test_what_can_be_no_version_is_refused(version: str) -> None:
    with pytest.raises(StackFileError, match="--model-version: is no version"):
        require_version(version)


def test_a_version_that_the_registry_does_not_have_is_refused() -> None:
    """D3: a version exists when the registry has an image of that tag."""
    with pytest.raises(
        StackFileError, match=r"--model-version: does not exist: .*feed has no tag 8; push it"
    ):
        require_model("8", NAME, None, None)


def test_a_version_that_is_another_image_than_the_one_given_is_refused() -> None:
    other = "sha256:" + "cd" * 32
    with pytest.raises(StackFileError, match=f"--image: is not the version 7, which is {DIGEST}"):
        require_model("7", NAME, DIGEST, other)
    assert require_model("7", NAME, DIGEST, DIGEST) == ModelImage("7", NAME, DIGEST)
    assert require_model("7", NAME, DIGEST, None).reference == f"{NAME}@{DIGEST}"


@pytest.mark.parametrize(
    ("pipeline", "phrase"),
    [
        ("feed-data", "headroom:pipelines.feed-data: has no delivery, so that nothing is released to it"),
        ("feed-servin", "headroom:pipelines.feed-servin: is no pipeline; did you mean feed-serving"),
    ],
)
def test_only_delivered_pipelines_are_released_to(pipeline: str, phrase: str) -> None:
    with pytest.raises(StackFileError) as refusal:
        release_of(plan_of("prod"), pipeline)
    assert phrase in str(refusal.value)


def test_requests_that_take_longer_than_half_of_the_validation_are_refused() -> None:
    def plan(count: int) -> ReleasePlan:
        server = Server(image="feed", requests=Requests(count=count, per_second=1))
        return plan_release(plan_of("prod"), "feed-serving", server, ModelImage("7", NAME, DIGEST), "f")

    assert plan(900).server.requests.count == 900
    with pytest.raises(StackFileError, match=r"releases/feed-serving.yaml: requests.per_second: is too low"):
        plan(901)


def test_what_stable_canary_and_surge_take_at_once_fits_into_the_cap(release: ReleasePlan) -> None:
    """D8: otherwise pods of the new model wait for those of the present one, for ever."""
    scaling, rollout = release.rollout.scaling, release.rollout
    canary = max(phase.replicas for phase in rollout.phases)
    have = caps(plan_of(rollout.production.environment), rollout.pipeline)
    for resource, part in rollout.replica:
        assert (rollout.replicas + scaling.least + SURGE) * part <= have[resource]
        assert (scaling.most + canary + SURGE) * part <= have[resource]
    assert canary <= scaling.least <= scaling.most
    assert scaling.most >= rollout.replicas


def test_stable_and_canary_scale_alike(release: ReleasePlan) -> None:
    """D8: the canary's autoscaler is a copy of that of the same release."""
    assert release.place("canary").rollout == release.place("stable").rollout
    assert release.place("canary").replicas is release.place("stable").replicas is None
    assert release.place("staging").replicas == release.rollout.staging_replicas


def test_accelerators_keep_the_busy_hours_replicas_where_the_cap_has_room_for_twice_as_many(
    replan: Callable[..., Plan],
) -> None:
    def cap(gpus: int) -> Callable[[dict[str, Any]], object]:
        limits = {"l4": {"gpus": {"guarantee": 4, "cap": gpus}}}
        return lambda config: config["headroom:pipelines"]["shelf-serving"].update(limits=limits)

    def least(plan: Plan) -> int:
        return release_of(plan, "shelf-serving").rollout.scaling.least

    rollout = release_of(plan_of("prod"), "shelf-serving").rollout
    (resource, per_replica), *_ = rollout.replica
    assert resource == "gpus"
    twice = (2 * rollout.replicas + SURGE) * per_replica
    assert least(replan(cap(twice))) == rollout.replicas
    assert least(replan(cap(rollout.peak_replicas * per_replica))) == max(
        phase.replicas for phase in rollout.phases
    )


def test_a_server_with_devices_gets_their_share_of_the_host_but_for_the_sender(feed: ReleasePlan) -> None:
    """Q1: what is not asked for counts as zero, and is refused."""
    asked = dict(feed.rollout.asks)
    assert asked["gpus"] == 1
    pool = next(each for each in plan_of("prod").pools if each.name == feed.rollout.pool)
    assert asked["cpu"] == pool.cpu_millis_per_node // pool.devices_per_node - 500
    assert asked["memory"] == pool.memory_bytes_per_node // pool.devices_per_node - 512 * 2**20


def test_a_server_without_devices_gets_what_its_demand_says(fraud: ReleasePlan) -> None:
    assert dict(fraud.rollout.asks) == {"cpu": 8_000, "memory": 16 * 2**30}


def test_a_canary_must_export_all_that_judges_it_and_serving_owes() -> None:
    """D8: silence would pass for success."""
    assert expected_metrics() == (
        "ml_distribution_distance_threshold",
        "ml_model_quality",
        "ml_model_quality_bound",
        "ml_pipeline_info",
        "ml_prediction_duration_seconds",
        "ml_prediction_requests_total",
    )
