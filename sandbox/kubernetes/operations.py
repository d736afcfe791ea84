"""What the official provider does with one object on a cluster: create, update, delete, read, and wait."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

from sandbox.kubernetes.cluster import Application, Cluster, Manifest, Place
from sandbox.kubernetes.errors import ApiError, NoMatchError, PartialError, RefusedError
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.manifests import annotation, is_annotated, name_of, namespace_of, with_metadata
from sandbox.kubernetes.ownership import CREATOR, has_creator, keep_ignored
from sandbox.kubernetes.readiness import ConditionError, Readiness, is_awaited, judge

# Waits between attempts, in seconds. Source: pulumi-kubernetes provider/pkg/await/await.go and
# provider/pkg/retry/retry.go, read 2026-11-21: five more attempts, each after twice the time.
_RETRY_SECONDS: Final = (1, 2, 4, 8, 16)
_DEFAULT_TIMEOUT: Final = 600.0
_FIRST_LOOK: Final = 0.05
_SLOWEST_LOOK: Final = 1.0
# Kinds whose deletion is not waited for under `pulumi.com/skipAwait`. Source: allowsSkipAwaitWithDelete in
# provider/pkg/metadata/overrides.go, read 2026-11-21.
_SKIPPED_DELETION: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
_EXISTS: Final = (
    "The resource already exists in the cluster: import it (`pulumi import`), give a renamed resource an "
    "alias, or set upsert_existing_objects on the provider."
)
_CONFLICT: Final = (
    "server-side apply field conflict detected: leave the field to its owner (ignore_changes), or take it "
    'over with the annotation pulumi.com/patchForce: "true"'
)


_NO_PODS: Final = (
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not "
    "match labels on any Pods"
)


class CanceledError(RefusedError):
    """Waiting was ended by the engine."""


@dataclass(frozen=True)
class Task:
    """What is to be done with one object: which, by what manager, how long at most, whether on trial."""

    manifest: Manifest
    manager: str
    timeout: float = 0.0
    is_preview: bool = False
    is_patch: bool = False
    force: bool = False
    upsert: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long to wait at most: the resource option, the annotation, or ten minutes."""
        text = annotation(self.manifest, "timeoutSeconds")
        return self.timeout or (float(text) if text.isdigit() else _DEFAULT_TIMEOUT)


