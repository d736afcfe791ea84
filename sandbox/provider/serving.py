"""Serves a resource provider as the engine starts one: a process of its own, its port on standard output."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

CLOUD_VARIABLE: Final = "HEADROOM_CLOUD"
_MEBIBYTE: Final = 1 << 20
_THREADS: Final = 64
# How often to look whether the engine is still there; one that was killed cannot say that it is done.
_LOOK_SECONDS: Final = 0.5


def serve(make: Callable[[Path], provider_pb2_grpc.ResourceProviderServicer]) -> int:
    """Serve what `make` makes of the imitated cloud's file, until SIGINT, SIGTERM, or the engine is gone.

    Returns the exit code: 2, with the reason on standard error, where HEADROOM_CLOUD names no file or `make`
    raises ValueError.
    """
    engine = os.getppid()
    path = os.environ.get(CLOUD_VARIABLE)
    if not path:
        sys.stderr.write(f"{CLOUD_VARIABLE} is not set: it names the SQLite file of the imitated cloud\n")
        return 2
    try:
        provider = make(Path(path))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    server = _start(provider)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(_LOOK_SECONDS) and os.getppid() == engine:
        pass
    server.stop(grace=1).wait()
    return 0


def _start(provider: provider_pb2_grpc.ResourceProviderServicer) -> grpc.Server:
    limits = [
        ("grpc.max_receive_message_length", 400 * _MEBIBYTE),
        ("grpc.max_send_message_length", 400 * _MEBIBYTE),
    ]
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    return server
