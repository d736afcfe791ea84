"""What a release brings to the cluster: templates, filled in with what the plan says."""

import copy
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from headroom.delivery.releases import PlacePlan, ReleasePlan
from headroom.delivery.validation import SENDER, sender_command
from headroom.planning.collection import SCRAPE_LABEL
from headroom.planning.pipelines import kubernetes_amount
from headroom.planning.queues import RESOURCE_NAMES
from headroom.planning.replicas import SENDER_NEEDS
from headroom.planning.rollouts import CANARY
from headroom.planning.staging import SURGE
from headroom.planning.tenancy import SERVICE_ACCOUNT

Manifest = dict[str, Any]

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
VERSION_LABEL = "headroom/model-version"
TRACK_LABEL = "headroom/track"
NAME_LABEL = "app.kubernetes.io/name"

_TEMPLATES = Path(__file__).parent / "templates"
_PROBE_SECONDS = 10


def render_place(release: ReleasePlan, place: PlacePlan) -> tuple[Manifest, ...]:
    """Return the manifests of a release in one place, in the order in which they are applied."""
    health = [_render_health(release, place, release.rollout.pipeline)]
    is_production = place.replicas is None
    if is_production:
        # Cloud Deploy copies Deployment, Service and autoscaler for the canary, and this it does not.
        health.append(_render_health(release, place, f"{release.rollout.pipeline}-{CANARY}"))
    scaling = [_render_autoscaler(release, place)] if is_production else []
    return (
        _render_service(release, place),
        *health,
        _render_deployment(release, place),
        *scaling,
        _render_disruption(release, place),
        _render_route(release, place),
    )


def render_requests(release: ReleasePlan) -> Manifest:
    """Return the job that asks the staged model; it runs where a surge would, once there is none."""
    place = release.place("staging")
    job = _load("requests")
    job["metadata"] = {
        "name": SENDER,
        "namespace": place.target.namespace,
        "labels": {QUEUE_LABEL: place.target.namespace},
    }
    job["spec"]["activeDeadlineSeconds"] = release.rollout.validation.timeout_seconds
    job["spec"]["template"]["metadata"] = {"labels": {NAME_LABEL: SENDER}}
    pod = job["spec"]["template"]["spec"]
    pod |= {"serviceAccountName": SERVICE_ACCOUNT, "nodeSelector": dict(place.rollout.nodes)}
    replica = dict(place.rollout.asks)
    needs = {
        resource: kubernetes_amount(resource, min(amount, replica[resource]))
        for resource, amount in SENDER_NEEDS.items()
    }
    command = sender_command(release)
    pod["containers"][0] |= {
        "image": release.rollout.validation.image,
        "command": list(command[:1]),
        "args": list(command[1:]),
        "resources": {"requests": needs, "limits": {"memory": needs["memory"]}},
    }
    return job


def _render_deployment(release: ReleasePlan, place: PlacePlan) -> Manifest:
    manifest = _start("deployment", release, place, release.rollout.pipeline)
    manifest["metadata"]["labels"][QUEUE_LABEL] = place.target.namespace
    spec = manifest["spec"]
    spec["strategy"]["rollingUpdate"]["maxSurge"] = SURGE
    spec["progressDeadlineSeconds"] = progress_seconds(release)
    if place.replicas:
        spec["replicas"] = place.replicas
    spec["selector"] = {"matchLabels": _selector(release)}
    spec["template"]["metadata"] = {
        "labels": _selector(release)
        | {
            SCRAPE_LABEL[0]: SCRAPE_LABEL[1],
            VERSION_LABEL: release.image.version,
            TRACK_LABEL: place.track,
        }
    }
    pod = spec["template"]["spec"]
    pod |= {
        "serviceAccountName": SERVICE_ACCOUNT,
        "terminationGracePeriodSeconds": release.server.stop_seconds,
        "nodeSelector": dict(place.rollout.nodes),
    }
    pod["topologySpreadConstraints"][0]["labelSelector"] = {"matchLabels": _selector(release)}
    _fill_container(pod["containers"][0], release, place)
    return manifest


