"""The resource provider `gcp` as the engine speaks to it. This module translates; it decides nothing."""

# The signatures are those of the protocol, whose answers do not always need the request.
# ruff: noqa: ARG002

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty  # ty: ignore[import-not-found]
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.google import invoke
from sandbox.google.check import check_inputs, fill_inputs
from sandbox.google.cloud import Cloud
from sandbox.google.configuration import check_configuration, read_settings
from sandbox.google.diff import Change, Difference, diff_inputs, diff_labels
from sandbox.google.errors import AnswerLostError, ApiError, HalfDoneError, RefusedError
from sandbox.google.facts import load_facts
from sandbox.google.labels import merge_labels
from sandbox.google.outputs import Settings, overlay, preview
from sandbox.google.refresh import import_state, project_inputs
from sandbox.google.schema import UnknownTypeError, load_resource_type
from sandbox.google.unsent import compare_as_sent
from sandbox.provider.wire import cover, decode, encode, is_known, reveal

_KINDS: Final = provider_pb2.PropertyDiff.Kind


def _answers_errors(method: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong in the imitated cloud becomes the error status that the engine shows."""

    @wraps(method)
    def run(self: "GoogleCloudProvider", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except (AnswerLostError, ApiError, RefusedError, UnknownTypeError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise
        except HalfDoneError as error:
            given = request.olds if isinstance(request, provider_pb2.UpdateRequest) else request.properties
            details = _half_done(error, cover(error.known, decode(given)))
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise

    return run


def _half_done(error: HalfDoneError, known: dict[str, Any]) -> bytes:
    """The status that tells the engine to keep the resource, and to go on with it at the next update."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.identity, properties=encode(known), reasons=[str(error)]
        )
    )
    return status.SerializeToString()


class GoogleCloudProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one world of the imitated Google Cloud to one engine."""

    def __init__(self, cloud: Cloud, version: str) -> None:
        self._cloud = cloud
        self._version = version
        self._settings = Settings()

    def Handshake(self, request: Any, context: Any) -> Any:
        """Answer the engine's first call."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the installed pulumi_gcp, for which this provider stands in."""
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Refuse what the official provider does not know."""
        failures = [
            provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
            for failure in check_configuration(decode(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """A change of the configuration replaces no provider."""
        olds = request.old_inputs if request.HasField("old_inputs") else request.olds
        same = decode(olds) == decode(request.news)
        kind = provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=kind)

    def Configure(self, request: Any, context: Any) -> Any:
        """Remember project, place and default labels."""
        self._settings = read_settings(decode(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptOutputs=False)

    @_answers_errors
    def Check(self, request: Any, context: Any) -> Any:
        """Fill in the name and the defaults, and say what is wrong."""
        resource, facts = load_resource_type(_type(request)), load_facts(_type(request))
        olds, news = decode(request.olds), decode(request.news)
        inputs = fill_inputs(resource, facts, olds, news, request.urn.rpartition("::")[2], request.randomSeed)
        failures = [
            provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
            for failure in check_inputs(resource, facts, inputs)
        ]
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=failures)

    @_answers_errors
    def Diff(self, request: Any, context: Any) -> Any:
        """What changed, property by property."""
        resource, facts = load_resource_type(_type(request)), load_facts(_type(request))
        state, news = decode(request.olds), decode(request.news)
        olds = decode(request.old_inputs) if request.HasField("old_inputs") else state
        difference = diff_inputs(resource, facts, *compare_as_sent(resource.token, olds, news))
        labels = merge_labels(
            resource, reveal(news), self._settings.default_labels, self._settings.is_attributed
        )
        changes = difference.changes + diff_labels(reveal(state.get("pulumiLabels")), labels)
        return _diff_response(Difference(changes, difference.delete_before_replace))

    @_answers_errors
    def Create(self, request: Any, context: Any) -> Any:
        """Create, or in a preview say what is known before."""
        token, inputs = _type(request), decode(request.properties)
        if request.preview:
            resource, facts = load_resource_type(token), load_facts(token)
            known = preview(resource, facts, inputs, self._settings)
            return provider_pb2.CreateResponse(id="", properties=encode(cover(known, inputs)))
        item = self._cloud.create(token, inputs, self._settings)
        return provider_pb2.CreateResponse(id=item.id, properties=encode(cover(item.properties, inputs)))

    @_answers_errors
    def Read(self, request: Any, context: Any) -> Any:
        """The live state, for refresh and import; an empty answer if the resource is gone."""
        token = _type(request)
        item = self._cloud.read(token, request.id)
        if item is None:
            return provider_pb2.ReadResponse()
        olds, resource = decode(request.inputs), load_resource_type(token)
        live = item.properties if olds else import_state(resource, item.properties)
        inputs = project_inputs(resource, load_facts(token), reveal(olds), live)
        state = cover(live, {**decode(request.properties), **olds})
        return provider_pb2.ReadResponse(
            id=item.id, properties=encode(state), inputs=encode(cover(inputs, olds))
        )

    @_answers_errors
    def Update(self, request: Any, context: Any) -> Any:
        """Change in place, or in a preview say what will be."""
        token, inputs = _type(request), decode(request.news)
        state = decode(request.olds)
        olds = decode(request.old_inputs) if request.HasField("old_inputs") else state
        if request.preview or not is_known(inputs):
            resource, facts = load_resource_type(token), load_facts(token)
            made = preview(resource, facts, inputs, self._settings)
            known = overlay(resource, facts, reveal(state), reveal(olds), made, reveal(inputs))
            return provider_pb2.UpdateResponse(properties=encode(cover(known, inputs)))
        item = self._cloud.update(token, request.id, olds, inputs, self._settings)
        return provider_pb2.UpdateResponse(properties=encode(cover(item.properties, inputs)))

    @_answers_errors
    def Delete(self, request: Any, context: Any) -> Any:
        """Delete as far as Google does."""
        self._cloud.delete(_type(request), request.id)
        return Empty()

    @_answers_errors
    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer a function call."""
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(
            encode(invoke.answer(request.tok, reveal(decode(request.args)), self._settings))
        )
        return response

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing runs that would have to be stopped."""
        return Empty()


def _type(request: Any) -> str:
    """The type token, which the last part of a parent chain in the URN also tells."""
    return request.type or request.urn.split("::")[2].rpartition("$")[2]


def _diff_response(difference: Difference) -> Any:
    kinds = provider_pb2.DiffResponse
    detailed = {change.path: _property_diff(change) for change in difference.changes}
    return provider_pb2.DiffResponse(
        changes=kinds.DIFF_SOME if difference.changes else kinds.DIFF_NONE,
        replaces=list(difference.replaces),
        diffs=sorted({change.path.split(".")[0].split("[")[0] for change in difference.changes}),
        deleteBeforeReplace=difference.delete_before_replace,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _property_diff(change: Change) -> Any:
    kind = _KINDS.Value(change.kind + ("_REPLACE" if change.replaces else ""))
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=change.path != "pulumiLabels")
