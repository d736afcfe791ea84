"""Runs the program on mocks and writes down what it registers, for the bare program to register again.

Run as `python -m benchmarks.recording FILE`, with the `config:` of a stack file as JSON on standard input:
the SDK keeps what it runs in global state, so each recording needs a process of its own.
"""

import asyncio
import json
import multiprocessing
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

STACK = "bench"
PROVIDER = "pulumi:providers:gcp"
JSON_SETTINGS = ("defaultLabels", "userProjectOverride")


def record(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the program registers for `config`: token, name and arguments of each resource."""
    return record_main(_program(config))


def record_manifests(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of the program for `config`, in the order in which it registers them."""
    rows = record_main(_program(config), lambda args: args.inputs)
    return [row["arguments"] for row in rows if "apiVersion" in row["arguments"]]


def record_registrations(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the program registers for `config`, with the properties that the engine is given."""
    return record_main(_program(config), lambda args: args.inputs)


def record_apart(
    what: Callable[[dict[str, Any]], list[dict[str, Any]]], config: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return what one of these functions does, run in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(what, config).result()


def _program(config: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    from headroom.planning.plan import plan_config
    from infra.stack import build

    plan = plan_config(config, STACK, f"Pulumi.{STACK}.yaml")

    async def main() -> None:
        await build(plan).registered()

    return main


def record_main(
    main: Callable[[], Awaitable[None]], arguments: Callable[[Any], dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Return what a program registers whose entry point is `main`.

    `arguments` reads them off a registration; by default under the names that Python programs use.
    """
    import pulumi
    from pulumi.runtime.stack import run_pulumi_func

    found: list[dict[str, Any]] = []

    class Recorder(pulumi.runtime.Mocks):
        """Writes down each resource and invents what the cloud would answer."""

        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
            found.append({"token": args.typ, "name": args.name, "arguments": (arguments or _arguments)(args)})
            return f"{args.name}-id", _answers(args)

        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
            raise AssertionError(f"the program asks the cloud before anything exists: {args.token}")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(Recorder(), project="headroom", stack=STACK, preview=False)
        loop.run_until_complete(run_pulumi_func(main))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return found


def _arguments(args: Any) -> dict[str, Any]:
    """The inputs under the names that Python programs use; below the top level the SDK takes either name."""
    from pulumi._types import input_type_py_to_pulumi_names

    inputs = args.inputs
    if args.typ == PROVIDER:
        module, name = "pulumi_gcp", "Provider"
        # The provider's own settings travel as JSON texts.
        inputs = {key: json.loads(value) if key in JSON_SETTINGS else value for key, value in inputs.items()}
    elif args.typ.startswith("gcp:"):
        module, name = f"pulumi_gcp.{args.typ.split(':')[1].split('/')[0]}", args.typ.rpartition(":")[2]
    else:
        return {}
    names = input_type_py_to_pulumi_names(getattr(import_module(module), f"{name}Args"))
    python_names = {wire: python for python, wire in names.items()}
    return {python_names[key]: value for key, value in inputs.items()}


def _answers(args: Any) -> dict[str, Any]:
    answers = {"name": args.name, **args.inputs}
    if args.typ == "gcp:serviceaccount/account:Account":
        email = f"{args.inputs['accountId']}@{args.inputs['project']}.iam.gserviceaccount.com"
        return {**answers, "email": email, "member": f"serviceAccount:{email}"}
    if args.typ == "gcp:projects/serviceIdentity:ServiceIdentity":
        email = "service-123456789012@container-engine-robot.iam.gserviceaccount.com"
        return {**answers, "email": email, "member": f"serviceAccount:{email}"}
    if args.typ == "gcp:container/cluster:Cluster":
        endpoint = {"dnsEndpointConfig": {"allowExternalTraffic": True, "endpoint": "gke-0.gke.goog"}}
        return {**answers, "controlPlaneEndpointsConfig": endpoint}
    return answers


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(record(json.load(sys.stdin))), encoding="utf-8")
