"""Releases on the real API server with the real Kueue, applied by the runner under all the platform's rules."""

import copy
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from headroom.delivery.manifests import render_place, render_requests
from headroom.delivery.releases import ReleasePlan
from headroom.planning.delivery_accounts import name_account
from headroom.planning.plan import plan_config
from headroom.planning.rollouts import name_target
from headroom.planning.staging import SURGE
from sandbox.control_plane.kueue import platform_values
from sandbox.control_plane.plane import ControlPlane
from tests.cluster.cluster import Cluster, has_quota, stays, wait_until
from tests.cluster.manifests import VERSION, Manifest
from tests.components.deliveries import config_of
from tests.conftest import ROOT
from tests.delivery.conftest import release_of
from tests.mocks import record

PLACE, STAGING = "ranker", "ranker-staging"
ROUTES = "gateway.networking.k8s.io/v1"
APPLIED = (
    "Namespace",
    "ResourceFlavor",
    "WorkloadPriorityClass",
    "Cohort",
    "ClusterQueue",
    "LocalQueue",
    "ServiceAccount",
    "ResourceQuota",
    "LimitRange",
    "ClusterRole",
    "RoleBinding",
    "NetworkPolicy",
    "Gateway",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)


def platform_manifests() -> list[Manifest]:
    """What the program gives to the API server, but for Kueue itself and the collection of metrics."""

    async def main() -> None:
        from infra.stack import build

        await build(plan_config(config_of(), "test", "f")).registered()

    given = [each.inputs for each in record("test", main) if each.type.startswith("kubernetes:")]
    mine = [each for each in given if each.get("kind") in APPLIED]
    return sorted(mine, key=lambda manifest: APPLIED.index(manifest["kind"]))


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(platform_values(), lambda line: print(line, file=sys.stderr)) as started:
        yield started


@pytest.fixture(scope="module")
def admin(plane: ControlPlane) -> Iterator[Cluster]:
    client = Cluster(plane.kubeconfig)
    definition = ROOT / "tests" / "delivery" / "published" / "healthcheckpolicies.yaml"
    client.apply(yaml.safe_load(definition.read_text()))
    client.apply(*platform_manifests())
    wait_until(lambda: is_established(client), "the definition of health checks is served")
    yield client
    client.close()


def is_established(client: Cluster) -> bool:
    found = client.read(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "healthcheckpolicies.networking.gke.io"
    )
    conditions = found.get("status", {}).get("conditions", [])
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def runner_in(plane: ControlPlane, namespace: str) -> Cluster:
    account = name_account(name_target("test", namespace))
    return Cluster(plane.kubeconfig_for(f"{account}@acme-ml-test.iam.gserviceaccount.com"))


@pytest.fixture(scope="module")
def runner(plane: ControlPlane, admin: Cluster) -> Iterator[Cluster]:
    """Who deploys to production, with the rights that the program gives it and no others."""
    client = runner_in(plane, PLACE)
    yield client
    client.close()


@pytest.fixture(scope="module")
def stager(plane: ControlPlane, admin: Cluster) -> Iterator[Cluster]:
    """Who deploys to staging."""
    client = runner_in(plane, STAGING)
    yield client
    client.close()


@pytest.fixture(scope="module")
def release() -> ReleasePlan:
    return release_of(plan_config(config_of(), "test", "f"), "ranker")


@pytest.fixture(scope="module")
def staged(stager: Cluster, release: ReleasePlan) -> Cluster:
    stager.apply(*render_place(release, release.place("staging")))
    return stager


@pytest.fixture(scope="module")
def stable(runner: Cluster, release: ReleasePlan) -> Cluster:
    runner.apply(*render_place(release, release.place("stable")))
    return runner


def admitted(cluster: Cluster, place: str) -> int:
    return sum(has_quota(each) for each in cluster.list_all(VERSION, "Workload", place))


def becomes(cluster: Cluster, place: str, count: int) -> None:
    wait_until(
        lambda: admitted(cluster, place) == count,
        lambda: f"{count} admitted in {place}, rather {admitted(cluster, place)}",
    )
    assert stays(lambda: admitted(cluster, place) == count, 1.5)


