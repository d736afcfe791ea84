"""Use of every quota of the catalog, as an audit reads it from a real Prometheus, to the unit."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from headroom.live.metrics import open_window, read_quota_use
from headroom.live.prometheus import Prometheus, open_prometheus
from tests.audit.every_quota import amounts_of, platforms, series_of
from tests.monitoring.servers import Processes, start_prometheus, wait_for

pytestmark = pytest.mark.monitoring

REGIONS = list(platforms())


def render(region: str) -> str:
    """The series of a region under their own names, which take quotes."""
    lines = {
        "{"
        + ",".join([f'"{name}"', *(f'{label}="{value}"' for label, value in sorted(labels.items()))])
        + f"}} {value}"
        for name, labels, value in series_of(region)
    }
    return "\n".join(sorted(lines)) + "\n"


@contextmanager
def serve(region: str) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=1.0.0; escaping=allow-utf-8")
            self.end_headers()
            self.wfile.write(render(region).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module", params=REGIONS)
def region(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def source(region: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("quotas")
    with ExitStack() as stack:
        processes = Processes(folder, stack)
        found = start_prometheus(processes, folder, {"google": stack.enter_context(serve(region))}, {})
        # A window ends on a whole second, so what is read must be older than that.
        query = 'count({__name__="serviceruntime.googleapis.com/quota/limit"} offset 3s)'
        wait_for(lambda: found.query(query) or None, 60, lambda: "no series were scraped")
        yield open_prometheus(found._url, "acme-ml-test")


def test_use_of_every_quota_is_read_to_the_unit(source: Prometheus, region: str) -> None:
    """Q8: by PromQL that a real Prometheus takes, families and all."""
    expected = {
        (line.quota_id, line.region, line.dimensions): float(amounts.used)
        for line, amounts in amounts_of(region).items()
    }
    found = read_quota_use(source, open_window(source, 14), amounts_of(region), {})
    assert {(each.quota_id, each.region, each.dimensions): each.series.now for each in found} == expected
