"""Serve the provider: `python -m sandbox.kubernetes`, as the engine starts a provider plugin."""

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

from sandbox.kubernetes.provider import KubernetesProvider
from sandbox.kubernetes.store import FILE, Store

_MEBIBYTE: Final = 1 << 20
_THREADS: Final = 64
# How often to look whether the engine is still there; one that was killed cannot say that it is done.
_LOOK_SECONDS: Final = 0.5


def main() -> int:
    """Serve until SIGINT or SIGTERM, or until the engine that started this process is gone.

    The port goes to standard output, as the engine expects.
    """
    engine = os.getppid()
    path = os.environ.get("HEADROOM_CLOUD")
    if not path:
        sys.stderr.write("HEADROOM_CLOUD is not set: it names the file beside which objects are recorded\n")
        return 2
    limits = [
        ("grpc.max_receive_message_length", 400 * _MEBIBYTE),
        ("grpc.max_send_message_length", 400 * _MEBIBYTE),
    ]
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=limits)
    cloud = Path(path)
    provider = KubernetesProvider(Store(cloud.with_name(FILE)), cloud, version("pulumi_kubernetes"))
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
