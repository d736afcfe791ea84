"""Stands in for Kueue's controller: its metrics of queues, as the collection relabels them."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CAP = 32
GUARANTEE = 16
RISE_SECONDS = 20


def render_queue(pipeline: str, reserved: float, pending: int) -> str:
    """The metrics of one queue: what it is promised, may borrow and holds, and how many jobs wait."""
    labels = f'environment="prod",pipeline="{pipeline}",cluster_queue="{pipeline}",cohort="all",replica_role="leader"'
    quota = f'{labels},flavor="v5e",resource="google.com/tpu"'
    return (
        f"kueue_cluster_queue_nominal_quota{{{quota}}} {GUARANTEE}\n"
        f"kueue_cluster_queue_borrowing_limit{{{quota}}} {CAP - GUARANTEE}\n"
        f"kueue_cluster_queue_resource_reservation{{{quota}}} {reserved}\n"
        f'kueue_pending_workloads{{{labels},status="active"}} {pending}\n'
    )


@contextmanager
def serve_queues(errant: str, modest: str) -> Generator[str]:
    """Serve two queues: one takes all that its cap allows while more jobs wait, one keeps to a quarter of it.

    It begins to take with the first scrape.
    """
    first: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not first:
                first.append(time.monotonic())
            share = min(1.0, (time.monotonic() - first[0]) / RISE_SECONDS)
            text = render_queue(errant, round(CAP * share), int(share == 1)) + render_queue(
                modest, CAP / 4, 0
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
