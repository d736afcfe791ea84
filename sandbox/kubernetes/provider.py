"""The resource provider `kubernetes` as the engine speaks to it. It translates, and decides nothing."""

# The signatures are those of the protocol, whose answers do not always need the request.
# ruff: noqa: ARG002

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty  # ty: ignore[import-not-found]
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.kubernetes.checks import check_inputs
from sandbox.kubernetes.configuration import check_configuration, diff_configuration, read_settings
from sandbox.kubernetes.differences import Change
from sandbox.kubernetes.errors import ApiError, NoMatchError, PartialError, RefusedError, UnreachableError
from sandbox.kubernetes.faults import Faults
from sandbox.kubernetes.kubeconfig import KubeconfigError
from sandbox.kubernetes.releases import RELEASE
from sandbox.kubernetes.session import IncompleteError, Request, Session
from sandbox.kubernetes.state import read_state
from sandbox.kubernetes.store import Store
from sandbox.kubernetes.tokens import token_of
from sandbox.provider.wire import decode, encode

_KINDS: Final = provider_pb2.PropertyDiff.Kind
_EXPECTED: Final = (ApiError, KubeconfigError, NoMatchError, PartialError, RefusedError, UnreachableError)
_DETAILS: Final = "grpc-status-details-bin"


class _Status(grpc.Status):
    """An error with what became of the resource, in the form in which the engine reads it."""

    def __init__(self, error: IncompleteError) -> None:
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.answer.id,
            properties=encode(error.answer.state),
            reasons=error.reasons,
            inputs=encode(error.answer.inputs) if error.answer.inputs else None,
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
        status.details.add().Pack(detail)
        self.code = grpc.StatusCode.UNKNOWN
        self.details = str(error)
        self.trailing_metadata = ((_DETAILS, status.SerializeToString()),)


def _answers_errors(method: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong becomes the error status that the engine shows."""

    @wraps(method)
    def run(self: "KubernetesProvider", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except IncompleteError as error:
            context.abort_with_status(_Status(error))
            raise
        except _EXPECTED as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise

    return run


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one cluster to one engine; `store` is the record, `cloud` the file of the imitated cloud."""

    def __init__(self, store: Store, cloud: Path, version: str) -> None:
        self._session = Session(store, cloud)
        self._faults = Faults(cloud)
        self._version = version

    def Handshake(self, request: Any, context: Any) -> Any:
        """Answer the engine's first call."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the installed pulumi_kubernetes, for which this provider stands in."""
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Refuse what the official provider does not know, and what the sandbox cannot do."""
        failures = [
            provider_pb2.CheckFailure(property=problem.path, reason=problem.reason)
            for problem in check_configuration(decode(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Whether the provider means another cluster from now on."""
        olds = request.old_inputs if request.HasField("old_inputs") else request.olds
        change = diff_configuration(decode(olds), decode(request.news))
        kinds = provider_pb2.DiffResponse
        return provider_pb2.DiffResponse(
            changes=kinds.DIFF_SOME if change.changed else kinds.DIFF_NONE,
            diffs=change.changed,
            replaces=change.replaces,
        )

    @_answers_errors
    def Configure(self, request: Any, context: Any) -> Any:
        """Connect to the cluster; one that does not answer is an error only where it is needed."""
        self._session.configure(read_settings(decode(request.args)))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptOutputs=False)

    @_answers_errors
    def Check(self, request: Any, context: Any) -> Any:
        """Fill in the name and the namespace, and say what is wrong."""
        token = token_of(request.type, request.urn)
        name, seed = request.urn.rpartition("::")[2], request.randomSeed
        inputs, problems = check_inputs(
            self._session, token, decode(request.news), decode(request.olds), name, seed
        )
        failures = [provider_pb2.CheckFailure(property=each.path, reason=each.reason) for each in problems]
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=failures)

    @_answers_errors
    def Diff(self, request: Any, context: Any) -> Any:
        """What changed, property by property."""
        token, olds, news = token_of(request.type, request.urn), decode(request.olds), decode(request.news)
        if token == RELEASE:
            return _diff_response(self._session.diff_release(olds, news), delete_before_replace=False)
        difference = self._session.diff_object(read_state(olds), news, list(request.ignoreChanges))
        return _diff_response(difference.changes, difference.delete_before_replace)

    @_answers_errors
    def Create(self, request: Any, context: Any) -> Any:
        """Create, or in a preview ask the API server on trial."""
        asked = _request(request, inputs=decode(request.properties))
        with self._struck("create", asked):
            answer = self._session.create(asked)
        return provider_pb2.CreateResponse(id=answer.id, properties=encode(answer.state))

    @_answers_errors
    def Read(self, request: Any, context: Any) -> Any:
        """The live state, for refresh and import; an empty answer if the resource is gone."""
        asked = _request(request, inputs=decode(request.inputs), state=decode(request.properties))
        with self._struck("read", asked):
            answer = self._session.read(asked)
        if answer is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=answer.id, properties=encode(answer.state), inputs=encode(answer.inputs)
        )

    @_answers_errors
    def Update(self, request: Any, context: Any) -> Any:
        """Change in place, or in a preview ask the API server on trial."""
        asked = _request(
            request,
            inputs=decode(request.news),
            state=decode(request.olds),
            ignored=tuple(request.ignoreChanges),
        )
        with self._struck("update", asked):
            answer = self._session.update(asked)
        return provider_pb2.UpdateResponse(properties=encode(answer.state))

    @_answers_errors
    def Delete(self, request: Any, context: Any) -> Any:
        """Delete, and wait until it is gone."""
        asked = _request(request, state=decode(request.properties))
        with self._struck("delete", asked):
            self._session.delete(asked)
        return Empty()

    @_answers_errors
    def Invoke(self, request: Any, context: Any) -> Any:
        """Functions render YAML and charts in the provider, which the sandbox does not."""
        raise RefusedError(f"the sandbox has no function {request.tok}")

    def Cancel(self, request: Any, context: Any) -> Any:
        """End what waits."""
        self._session.cancel()
        return Empty()

    def _struck(self, operation: str, asked: Request) -> AbstractContextManager[None]:
        """A call in which something may go wrong; on trial nothing does."""
        return nullcontext() if asked.is_preview else self._faults.around(operation, asked.token)


def _request(request: Any, **parts: Any) -> Request:
    fields = {field.name for field in request.DESCRIPTOR.fields}
    return Request(
        token=token_of(request.type, request.urn),
        id=request.id if "id" in fields else "",
        timeout=request.timeout if "timeout" in fields else 0.0,
        is_preview=request.preview if "preview" in fields else False,
        **parts,
    )


def _diff_response(changes: tuple[Change, ...], delete_before_replace: bool) -> Any:
    kinds = provider_pb2.DiffResponse
    return provider_pb2.DiffResponse(
        changes=kinds.DIFF_SOME if changes else kinds.DIFF_NONE,
        replaces=[change.path for change in changes if change.replaces],
        diffs=sorted({change.path.split(".")[0].split("[")[0] for change in changes}),
        deleteBeforeReplace=delete_before_replace,
        detailedDiff={change.path: _property_diff(change) for change in changes},
        hasDetailedDiff=True,
    )


def _property_diff(change: Change) -> Any:
    kind = _KINDS.Value(change.kind + ("_REPLACE" if change.replaces else ""))
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=change.kind == "DELETE")
