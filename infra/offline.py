"""Runs a program on mocks and returns what it asks the engine for: no engine, no credentials, no network."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.rpc import deserialize_properties
from pulumi.runtime.stack import run_pulumi_func

NUMBER = "123456789012"
"""The project number that the mocks invent."""


@dataclass(frozen=True)
class Registered:
    """One resource as the engine is asked for it."""

    type: str
    name: str
    inputs: dict[str, Any] = field(compare=False)
    options: dict[str, Any] = field(compare=False)
    parent: str = field(default="", compare=False)
    """The URN of the parent; empty: the stack."""
    provider: str = field(default="", compare=False)
    """The name of the provider that was chosen; empty: the default one."""
    sources: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)
    """URNs of the resources whose outputs a property is made of, by the property."""


class Inventor(pulumi.runtime.Mocks):
    """Invents what the cloud would answer."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Return an id and the outputs of a resource: its inputs, and what others ask of it."""
        outputs = dict(args.inputs) | {"name": args.inputs.get("name", f"{args.name}-0a1b2c3")}
        if args.typ == "gcp:serviceaccount/account:Account":
            email = f"{args.inputs['accountId']}@{args.inputs['project']}.iam.gserviceaccount.com"
            outputs |= {"email": email, "member": f"serviceAccount:{email}"}
        if args.typ == "gcp:projects/serviceIdentity:ServiceIdentity":
            email = f"service-{NUMBER}@container-engine-robot.iam.gserviceaccount.com"
            outputs |= {"email": email, "member": f"serviceAccount:{email}"}
        if args.typ == "gcp:container/cluster:Cluster":
            endpoints = dict(args.inputs["controlPlaneEndpointsConfig"])
            endpoints["dnsEndpointConfig"] = {"allowExternalTraffic": True, "endpoint": "gke-0.gke.goog"}
            outputs["controlPlaneEndpointsConfig"] = endpoints
            place = "projects/{project}/locations/{location}/clusters/{name}"
            return place.format(**{"name": args.name, **args.inputs}), outputs
        if args.typ == "pulumi:pulumi:StackReference":
            return args.name, {"name": args.name, "outputs": {"gates": _invent_gates(args.name)}}
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return an answer to what the program asks once its APIs are there; raise for anything else."""
        match args.token:
            case "gcp:logging/getProjectCmekSettings:getProjectCmekSettings":
                return {"serviceAccountId": f"cmek-p{NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"}, []
            case "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess":
                return {"secretData": f"the {args.args['secret']} of {args.args['project']}"}, []
        raise AssertionError(f"the program asks the cloud before anything exists: {args.token}")


def _invent_gates(stack: str) -> dict[str, str]:
    """What another stack of the project says of the alerts that judge canaries there."""
    from headroom.planning.rollouts import find_gates

    return {gate.policy: f"{stack}-{gate.policy}-0a1b2c3" for gate in find_gates(stack)}


class Recorder(MockMonitor):
    """Remembers what the engine is asked for, options included."""

    def __init__(self) -> None:
        super().__init__(Inventor())
        self.registered: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        """Remember a registration, then answer it as the SDK's own mocks do."""
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(
                Registered(
                    request.type,
                    request.name,
                    deserialize_properties(request.object),
                    _options(request),
                    request.parent,
                    request.provider.split("::")[-2] if "::" in request.provider else "",
                    {key: frozenset(found.urns) for key, found in request.propertyDependencies.items()},
                )
            )
        return super().RegisterResource(request)


def record(stack: str, program: Callable[[], Awaitable[None]]) -> list[Registered]:
    """Run `program` on mocks; what it registered comes sorted by type and name."""
    recorder = Recorder()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            recorder.mocks, project="headroom", stack=stack, preview=False, monitor=recorder
        )
        loop.run_until_complete(run_pulumi_func(program))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return sorted(recorder.registered, key=lambda resource: (resource.type, resource.name))


def _options(request: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "depends_on": sorted(urn.rsplit("::", 1)[-1] for urn in request.dependencies),
    }
    if "::pulumi:pulumi:Stack::" not in request.parent:
        options["parent"] = request.parent.rsplit("::", 1)[-1]
    if request.protect:
        options["protect"] = True
    if request.retainOnDelete:
        options["keep"] = True
    if request.ignoreChanges:
        options["ignore"] = sorted(request.ignoreChanges)
    if request.additionalSecretOutputs:
        options["secret"] = sorted(request.additionalSecretOutputs)
    if request.deletedWith:
        options["deleted_with"] = request.deletedWith.rsplit("::", 1)[-1]
    if request.deleteBeforeReplaceDefined:
        options["delete_before_replace"] = request.deleteBeforeReplace
    plain = {"timeout": request.customTimeouts.create, "import": request.importId}
    options |= {name: value for name, value in plain.items() if value}
    if request.hooks.before_delete:
        options["before_delete"] = list(request.hooks.before_delete)
    if request.hooks.on_error:
        options["on_error"] = list(request.hooks.on_error)
    return options
