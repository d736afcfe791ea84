"""A Python language host for the Pulumi engine, for where the official one is not to be had.

Run as `python -m sandbox.engine.language_host EXEC_SCRIPT [ENGINE_ADDRESS]`. It prints the port of its gRPC
server, serves `pulumirpc.LanguageRuntime`, and stops on SIGINT or when the engine that started it is gone.
"""

# gRPC calls every method with request and context.
# ruff: noqa: ARG002
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import IO, cast

import grpc
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty  # ty: ignore[import-not-found]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.engine.errors import SandboxError
from sandbox.engine.python_environment import (
    list_packages,
    load_plugin_requirements,
    plan_install,
    require_python,
)

# The program ends with this code after it has shown its error itself (pulumi-language-python-exec).
ERROR_ALREADY_SHOWN = 32
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
PROGRAM_RUNNER = Path(__file__).with_name("program_runner.py")
STOP_GRACE_S = 10.0
ENGINE_WATCH_S = 1.0


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Serves the engine's calls about Python programs and policy packs; one process runs per call of Run."""

    def __init__(self, exec_script: Path, engine_address: str = "") -> None:
        self._exec_script = exec_script
        self._engine_address = engine_address

    def Handshake(self, request, context):
        """Keep the address at which the program reaches the engine."""
        self._engine_address = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request, context):
        """The host's version, which is that of the Pulumi SDK beside it."""
        from importlib.metadata import version

        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request, context):
        """The provider plugins that the program's installed packages declare."""
        packages = [
            plugin_pb2.PackageDependency(
                name=each.name, kind="resource", version=each.version, server=each.server
            )
            for each in load_plugin_requirements(_python_of(request.info, context))
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetRequiredPlugins(self, request, context):
        """The same as plugins, for engines that ask in the older way."""
        plugins = [
            plugin_pb2.PluginDependency(
                name=each.name, kind="resource", version=each.version, server=each.server
            )
            for each in load_plugin_requirements(_python_of(request.info, context))
        ]
        return language_pb2.GetRequiredPluginsResponse(plugins=plugins)

    def About(self, request, context):
        """The interpreter and its version, for `pulumi about`."""
        python = _python_of(request.info, context)
        answer = subprocess.run([str(python), "--version"], capture_output=True, text=True, check=True)
        version = answer.stdout.strip().removeprefix("Python ")
        return language_pb2.AboutResponse(executable=str(python), version=version)

    def GetProgramDependencies(self, request, context):
        """The packages installed in the program's environment."""
        installed = list_packages(_python_of(request.info, context))
        dependencies = [
            language_pb2.DependencyInfo(name=name, version=version) for name, version in installed
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def RuntimeOptionsPrompts(self, request, context):
        """No questions when a project is made."""
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request, context):
        """Make the environment and fill it from requirements.txt, showing what the installer prints."""
        root, program = Path(request.info.root_directory), Path(request.info.program_directory)
        for command in plan_install(root, program, _options_of(request.info)):
            for stdout, exit_code in _stream(_start(command, root, None), context):
                if stdout:
                    yield language_pb2.InstallDependenciesResponse(stdout=stdout)
                elif exit_code:
                    context.abort(
                        grpc.StatusCode.UNKNOWN, f"{' '.join(command)} failed: exit code {exit_code}"
                    )

    def Run(self, request, context):
        """Run the program to its end."""
        python = _python_of(request.info, context)
        command = [str(python), "-P", "-u", str(PROGRAM_RUNNER), str(self._exec_script)]
        command += program_arguments(request, self._engine_address)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        _end_with_call(process, context)
        message = {"config": dict(request.config), "secret_keys": list(request.configSecretKeys)}
        _send(process, json.dumps(message))
        return run_response(process.wait())

    def RunPlugin(self, request, context):
        """Run a policy pack, or a provider written in Python, and stream what it prints."""
        python = _python_of(request.info, context)
        environment = dict(each.partition("=")[::2] for each in request.env)
        process = _start(plugin_command(python, request), Path(request.pwd), environment or None)
        for stdout, exit_code in _stream(process, context):
            if stdout:
                yield language_pb2.RunPluginResponse(stdout=stdout)
            else:
                yield language_pb2.RunPluginResponse(exitcode=exit_code)

    def Cancel(self, request, context):
        """Nothing to do: the engine ends each call, and with it the process it started."""
        return Empty()


def program_arguments(request: language_pb2.RunRequest, engine_address: str) -> list[str]:
    """Arguments of pulumi-language-python-exec for a Run call; secrets are not among them."""
    values = {
        "--monitor": request.monitor_address,
        "--engine": engine_address,
        "--project": request.project,
        "--stack": request.stack,
        "--pwd": request.pwd,
        "--organization": request.organization,
        "--root_directory": request.info.root_directory,
        "--parallel": str(request.parallel),
        "--dry_run": "true" if request.dryRun else "false",
    }
    flags = [text for name, value in values.items() if value for text in (name, value)]
    return [*flags, request.program or ".", *request.args]


def run_response(exit_code: int) -> language_pb2.RunResponse:
    """What the engine hears about a program that ended: nothing, "already shown", or the exit code."""
    if exit_code == 0:
        return language_pb2.RunResponse()
    if exit_code == ERROR_ALREADY_SHOWN:
        return language_pb2.RunResponse(bail=True)
    return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {exit_code}")


def plugin_command(python: Path, request: language_pb2.RunPluginRequest) -> list[str]:
    """The command that runs a policy pack (kind `analyzer`) or another plugin written in Python."""
    program = request.info.program_directory
    if request.kind == "analyzer":
        return [str(python), "-P", "-u", "-m", "pulumi.policy", *request.args, program]
    return [str(python), "-u", str(Path(program) / request.info.entry_point), *request.args]


def serve(exec_script: Path, engine_address: str) -> None:
    """Serve until SIGINT, SIGTERM or the end of the engine; the first line printed is the port."""
    engine = os.getppid()
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=limits)
    host = LanguageHost(exec_script, engine_address)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not stop.wait(ENGINE_WATCH_S) and os.getppid() == engine:
        pass
    server.stop(grace=0).wait()