def scale(cluster: Cluster, name: str, replicas: int) -> None:
    """Say how many replicas there are, in the place of the autoscaler."""
    for manifest in cluster.list_all("autoscaling/v2", "HorizontalPodAutoscaler", PLACE):
        cluster.delete("autoscaling/v2", "HorizontalPodAutoscaler", manifest["metadata"]["name"], PLACE)
    found = cluster.read("apps/v1", "Deployment", name, PLACE)
    spec = {**found["spec"], "replicas": replicas}
    metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


def copy_for_canary(release: ReleasePlan) -> list[Manifest]:
    """The Deployment and the Service of the canary as Cloud Deploy makes them: copies by another name."""
    copies = []
    for manifest in render_place(release, release.place("canary")):
        if manifest["kind"] in ("Deployment", "Service"):
            canary = copy.deepcopy(manifest)
            canary["metadata"]["name"] += "-canary"
            spec = canary["spec"]
            labels = spec["selector"]["matchLabels"] if manifest["kind"] == "Deployment" else spec["selector"]
            labels["of"] = "canary"
            if manifest["kind"] == "Deployment":
                spec["template"]["metadata"]["labels"]["of"] = "canary"
            copies.append(canary)
    return copies


def route_of(release: ReleasePlan) -> Manifest:
    return next(
        each for each in render_place(release, release.place("stable")) if each["kind"] == "HTTPRoute"
    )


def weights_of(cluster: Cluster) -> dict[str, int]:
    route = cluster.read(ROUTES, "HTTPRoute", PLACE, PLACE)
    return {each["name"]: each["weight"] for each in route["spec"]["rules"][0]["backendRefs"]}


def test_the_runner_may_apply_a_release_and_its_pods_are_admitted(
    staged: Cluster, admin: Cluster, release: ReleasePlan
) -> None:
    """D4, Q3: with its rights, under every policy, limit and quota of the platform."""
    becomes(admin, STAGING, release.rollout.staging_replicas)
    (pod, *_) = admin.list_all("v1", "Pod", STAGING)
    assert not pod["spec"].get("schedulingGates")
    assert pod["spec"]["nodeSelector"]["headroom/pool"] == release.rollout.pool


def test_the_job_that_asks_a_staged_model_is_admitted_beside_it(
    staged: Cluster, admin: Cluster, release: ReleasePlan
) -> None:
    """D7: as Skaffold creates it."""
    becomes(admin, STAGING, release.rollout.staging_replicas)
    staged.create(render_requests(release))
    becomes(admin, STAGING, release.rollout.staging_replicas + 1)
    staged.delete("batch/v1", "Job", "requests", STAGING)
    becomes(admin, STAGING, release.rollout.staging_replicas)


def test_the_autoscaler_keeps_the_fewest_replicas(
    stable: Cluster, admin: Cluster, release: ReleasePlan
) -> None:
    scaling = release.rollout.scaling
    becomes(admin, PLACE, scaling.least)