def progress_seconds(release: ReleasePlan) -> int:
    """Return how long a replica may take to be ready: 15 minutes for its node, and its start."""
    return 900 + release.server.start_seconds


def _fill_container(container: Manifest, release: ReleasePlan, place: PlacePlan) -> None:
    server = release.server
    container["image"] = release.image_in(place).reference
    for key, words in (("command", server.command), ("args", server.args)):
        if words:
            container[key] = list(words)
    who = {
        "HEADROOM_ENVIRONMENT": place.target.environment,
        "HEADROOM_PIPELINE": release.rollout.pipeline,
        "HEADROOM_MODEL_VERSION": release.image.version,
        "HEADROOM_TRACK": place.track,
    }
    container["env"] = [{"name": name, "value": value} for name, value in (who | server.env).items()]
    for port, number in zip(container["ports"], (server.port, server.metrics_port), strict=True):
        port["containerPort"] = number
    for probe in ("startupProbe", "readinessProbe"):
        container[probe]["httpGet"]["path"] = server.ready
    container["startupProbe"]["failureThreshold"] = ceil(server.start_seconds / _PROBE_SECONDS)
    container["resources"] = _resources(place)


def _resources(place: PlacePlan) -> Manifest:
    amounts = {
        RESOURCE_NAMES[resource]: kubernetes_amount(resource, amount)
        for resource, amount in place.rollout.asks
    }
    # A server may use idle cores of its node; memory and devices are its own.
    limits = {name: amount for name, amount in amounts.items() if name != "cpu"}
    return {"requests": amounts, "limits": limits}


def _render_service(release: ReleasePlan, place: PlacePlan) -> Manifest:
    manifest = _start("service", release, place, release.rollout.pipeline)
    manifest["spec"]["selector"] = _selector(release)
    return manifest


def _render_health(release: ReleasePlan, place: PlacePlan, service: str) -> Manifest:
    manifest = _start("health", release, place, service)
    check = manifest["spec"]["default"]["config"]["httpHealthCheck"]
    check |= {"port": release.server.port, "requestPath": release.server.ready}
    manifest["spec"]["targetRef"]["name"] = service
    return manifest


def _render_autoscaler(release: ReleasePlan, place: PlacePlan) -> Manifest:
    manifest = _start("autoscaler", release, place, release.rollout.pipeline)
    spec = manifest["spec"]
    spec["scaleTargetRef"]["name"] = release.rollout.pipeline
    scaling = place.rollout.scaling
    spec |= {"minReplicas": scaling.least, "maxReplicas": scaling.most}
    spec["metrics"][0]["resource"]["target"]["averageUtilization"] = release.server.cpu_percent
    return manifest


def _render_disruption(release: ReleasePlan, place: PlacePlan) -> Manifest:
    manifest = _start("disruption", release, place, release.rollout.pipeline)
    manifest["spec"]["selector"] = {"matchLabels": _selector(release)}
    return manifest


def _render_route(release: ReleasePlan, place: PlacePlan) -> Manifest:
    manifest = _start("route", release, place, release.rollout.pipeline)
    parent, (rule,) = manifest["spec"]["parentRefs"][0], manifest["spec"]["rules"]
    parent |= {"name": release.gateway.name, "namespace": release.gateway.namespace}
    rule["matches"][0]["path"]["value"] = f"/{place.target.namespace}"
    rule["backendRefs"][0]["name"] = release.rollout.pipeline
    return manifest


def _start(template: str, release: ReleasePlan, place: PlacePlan, name: str) -> Manifest:
    manifest = _load(template)
    manifest["metadata"] = {
        "name": name,
        "namespace": place.target.namespace,
        "labels": {**_selector(release), "headroom/model": release.rollout.model},
    }
    return manifest


def _selector(release: ReleasePlan) -> dict[str, str]:
    return {NAME_LABEL: release.rollout.pipeline}


def _load(name: str) -> Manifest:
    return copy.deepcopy(_read(name))


@cache
def _read(name: str) -> Manifest:
    return yaml.safe_load((_TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"))
