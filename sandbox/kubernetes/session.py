"""What the engine asks for, done on the cluster that the configuration means."""

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from sandbox.kubernetes.cluster import Place
from sandbox.kubernetes.configuration import Settings
from sandbox.kubernetes.connection import Connection, connect
from sandbox.kubernetes.differences import Change, Difference, diff_object
from sandbox.kubernetes.errors import ApiError, NoMatchError, PartialError, RefusedError, UnreachableError
from sandbox.kubernetes.kinds import Kind, find_kind
from sandbox.kubernetes.kubeconfig import KubeconfigError
from sandbox.kubernetes.manifests import (
    annotation,
    inputs_of_live,
    is_annotated,
    normalise,
    prune,
    to_manifest,
    to_properties,
)
from sandbox.kubernetes.operations import Operations, Task
from sandbox.kubernetes.releases import RELEASE, Releases, diff_release, preview_state
from sandbox.kubernetes.state import State, mark_secrets, read_state, write_state
from sandbox.kubernetes.store import Store
from sandbox.kubernetes.tokens import is_patch, read_token
from sandbox.provider.wire import is_known, reveal

_GONE: Final = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation "
    'with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
_NO_KIND: Final = "Verify that any required CRDs have been created"


@dataclass(frozen=True)
class Request:
    """What the engine asks for: of which type, with what inputs and state, for real or on trial."""

    token: str
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    timeout: float = 0.0
    is_preview: bool = False


@dataclass(frozen=True)
class Answer:
    """A resource's id, state and inputs."""

    id: str
    state: dict[str, Any]
    inputs: dict[str, Any] = field(default_factory=dict)


class IncompleteError(Exception):
    """Something was done, and not all: the resource as it is now goes into the state with the reasons."""

    def __init__(self, message: str, answer: Answer, reasons: Sequence[str]) -> None:
        self.answer = answer
        self.reasons = [message, *reasons]
        super().__init__(message)


