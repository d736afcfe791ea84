"""D3, D4: what a release brings to the cluster, held to the published schemas."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from headroom.delivery.manifests import Manifest, render_place, render_requests
from headroom.delivery.releases import PlacePlan, ReleasePlan
from headroom.planning.pipelines import format_amount
from headroom.planning.replicas import SENDER_NEEDS
from headroom.spec.server import Server
from sandbox.kubernetes.kinds import find_kind, read_definition
from sandbox.kubernetes.quantities import parse_quantity
from sandbox.kubernetes.validation import check_manifest
from tests.delivery.conftest import DIGEST, plan_of, release_of

PUBLISHED = Path(__file__).parent / "published"


def place_of(release: ReleasePlan, profile: str) -> dict[str, list[Manifest]]:
    """The manifests of a place by kind."""
    found: dict[str, list[Manifest]] = {}
    for manifest in render_place(release, release.place(profile)):
        found.setdefault(manifest["kind"], []).append(manifest)
    return found


def server_of(release: ReleasePlan, profile: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pod and the container of a place's Deployment."""
    (deployment,) = place_of(release, profile)["Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    return pod, pod["containers"][0]


@cache
def published_kinds() -> dict[tuple[str, str], Any]:
    definition = yaml.safe_load((PUBLISHED / "healthcheckpolicies.yaml").read_text())
    return {(kind.api_version, kind.name): kind for kind in read_definition(definition)}


def kind_of(manifest: Manifest) -> Any:
    key = (manifest["apiVersion"], manifest["kind"])
    return published_kinds().get(key) or find_kind(*key)


def test_every_manifest_has_the_published_form(release: ReleasePlan) -> None:
    """D3: Kubernetes, Gateway API, and GKE's health checks."""
    manifests = [each for place in release.places for each in render_place(release, place)]
    for manifest in [*manifests, render_requests(release)]:
        kind = kind_of(manifest)
        assert kind is not None, manifest["kind"]
        assert check_manifest(kind, manifest) == []


def test_production_gets_all_that_a_canary_needs(feed: ReleasePlan) -> None:
    """D4."""
    counts = {kind: len(found) for kind, found in place_of(feed, "canary").items()}
    assert counts == {
        "Service": 1,
        "HealthCheckPolicy": 2,
        "Deployment": 1,
        "HorizontalPodAutoscaler": 1,
        "PodDisruptionBudget": 1,
        "HTTPRoute": 1,
    }
    targets = [each["spec"]["targetRef"]["name"] for each in place_of(feed, "canary")["HealthCheckPolicy"]]
    assert targets == ["feed-serving", "feed-serving-canary"]


def test_staging_is_a_place_of_its_own(feed: ReleasePlan) -> None:
    """D4: nobody's requests go there, and nothing scales."""
    found = place_of(feed, "staging")
    assert "HorizontalPodAutoscaler" not in found
    assert len(found["HealthCheckPolicy"]) == 1
    namespaces = {each["metadata"]["namespace"] for group in found.values() for each in group}
    assert namespaces == {"feed-serving-staging"}
    assert found["Deployment"][0]["spec"]["replicas"] == 1
    (route,) = found["HTTPRoute"]
    assert route["spec"]["rules"][0]["matches"][0]["path"]["value"] == "/feed-serving-staging"


def test_canary_and_stable_differ_by_their_track_alone(release: ReleasePlan) -> None:
    """D8: what was watched is what all users get."""

    def text(place: PlacePlan) -> str:
        return yaml.safe_dump_all(render_place(release, place))

    canary, stable = text(release.place("canary")), text(release.place("stable"))
    assert canary != stable
    assert (
        canary.replace("headroom/track: canary", "headroom/track: stable").replace(
            "value: canary", "value: stable"
        )
        == stable
    )


def test_a_pod_says_who_it_is(feed: ReleasePlan) -> None:
    """M15, M16, D8: without environment, pipeline and track no alert would match."""
    for profile, environment, track in (
        ("staging", "prod-staging", "stable"),
        ("canary", "prod", "canary"),
        ("stable", "prod", "stable"),
    ):
        _, container = server_of(feed, profile)
        env = {each["name"]: each["value"] for each in container["env"]}
        assert env == {
            "HEADROOM_ENVIRONMENT": environment,
            "HEADROOM_PIPELINE": "feed-serving",
            "HEADROOM_MODEL_VERSION": "7",
            "HEADROOM_TRACK": track,
        }


def test_a_pod_is_scraped_and_in_its_queue_and_its_track_selects_nothing(feed: ReleasePlan) -> None:
    """Q3: a Deployment outside the queue would be in nobody's quota."""
    (deployment,) = place_of(feed, "canary")["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["headroom/metrics"] == "scrape"
    assert labels["headroom/track"] == "canary"
    assert deployment["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "feed-serving"
    # A selector cannot be changed, and phases must not differ by it.
    assert deployment["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": "feed-serving"}


def test_a_pod_asks_for_what_the_plan_counts(release: ReleasePlan) -> None:
    """Q3: neither more than the limits were checked against, nor less than is there."""
    _, container = server_of(release, "stable")
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert {"cpu", "memory"} <= requests.keys()
    for resource, part in release.rollout.replica:
        name = {"gpus": "nvidia.com/gpu", "chips": "google.com/tpu"}.get(resource, resource)
        assert parse_quantity(requests[name]) == parse_quantity(format_amount(resource, part))
    assert limits == {name: amount for name, amount in requests.items() if name != "cpu"}


def test_images_are_named_by_digest(release: ReleasePlan) -> None:
    """D3."""
    for place in release.places:
        _, container = server_of(release, place.profile)
        assert container["image"].endswith(f"@{DIGEST}")
    (sender,) = render_requests(release)["spec"]["template"]["spec"]["containers"]
    assert "@sha256:" in sender["image"]


def test_staging_runs_what_was_pushed_and_production_the_copy_that_staging_makes(
    release: ReleasePlan,
) -> None:
    """D7."""
    names = {place.profile: server_of(release, place.profile)[1]["image"] for place in release.places}
    assert names["staging"] == release.image.reference
    assert names["canary"] == names["stable"] == release.validated.reference
    stack = release.rollout.production.environment
    assert names["stable"] == names["staging"].replace(f"/{stack}-models/", f"/{stack}-validated/")


def test_pods_are_confined(release: ReleasePlan) -> None:
    """M17: the restricted profile of Kubernetes' own pod security."""
    job = render_requests(release)["spec"]["template"]["spec"]
    for pod in (server_of(release, "stable")[0], job):
        assert pod["automountServiceAccountToken"] is False
        assert pod["serviceAccountName"] == "pipeline"
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert pod["containers"][0]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_pods_go_to_the_pool_of_their_demand(release: ReleasePlan) -> None:
    pod, _ = server_of(release, "canary")
    assert pod["nodeSelector"]["headroom/pool"] == release.rollout.pool
    if any(resource == "chips" for resource, _ in release.rollout.replica):
        assert {"cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"} <= pod[
            "nodeSelector"
        ].keys()


def test_probes_leave_the_time_that_loading_takes() -> None:
    server = Server(image="feed", start_seconds=605, stop_seconds=90, ready="/ready", port=9090)
    pod, container = server_of(release_of(plan_of("prod"), "feed-serving", server), "stable")
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] >= 605
    assert container["readinessProbe"]["httpGet"] == {"port": "http", "path": "/ready"}
    assert pod["terminationGracePeriodSeconds"] == 90
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "http": 9090,
        "metrics": 8000,
    }


def test_a_servers_own_command_and_variables_are_set_and_otherwise_the_images() -> None:
    server = Server(image="feed", command=("serve",), args=("--fast",), env={"MODE": "eager"})
    _, container = server_of(release_of(plan_of("prod"), "feed-serving", server), "stable")
    assert (container["command"], container["args"]) == (["serve"], ["--fast"])
    assert {"name": "MODE", "value": "eager"} in container["env"]
    _, plain = server_of(release_of(plan_of("prod"), "feed-serving"), "stable")
    assert not {"command", "args"} & plain.keys()


def test_the_sender_fits_beside_the_staged_replicas(release: ReleasePlan) -> None:
    """D7: it runs in the room of a surge, once there is none."""
    container = render_requests(release)["spec"]["template"]["spec"]["containers"][0]
    asked = {name: parse_quantity(amount) for name, amount in container["resources"]["requests"].items()}
    room = dict(release.rollout.asks)
    for resource in SENDER_NEEDS:
        whole = parse_quantity(format_amount(resource, room[resource]))
        assert asked[resource] is not None
        assert whole is not None
        assert asked[resource] <= whole
    job = render_requests(release)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == job["metadata"]["namespace"]
    assert job["spec"]["ttlSecondsAfterFinished"] < 30


@pytest.mark.parametrize("profile", ["staging", "canary", "stable"])
def test_templates_are_not_changed_by_what_is_rendered_from_them(feed: ReleasePlan, profile: str) -> None:
    first = render_place(feed, feed.place(profile))
    first[0]["spec"]["ports"].clear()
    assert render_place(feed, feed.place(profile))[0]["spec"]["ports"]
