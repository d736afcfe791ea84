"""D3, D4, D7: the Skaffold configuration, held to its published schema and to the delivery pipeline."""

import json
from pathlib import Path
from typing import Any

import pytest
from headroom_metrics.promotion import read_promotion
from headroom_metrics.validate import build_parser
from jsonschema import Draft7Validator

from headroom.delivery.manifests import render_place, render_requests
from headroom.delivery.release_files import render_release
from headroom.delivery.releases import JudgePlan, ReleasePlan
from headroom.delivery.skaffold import API_VERSION, render_skaffold

SCHEMA = json.loads((Path(__file__).parent / "published" / "skaffold-v4beta14.json").read_text())


def profiles(release: ReleasePlan) -> dict[str, dict[str, Any]]:
    return {profile["name"]: profile for profile in render_skaffold(release)["profiles"]}


def verification(release: ReleasePlan, profile: str) -> dict[str, dict[str, Any]]:
    return {test["name"]: test for test in profiles(release)[profile].get("verify", ())}


def judge(release: ReleasePlan, profile: str) -> Any:
    """What the judging command of a profile makes of its arguments."""
    return build_parser().parse_args(verification(release, profile)["judge"]["container"]["args"])


def test_the_configuration_has_the_published_form(release: ReleasePlan) -> None:
    """D3."""
    configuration = render_skaffold(release)
    assert configuration["apiVersion"] == API_VERSION
    assert list(Draft7Validator(SCHEMA).iter_errors(configuration)) == []


def test_the_published_schema_refuses_what_is_not_in_it(feed: ReleasePlan) -> None:
    configuration = render_skaffold(feed)
    configuration["profiles"][0]["verifi"] = []
    assert list(Draft7Validator(SCHEMA).iter_errors(configuration))


def test_there_is_a_profile_for_each_stage_and_phase_that_the_delivery_pipeline_names(
    release: ReleasePlan,
) -> None:
    """D4: Cloud Deploy fails to render where one is missing."""
    assert set(profiles(release)) == {"staging", "production", "canary", "stable"}


def test_profiles_render_files_that_the_release_has_and_production_adds_none(release: ReleasePlan) -> None:
    files = render_release(release)
    for name in ("staging", "canary", "stable"):
        (rendered,) = profiles(release)[name]["manifests"]["rawYaml"]
        assert rendered in files
    assert profiles(release)["production"] == {"name": "production"}
    path = verification(release, "staging")["requests"]["executionMode"]["kubernetesCluster"][
        "jobManifestPath"
    ]
    assert path in files


def test_staging_is_asked_in_the_cluster_and_then_judged_as_the_runner(feed: ReleasePlan) -> None:
    """D7: Skaffold runs the tests of the cluster first; the others run in Cloud Deploy's own place."""
    verify = verification(feed, "staging")
    assert list(verify) == ["requests", "judge"]
    assert "executionMode" not in verify["judge"]
    assert list(verification(feed, "canary")) == ["judge"]
    assert verification(feed, "stable") == {}


def test_the_sender_is_the_same_in_the_configuration_and_in_its_manifest(release: ReleasePlan) -> None:
    """Skaffold takes image, command and arguments of its own, and all else of the manifest."""
    container = verification(release, "staging")["requests"]["container"]
    (manifest,) = render_requests(release)["spec"]["template"]["spec"]["containers"]
    assert container.items() <= manifest.items()
    asked = build_parser().parse_args(container["args"])
    staging = release.rollout.staging.namespace
    assert asked.to == f"http://{release.rollout.pipeline}.{staging}/predict"


def test_staging_is_judged_by_what_the_stack_file_asks_for(fraud: ReleasePlan) -> None:
    """D7."""
    asked = judge(fraud, "staging")
    assert (asked.environment, asked.pipeline, asked.track) == ("prod-staging", "fraud-serving", "stable")
    assert {(bound.metric, bound.direction, bound.value) for bound in asked.quality} == {
        ("auc", "min", 0.93),
        ("log_loss", "max", 0.12),
    }
    assert (asked.present, asked.worse, asked.skew) == ("prod", 0.01, 0.1)
    assert asked.least_requests == 100
    assert asked.prometheus == (
        "https://monitoring.googleapis.com/v1/projects/acme-ml-prod/location/global/prometheus"
    )


def test_what_is_found_good_in_staging_is_copied_to_where_production_takes_it_from(
    release: ReleasePlan,
) -> None:
    """D7: and a canary is copied nowhere."""
    asked = judge(release, "staging")
    promotion = read_promotion(asked.copy_from, asked.copy_to, asked.model_version)
    assert promotion is not None
    (deployment,) = (
        each for each in render_place(release, release.place("stable")) if each["kind"] == "Deployment"
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert promotion.result == container["image"]
    assert promotion.tag == release.image.version
    assert judge(release, "canary").copy_from is judge(release, "canary").copy_to is None


@pytest.mark.parametrize("minutes", [1, 2, 10, 30, 2_880])
def test_judging_and_copying_end_before_their_job_is_ended(minutes: int) -> None:
    judge = JudgePlan(
        "p", "e", "stable", (), 0, is_compared=True, timeout_seconds=minutes * 30, promotes=True
    )
    assert judge.copy_seconds > 0
    assert judge.wait_seconds >= judge.timeout_seconds // 2
    assert judge.wait_seconds + judge.copy_seconds < judge.timeout_seconds


def test_a_canary_is_judged_by_whether_it_exports_what_its_alerts_look_at(fraud: ReleasePlan) -> None:
    """D8."""
    asked = judge(fraud, "canary")
    assert (asked.environment, asked.track, asked.model_version) == ("prod", "canary", "7")
    assert "ml_prediction_requests_total" in asked.expect
    assert (asked.quality, asked.worse, asked.skew, asked.least_requests) == ([], None, None, 0)


@pytest.mark.parametrize("profile", ["staging", "canary"])
def test_tests_end_within_the_time_that_a_job_of_the_target_has(release: ReleasePlan, profile: str) -> None:
    """The target's jobs have an hour, or the validation's time where that is longer."""
    verify = verification(release, profile).values()
    waits = sum(test["timeout"] for test in verify)
    assert waits <= max(3600, release.rollout.validation.timeout_seconds)
    asked, given = judge(release, profile), verification(release, profile)["judge"]["timeout"]
    assert (asked.minutes + (asked.copy_minutes if asked.copy_to else 0)) * 60 < given
