"""The providers as processes that an engine starts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2_grpc

ENGINE = """
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-m", "{module}"], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline().strip(), flush=True)
time.sleep(600)
"""
BOUND_SECONDS = 20
MODULES = ("sandbox.google", "sandbox.kubernetes")


@pytest.mark.parametrize(
    ("module", "version", "file"),
    [("sandbox.google", "10.2.0", "cloud.sqlite"), ("sandbox.kubernetes", "4.34.2", "kubernetes.sqlite")],
)
def test_a_served_provider_answers_over_grpc_and_stops_on_a_signal(
    tmp_path: Path, root: Path, module: str, version: str, file: str
) -> None:
    environment = os.environ | {"HEADROOM_CLOUD": str(tmp_path / "cloud.sqlite")}
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        channel = grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        assert stub.GetPluginInfo(Empty(), timeout=BOUND_SECONDS).version == version
        channel.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout and process.stdout.close()
    assert process.wait(BOUND_SECONDS) == 0
    assert (tmp_path / file).is_file()


@pytest.mark.parametrize("module", MODULES)
def test_without_a_world_a_provider_says_what_is_missing(root: Path, module: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "HEADROOM_CLOUD"}
    run = subprocess.run(
        [sys.executable, "-m", module], cwd=root, env=environment, capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 2
    assert run.stderr.startswith("HEADROOM_CLOUD is not set")


def test_a_pace_that_is_none_is_refused_with_its_name(tmp_path: Path, root: Path) -> None:
    given = {"HEADROOM_CLOUD": str(tmp_path / "cloud.sqlite"), "HEADROOM_CLOUD_SCALE": "fast"}
    run = subprocess.run(
        [sys.executable, "-m", "sandbox.google"],
        cwd=root,
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("HEADROOM_CLOUD_SCALE: ")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_provider_ends_with_the_engine_that_started_it_even_if_that_was_killed(
    tmp_path: Path, root: Path, module: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE.format(module=module)],
        cwd=root,
        env=os.environ | {"HEADROOM_CLOUD": str(tmp_path / "cloud.sqlite")},
        stdout=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stdout is not None
        plugin, port = engine.stdout.readline().split()
        assert int(port) > 0
        engine.kill()
    process = Path("/proc") / plugin
    end = time.monotonic() + BOUND_SECONDS
    while process.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not process.exists()