class Session:
    """The provider between its configuration and its end; `cloud` is the file of the imitated cloud."""

    def __init__(self, store: Store, cloud: Path) -> None:
        self.settings = Settings()
        self.unreachable = ""
        self._store = store
        self._cloud = cloud
        self._stop = threading.Event()
        self._connection: Connection | None = None

    def configure(self, settings: Settings) -> None:
        """Connect to the cluster of these settings; without an answer every use says so."""
        self.settings = settings
        try:
            self._connection = connect(settings, self._store, self._cloud)
        except (KubeconfigError, UnreachableError) as error:
            self.unreachable = str(error)

    def cancel(self) -> None:
        """End what waits."""
        self._stop.set()

    @property
    def namespace(self) -> str:
        """Where objects go that name no namespace."""
        return self._connection.namespace if self._connection else self.settings.namespace or "default"

    @property
    def is_recorded(self) -> bool:
        """Whether there is no cluster, so that the published schemas have the last word."""
        return self._connection is not None and not self._connection.cluster.has_controllers

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        """The kind as the cluster serves it, or as it is published."""
        found = None if self._connection is None else self._connection.cluster.find_kind(api_version, name)
        return found or find_kind(api_version, name)

    @property
    def _operations(self) -> Operations:
        return Operations(self._require_connection().cluster, self.namespace, self._stop)

    @property
    def _releases(self) -> Releases:
        connection = self._require_connection()
        return Releases(self._store, connection.cluster, connection.key)

    def _require_connection(self) -> Connection:
        if self._connection is None:
            raise UnreachableError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self._connection

    def _is_served(self, manifest: Mapping[str, Any]) -> bool:
        if self._connection is None:
            return False
        place = str(manifest.get("apiVersion")), str(manifest.get("kind"))
        return self._connection.cluster.find_kind(*place) is not None

    def diff_release(self, state: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[Change, ...]:
        """What changes of a Helm release."""
        return diff_release(state, news)

    def diff_object(self, state: State, news: Mapping[str, Any], ignored: Sequence[str]) -> Difference:
        """What changes of an object."""
        wanted = to_manifest(news)
        kind = self.find_kind(str(wanted.get("apiVersion")), str(wanted.get("kind")))
        return diff_object(kind, state, wanted, ignored, self.settings.mutability)

    def create(self, request: Request) -> Answer:
        """Make the resource; in a preview what is known of it before.

        Raises IncompleteError for what was made and is not ready, and the errors of `Operations.create`.
        """
        if request.token == RELEASE:
            return self._create_release(request)
        manifest = to_manifest(request.inputs)
        task = self._task(request, manifest, f"pulumi-kubernetes-{uuid.uuid4().hex[:8]}")
        is_plain = task.is_patch or not is_known(request.inputs) or not self._is_served(manifest)
        if request.is_preview and is_plain:
            return Answer("", request.inputs)
        try:
            live = self._operations.create(task)
        except NoMatchError as error:
            raise RefusedError(f"{error}. {_NO_KIND}") from None
        except ApiError as error:
            if request.is_preview and _is_undecided(error):
                return Answer("", request.inputs)
            raise RefusedError(
                f"the resource was not successfully created by the Kubernetes API server: {error}"
            ) from None
        except PartialError as error:
            text = "the resource was created, but the Kubernetes API server reported that it failed to fully "
            raise self._incomplete(
                f"{text}initialize or become live: {error}", error, task, request
            ) from None
        return self._answer(task, live, request)

    def _create_release(self, request: Request) -> Answer:
        if request.is_preview or not is_known(request.inputs):
            return Answer("", preview_state(request.inputs))
        state = self._releases.create(request.inputs)
        return Answer(f"{reveal(state['namespace'])}/{reveal(state['name'])}", state)

    def _task(self, request: Request, manifest: Mapping[str, Any], manager: str) -> Task:
        settings = self.settings
        return Task(
            manifest,
            annotation(manifest, "patchFieldManager") or manager,
            request.timeout,
            request.is_preview,
            is_patch(request.token, str(manifest.get("kind"))),
            settings.patch_force or is_annotated(manifest, "patchForce"),
            settings.upsert,
            request.ignored,
        )

    def _answer(self, task: Task, live: Mapping[str, Any], request: Request) -> Answer:
        shown = {key: value for key, value in live.items() if not (request.is_preview and key == "status")}
        state = State(dict(task.manifest), shown, str(task.manifest.get("apiVersion")), task.manager)
        metadata = live["metadata"]
        namespace, name = metadata.get("namespace"), metadata["name"]
        identity = f"{namespace}/{name}" if namespace else name
        return Answer("" if request.is_preview else identity, write_state(state, request.inputs))

    def _incomplete(self, message: str, error: PartialError, task: Task, request: Request) -> IncompleteError:
        return IncompleteError(message, self._answer(task, error.live, request), error.reasons)

    def update(self, request: Request) -> Answer:
        """Change the resource; in a preview what it would be. Raises as `create` does."""
        if request.token == RELEASE:
            if request.is_preview or not is_known(request.inputs):
                return Answer(request.id, preview_state(request.inputs))
            return Answer(request.id, self._releases.update(request.state, request.inputs))
        old, manifest = read_state(request.state), to_manifest(request.inputs)
        task = self._task(request, normalise(manifest), old.manager)
        if request.is_preview and not (is_known(request.inputs) and self._is_served(manifest)):
            return Answer(request.id, request.inputs)
        try:
            return self._answer(task, self._operations.update(task), request)
        except NoMatchError as error:
            raise RefusedError(f"{error}. {_NO_KIND}") from None
        except PartialError as error:
            text = f'the Kubernetes API server reported that "{request.id}" failed to fully initialize'
            raise self._incomplete(f"{text} or become live: {error}", error, task, request) from None
        except ApiError as error:
            if request.is_preview and error.code == HTTPStatus.FORBIDDEN:
                return Answer(request.id, request.inputs)
            raise self._refused_update(error, task, request) from None

    def _refused_update(self, error: ApiError, task: Task, request: Request) -> Exception:
        """The refusal, with the object as it is now where it can still be read."""
        text = f'the update of "{request.id}" was refused by the Kubernetes API server: {error}'
        try:
            operations = self._operations
            live = operations.cluster.read(operations.locate(task.manifest))
        except (ApiError, NoMatchError, UnreachableError):
            return RefusedError(text)
        return IncompleteError(text, self._answer(task, live, request), ())

    def read(self, request: Request) -> Answer | None:
        """The resource as it is, or None if it is gone. Raises IncompleteError for one that is not ready."""
        if self._connection is None:
            return self._read_unreachable(request)
        if request.token == RELEASE:
            found = self._releases.read(request.id, request.inputs)
            return Answer(request.id, *found) if found else None
        inputs, old = normalise(to_manifest(request.inputs)), read_state(request.state)
        is_import = not (inputs.get("apiVersion") or old.live.get("apiVersion"))
        place = self._locate(request, inputs or old.live)
        if place is None:
            return None
        try:
            live = self._operations.read(inputs, place, is_import=is_import)
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            raise
        except PartialError as error:
            answer = self._read_answer(request, inputs, old, error.live, is_import=is_import)
            raise IncompleteError(str(error), answer, error.reasons) from None
        return self._read_answer(request, inputs, old, live, is_import=is_import)

    def _read_answer(
        self,
        request: Request,
        inputs: Mapping[str, Any],
        old: State,
        live: Mapping[str, Any],
        *,
        is_import: bool,
    ) -> Answer:
        found = inputs_of_live(live) if is_import else prune(live, inputs)
        manager = old.manager or f"pulumi-kubernetes-{uuid.uuid4().hex[:8]}"
        state = State(found, dict(live), old.api_version or str(live.get("apiVersion")), manager)
        shown = mark_secrets(to_properties(found), request.inputs)
        return Answer(request.id, write_state(state, request.inputs), shown)

    def _read_unreachable(self, request: Request) -> Answer | None:
        if self.settings.delete_unreachable:
            return None
        if self.settings.skip_unreachable:
            return Answer(request.id, request.state, request.inputs)
        raise UnreachableError(f"failed to read resource state: {self.unreachable}. {_GONE}")

    def _locate(self, request: Request, manifest: Mapping[str, Any]) -> Place | None:
        """Where a resource of this id is; None where its kind is not served any more."""
        api_version, name = read_token(request.token)
        wanted = str(manifest.get("apiVersion") or api_version), str(manifest.get("kind") or name)
        kind = self._require_connection().cluster.find_kind(*wanted)
        namespace, _, last = request.id.rpartition("/")
        return self._operations.place(kind, namespace, last) if kind else None

    def delete(self, request: Request) -> None:
        """Delete the resource and wait until it is gone. Raises IncompleteError for one that does not go."""
        if self._connection is None:
            if self.settings.delete_unreachable:
                return
            raise UnreachableError(
                f"configured Kubernetes cluster is unreachable: {self.unreachable}. {_GONE}"
            )
        if request.token == RELEASE:
            self._releases.delete(request.state)
            return
        old = read_state(request.state)
        place = self._locate(request, old.live)
        if place is None:
            return
        task = self._task(request, old.inputs, old.manager)
        try:
            self._operations.delete(task, place)
        except PartialError as error:
            state = State(old.inputs, dict(error.live), old.api_version, old.manager)
            answer = Answer(request.id, write_state(state, request.state))
            raise IncompleteError(str(error), answer, error.reasons) from None


def _is_undecided(error: ApiError) -> bool:
    """Whether a refusal on trial says nothing of the real thing: no right to try, or more still to come."""
    is_missing_namespace = error.code == HTTPStatus.NOT_FOUND and error.about == "namespaces"
    return is_missing_namespace or error.code == HTTPStatus.FORBIDDEN or error.reason == "AlreadyExists"