@dataclass
class Operations:
    """The provider's work on one cluster; `stop` ends what waits."""

    cluster: Cluster
    default_namespace: str = "default"
    stop: threading.Event = field(default_factory=threading.Event)

    def locate(self, manifest: Manifest) -> Place:
        """Where the object of a manifest is. Raises NoMatchError for a kind that is not served."""
        api_version, name = str(manifest.get("apiVersion")), str(manifest.get("kind"))
        kind = self.cluster.find_kind(api_version, name)
        if kind is None:
            raise NoMatchError(api_version, name)
        return self.place(kind, str(namespace_of(manifest)), str(name_of(manifest)))

    def place(self, kind: Kind, namespace: str, name: str) -> Place:
        """Where an object is; without a namespace in the default one, if its kind is in namespaces."""
        return Place(kind, (namespace or self.default_namespace) if kind.namespaced else "", name)

    def create(self, task: Task) -> Manifest:
        """Create the object and wait until it is ready.

        Raises ApiError and NoMatchError for what the API server refuses, PartialError for what was made and
        does not become ready, RefusedError where the provider refuses.
        """
        if task.is_preview:
            return self._create(task)
        return self._await_ready(task, self._retry(lambda: self._create(task)), is_update=False)

    def _create(self, task: Task) -> Manifest:
        place = self.locate(task.manifest)
        manifest = _in_place(task.manifest, place)
        if task.upsert or task.is_patch:
            force = task.force or task.is_preview
            return self._apply(place, manifest, Application(task.manager, force, task.is_preview))
        try:
            return self.cluster.create(place, manifest, Application(CREATOR, dry_run=task.is_preview))
        except ApiError as error:
            if error.reason == "AlreadyExists" and not task.is_preview:
                raise RefusedError(f"{error}. {_EXISTS}") from None
            raise

    def _retry(self, attempt: Callable[[], Manifest]) -> Manifest:
        """Try again where the namespace or the kind may still be on its way."""
        for seconds in _RETRY_SECONDS:
            try:
                return attempt()
            except NoMatchError:
                pass
            except ApiError as error:
                if error.code != HTTPStatus.NOT_FOUND:
                    raise
            self._pause(seconds * self.cluster.retry_scale)
        return attempt()

    def _pause(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise CanceledError("canceled")

    def _apply(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        try:
            return self.cluster.apply(place, manifest, how)
        except ApiError as error:
            if error.reason != "Conflict":
                raise
            text = f'The resource managed by field manager "{how.manager}" had an apply conflict: {error}'
            raise ApiError(error.code, error.reason, f"{_CONFLICT}\n{text}") from None

    def update(self, task: Task) -> Manifest:
        """Change the object and wait until it is ready; raises as `create` does."""
        place = self.locate(task.manifest)
        live = self.cluster.read(place)
        manifest = _in_place(task.manifest, place)
        if place.kind.name == "CustomResourceDefinition":
            return self._finish_update(task, self.cluster.replace(place, manifest, self._how(task, live)))
        if not (task.is_preview or task.is_patch):
            live = self.cluster.adopt(place, live, task.manager)
        manifest = keep_ignored(manifest, live, task.ignored, task.manager)
        return self._finish_update(task, self._apply(place, manifest, self._how(task, live)))

    def _how(self, task: Task, live: Manifest) -> Application:
        managed = live["metadata"].get("managedFields", [])
        force = task.force or is_annotated(task.manifest, "patchForce")
        # On trial nothing was adopted, so the provider's own fields from before would stand in its way.
        return Application(task.manager, force or (task.is_preview and has_creator(managed)), task.is_preview)

    def _finish_update(self, task: Task, live: Manifest) -> Manifest:
        return live if task.is_preview else self._await_ready(task, live, is_update=True)

    def _await_ready(self, task: Task, live: Manifest, *, is_update: bool) -> Manifest:
        if not self.cluster.has_controllers:
            return live
        place = self.locate(live)
        pace = _Pace(task.seconds)
        while True:
            readiness = self._judge(task.manifest, live, is_update=is_update)
            if readiness.is_ready:
                return live
            if readiness.has_failed or pace.is_over:
                text = "failed to initialize" if readiness.has_failed else "timed out waiting to be ready"
                raise PartialError(f"'{place.id}' {text}", live, readiness.reasons)
            if self.stop.wait(pace.next()):
                raise PartialError(f"'{place.id}': canceled while waiting for it", live, readiness.reasons)
            live = self.cluster.read(place)

    def _judge(self, inputs: Manifest, live: Manifest, *, is_update: bool) -> Readiness:
        try:
            found = judge(inputs, live, is_update=is_update)
        except ConditionError as error:
            raise PartialError(str(error), live) from None
        return self._judge_endpoints(live) if found.is_ready and _selects_pods(inputs, live) else found

    def _judge_endpoints(self, live: Manifest) -> Readiness:
        """Whether a Service that selects pods has found one."""
        kind = self.cluster.find_kind("v1", "Endpoints")
        try:
            found = self.cluster.read(replace(self.locate(live), kind=kind)) if kind else {}
        except ApiError:
            found = {}
        is_found = any(subset.get("addresses") for subset in found.get("subsets") or ())
        return Readiness(() if is_found else (_NO_PODS,))

    def read(self, inputs: Manifest, place: Place, *, is_import: bool) -> Manifest:
        """The live object; raises ApiError 404 where it is gone, PartialError where it is not ready."""
        live = self.cluster.read(place)
        if is_import or not self.cluster.has_controllers or not is_awaited(live):
            return live
        readiness = self._judge(inputs, live, is_update=True)
        if not readiness.is_ready:
            raise PartialError(
                f"Resource '{place.id}' was created but failed to initialize", live, readiness.reasons
            )
        return live

    def delete(self, task: Task, place: Place) -> None:
        """Delete the object and wait until it is gone; one that is gone already is deleted well.

        Raises PartialError where it is not gone in time, ApiError for what the API server refuses.
        """
        try:
            if task.is_patch:
                bare = {"apiVersion": place.kind.api_version, "kind": place.kind.name, "metadata": {}}
                self.cluster.apply(place, _in_place(bare, place), Application(task.manager))
                return
            self.cluster.delete(place, _propagation(task.manifest))
            if not (is_annotated(task.manifest, "skipAwait") and place.kind.name in _SKIPPED_DELETION):
                self._await_gone(task, place)
        except ApiError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise

    def _await_gone(self, task: Task, place: Place) -> None:
        pace = _Pace(task.seconds)
        while True:
            live = self.cluster.read(place)
            if pace.is_over:
                finalizers = ", ".join(live["metadata"].get("finalizers") or ()) or "none"
                text = f"'{place.id}' timed out waiting to be deleted"
                reason = f"finalizers might be preventing deletion ({finalizers})"
                raise PartialError(f"{text}: {reason}", live, (reason,))
            if self.stop.wait(pace.next()):
                raise PartialError(f"'{place.id}': canceled while waiting for its deletion", live)


class _Pace:
    """How long until the next look, at first short, and whether the time is over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._step = _FIRST_LOOK / 2

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def next(self) -> float:
        self._step = min(self._step * 2, _SLOWEST_LOOK)
        return max(min(self._step, self._end - time.monotonic()), 0.0)


def _in_place(manifest: Manifest, place: Place) -> dict[str, Any]:
    return with_metadata(manifest, name=place.name, namespace=place.namespace or None)


def _propagation(manifest: Manifest) -> str:
    wanted = annotation(manifest, "deletionPropagationPolicy").capitalize()
    return wanted if wanted in ("Orphan", "Background") else "Foreground"


def _selects_pods(inputs: Manifest, live: Manifest) -> bool:
    spec = live.get("spec") or {}
    return (
        (live.get("apiVersion"), live.get("kind")) == ("v1", "Service")
        and not is_annotated(inputs, "skipAwait")
        and not annotation(live, "waitFor")
        and bool(spec.get("selector"))
        and spec.get("type") != "ExternalName"
        and spec.get("clusterIP") != "None"
    )