def test_stable_canary_and_surge_are_admitted_at_once_and_no_more_than_the_cap(
    stable: Cluster, admin: Cluster, release: ReleasePlan
) -> None:
    """D8, Q3: a rollout waits for nothing, and takes nothing beyond the cap."""
    rollout = release.rollout
    canary = max(phase.replicas for phase in rollout.phases)
    stable.apply(*copy_for_canary(release))
    scale(admin, PLACE, rollout.replicas + SURGE)
    scale(admin, f"{PLACE}-canary", canary)
    becomes(admin, PLACE, rollout.peak_replicas)
    limits = next(
        each for each in plan_config(config_of(), "test", "f").pipelines if each.name == PLACE
    ).limits
    caps = {limit.resource: limit.cap for limit in limits}
    most = min(caps[resource] // part for resource, part in rollout.replica)
    scale(admin, PLACE, most + 1)
    becomes(admin, PLACE, most)
    admin.delete("apps/v1", "Deployment", f"{PLACE}-canary", PLACE)
    stable.apply(*render_place(release, release.place("stable")))


def test_weights_move_by_phase_and_a_rollback_restores_the_former(
    stable: Cluster, release: ReleasePlan
) -> None:
    """D6, D8: as Cloud Deploy changes the route, which no resource of the program is."""
    route = route_of(release)
    (rule,) = route["spec"]["rules"]
    assert weights_of(stable) == {PLACE: 1}
    for phase in release.rollout.phases:
        rule["backendRefs"] = [
            {"name": PLACE, "kind": "Service", "port": 80, "weight": 100 - phase.percent},
            {"name": f"{PLACE}-canary", "kind": "Service", "port": 80, "weight": phase.percent},
        ]
        stable.apply(route)
        assert weights_of(stable)[f"{PLACE}-canary"] == phase.percent
    stable.apply(route_of(release))
    assert weights_of(stable) == {PLACE: 1}


def test_health_checks_are_what_gke_takes(stable: Cluster) -> None:
    """D4: of the canary's service too, which Cloud Deploy does not copy."""
    for service in (PLACE, f"{PLACE}-canary"):
        found = stable.read("networking.gke.io/v1", "HealthCheckPolicy", service, PLACE)
        assert found["spec"]["targetRef"]["name"] == service


def test_the_definition_of_health_checks_refuses_what_gke_does(runner: Cluster, release: ReleasePlan) -> None:
    policy = next(
        each for each in render_place(release, release.place("stable")) if each["kind"] == "HealthCheckPolicy"
    )
    policy["metadata"]["name"] = "wrong"
    policy["spec"]["default"]["checkIntervalSec"] = 301
    assert "should be less than or equal to 300" in runner.refusal(policy)


def test_who_deploys_to_staging_can_neither_change_nor_read_production(
    stager: Cluster, stable: Cluster, release: ReleasePlan
) -> None:
    """D1, D8: whatever a release's manifests for staging name."""
    for manifest in render_place(release, release.place("stable")):
        assert "cannot create resource" in stager.refusal(manifest), manifest["kind"]
    with pytest.raises(ApiException, match="cannot get resource"):
        stager.read("apps/v1", "Deployment", PLACE, PLACE)


def test_who_deploys_to_staging_cannot_take_productions_requests(
    staged: Cluster, release: ReleasePlan
) -> None:
    """D1, D8: not by a route of staging's own namespace either, nor by changing the one that is there."""
    route = next(
        each for each in render_place(release, release.place("staging")) if each["kind"] == "HTTPRoute"
    )
    route["spec"]["rules"][0]["matches"][0]["path"]["value"] = f"/{PLACE}"
    with pytest.raises(ApiException, match=f"of /{STAGING} or of a path below it"):
        staged.apply(route)
    route["metadata"]["name"] = "another"
    assert f"of /{STAGING} or of a path below it" in staged.refusal(route)


def test_an_image_by_its_tag_is_refused_in_the_cluster_too(stager: Cluster, release: ReleasePlan) -> None:
    """D3: whatever was rendered elsewhere."""
    deployment = deployment_of(release)
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = f"{release.image.name}:7"
    assert "images run here by digest" in stager.refusal(deployment)


def test_a_model_that_staging_did_not_validate_is_refused_in_production(
    runner: Cluster, release: ReleasePlan
) -> None:
    """D7: whoever promotes it past staging, with the rights of who deploys there."""
    deployment = next(
        each for each in render_place(release, release.place("stable")) if each["kind"] == "Deployment"
    )
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = release.image.reference
    assert "in production those that staging validated" in runner.refusal(deployment)


def test_a_release_outside_the_queue_is_refused(stager: Cluster, release: ReleasePlan) -> None:
    """Q3."""
    deployment = deployment_of(release)
    del deployment["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]
    assert "put it into the queue of its namespace" in stager.refusal(deployment)


@pytest.mark.parametrize(
    "manifest",
    [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []},
        {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "1"}}},
        {"apiVersion": "v1", "kind": "Secret"},
        {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue", "spec": {"clusterQueue": PLACE}},
    ],
    ids=lambda each: each["kind"],
)
def test_a_release_brings_nothing_beside(runner: Cluster, manifest: dict[str, Any]) -> None:
    """Q3: no roles, limits, secrets or queues."""
    metadata = {"name": "beside", "namespace": PLACE}
    assert "is forbidden" in runner.refusal({**manifest, "metadata": metadata})


def deployment_of(release: ReleasePlan) -> Manifest:
    found = next(
        each for each in render_place(release, release.place("staging")) if each["kind"] == "Deployment"
    )
    found["metadata"]["name"] = "another"
    return found