def _options_of(info: language_pb2.ProgramInfo) -> dict[str, object]:
    return json_format.MessageToDict(info.options)


def _python_of(info: language_pb2.ProgramInfo, context: grpc.ServicerContext) -> Path:
    try:
        return require_python(Path(info.root_directory), _options_of(info))
    except SandboxError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        raise


def _start(command: list[str], folder: Path, environment: dict[str, str] | None) -> subprocess.Popen[bytes]:
    """Start with output to be streamed; errors go to the host's own standard error, which is shown."""
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )


def _send(process: subprocess.Popen[str], message: str) -> None:
    try:
        with cast(IO[str], process.stdin) as pipe:
            pipe.write(message)
    except BrokenPipeError:
        # The program died before it read its configuration; its exit code says so.
        return


def _stream(process: subprocess.Popen[bytes], context: grpc.ServicerContext) -> Iterator[tuple[bytes, int]]:
    """Pieces of what the process prints, then an empty piece with its exit code."""
    _end_with_call(process, context)
    with cast(IO[bytes], process.stdout) as output:
        while piece := os.read(output.fileno(), 65536):
            yield piece, 0
    yield b"", process.wait()


def _end_with_call(process: subprocess.Popen, context: grpc.ServicerContext) -> None:
    """Stop the process when the engine gives up the call that started it."""

    def stop() -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    context.add_callback(stop)


if __name__ == "__main__":
    # The engine may put logging flags before its address, which comes last.
    serve(Path(sys.argv[1]), sys.argv[-1] if len(sys.argv) > 2 else "")
