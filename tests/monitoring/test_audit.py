"""Use as an audit reads it, from a real Prometheus that holds what was put there, to the unit."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from headroom.audit.snapshot import QueueUse
from headroom.live.connection import UnansweredError
from headroom.live.metrics import open_window, read_queue_use, read_quota_use
from headroom.live.prometheus import Prometheus, open_prometheus
from headroom.planning.queues import RESOURCE_NAMES
from headroom.planning.quota import QuotaDraw
from tests.audit.worlds import make_world
from tests.monitoring.servers import Processes, start_prometheus, wait_for

pytestmark = pytest.mark.monitoring

WORLD = make_world()
ROWS = [
    (held.name, row.pool, row.resource, number + 1)
    for number, (row, held) in enumerate((row, held) for row in WORLD.audit().pools for held in row.holdings)
]


def render() -> str:
    """What two replicas of Kueue would say of the world: as much for each queue as its number."""
    name = "kueue_cluster_queue_resource_reservation"
    ours = [
        f'{name}{{environment="prod",cluster_queue="{queue}",flavor="{pool}",'
        f'resource="{RESOURCE_NAMES[resource]}",replica_role="{role}"}} {amount}'
        for queue, pool, resource, amount in ROWS
        for role in ("leader", "follower")
    ]
    other = f'{name}{{environment="other",cluster_queue="x",flavor="y",resource="cpu"}} 9'
    return "\n".join([*ours, other]) + "\n"


@contextmanager
def serve() -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(render().encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("audit")
    with ExitStack() as stack:
        processes = Processes(folder, stack)
        found = start_prometheus(processes, folder, {"kueue": stack.enter_context(serve())}, {})
        # A window ends on a whole second, so what is read must be older than that.
        query = 'count(kueue_cluster_queue_resource_reservation{environment="prod"} offset 3s)'
        wait_for(lambda: found.query(query) or None, 60, lambda: "no series were scraped")
        yield open_prometheus(found._url, "acme-ml-test")


def test_every_queue_is_read_to_the_unit(source: Prometheus) -> None:
    """Q8."""
    found = read_queue_use(source, open_window(source, 14), 'environment="prod"')

    def amount(use: QueueUse) -> float | None:
        return None if use.peaks.now is None else use.peaks.now / (1_000 if use.resource == "cpu" else 1)

    assert sorted((each.queue, each.pool, each.resource, amount(each)) for each in found) == sorted(ROWS)
    assert all(each.means.now == each.peaks.now for each in found)


def test_a_prometheus_in_the_cluster_knows_nothing_of_cloud_quotas(source: Prometheus) -> None:
    lines: list[QuotaDraw] = list(WORLD.plan.quota)
    assert read_quota_use(source, open_window(source, 1), (draw.quota for draw in lines), {}) == ()


def test_a_matcher_that_is_none_is_quoted(source: Prometheus) -> None:
    with pytest.raises(UnansweredError, match="the answer was 400: invalid parameter"):
        read_queue_use(source, open_window(source, 1), "environment=")
