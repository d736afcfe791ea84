"""Serve the imitation: `python -m sandbox.google`, as the engine starts a provider plugin."""

import gc
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.google.cloud import Cloud
from sandbox.google.delays import read_pace
from sandbox.google.provider import GoogleCloudProvider
from sandbox.google.store import Store

_MEBIBYTE: Final = 1 << 20
_THREADS: Final = 64
# How often to look whether the engine is still there; one that was killed cannot say that it is done.
_LOOK_SECONDS: Final = 0.5
# What is loaded stays: looking for garbage in it takes a fifth of the time.
_COLLECT_AFTER: Final = 200_000


def main() -> int:
    """Serve until SIGINT or SIGTERM, or until the engine that started this process is gone.

    The port goes to standard output, as the engine expects.
    """
    gc.set_threshold(_COLLECT_AFTER)
    engine = os.getppid()
    path = os.environ.get("HEADROOM_CLOUD")
    if not path:
        sys.stderr.write("HEADROOM_CLOUD is not set: it names the SQLite file of the imitated cloud\n")
        return 2
    store = Store(Path(path))
    try:
        read_pace(store)
    except ValueError as error:
        sys.stderr.write(f"HEADROOM_CLOUD_SCALE: {error}\n")
        return 2
    limits = [
        ("grpc.max_receive_message_length", 400 * _MEBIBYTE),
        ("grpc.max_send_message_length", 400 * _MEBIBYTE),
    ]
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=limits)
    provider = GoogleCloudProvider(Cloud(store), version("pulumi_gcp"))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(_LOOK_SECONDS) and os.getppid() == engine:
        pass
    server.stop(grace=1).wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
