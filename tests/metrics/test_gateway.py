"""What a batch job leaves in the Pushgateway, and what the next one takes up from it."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from headroom_metrics import (
    DataCheck,
    DriftMonitor,
    Exporter,
    Gateway,
    Identity,
    MetricsError,
    NumberField,
    PushError,
    TrainingMonitor,
    watch_numbers,
)
from prometheus_client.parser import text_string_to_metric_families

AGES = [float(number % 100) for number in range(2_000)]


class Groups:
    """Keeps groups as the Pushgateway does: a PUT replaces one, a GET shows all with their grouping labels."""

    def __init__(self) -> None:
        self.pushed: dict[str, bytes] = {}
        self.pushes = 0

    def render(self) -> bytes:
        lines = []
        for path, body in self.pushed.items():
            parts = path.removeprefix("/metrics/").split("/")
            group = dict(zip(parts[::2], parts[1::2], strict=True)) | {"instance": ""}
            for family in text_string_to_metric_families(body.decode()):
                for sample in family.samples:
                    labels = {name: value for name, value in (sample.labels | group).items() if value}
                    written = ",".join(f'{name}="{value}"' for name, value in labels.items())
                    lines.append(f"{sample.name}{{{written}}} {sample.value}\n")
        return "".join(lines).encode()


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def url(groups: Groups) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            groups.pushed[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            groups.pushes += 1
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(groups.render())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def job(url: str, kind: Any = "data", pipeline: str = "clicks", name: str = "nightly") -> Exporter:
    identity = Identity("prod", pipeline, kind, "group:ads@acme.example", "production")
    return Exporter(identity, gateway=Gateway(url, job=name, timeout_seconds=5))


def fail_run(monitor: TrainingMonitor) -> None:
    with suppress(RuntimeError), monitor.run("2"):
        raise RuntimeError


def test_group_is_that_of_environment_pipeline_and_job(url: str, groups: Groups) -> None:
    job(url).push()
    assert list(groups.pushed) == ["/metrics/job/nightly/environment/prod/pipeline/clicks"]


def test_counters_of_the_next_run_go_on_from_the_last(url: str, read: Any) -> None:
    """M8: without that a batch job's counters would never be seen to rise."""
    for expected in (2, 4, 6):
        exporter = job(url)
        check = DataCheck(exporter, [NumberField("age", 0, 120)])
        check.check_rows([{"age": 1}, {"age": None}])
        exporter.push()
        exporter.push()
        assert read(exporter, "ml_data_values_total", feature="age") == expected
        assert read(exporter, "ml_data_invalid_values_total", reason="missing") == expected / 2


def test_other_jobs_and_pipelines_are_not_taken_up(url: str, read: Any) -> None:
    for other in (job(url, pipeline="other"), job(url, name="hourly")):
        DataCheck(other, [NumberField("age")]).check_row({"age": 1})
        other.push()
    exporter = job(url)
    DataCheck(exporter, [NumberField("age")])
    exporter.push()
    assert read(exporter, "ml_data_values_total") == 0


def test_last_success_is_kept_when_the_next_run_fails(url: str, read: Any) -> None:
    """M12: that the last run failed is seen from both timestamps."""
    with TrainingMonitor(job(url, "training"), baseline_seconds=9, schedule_seconds=9).run("1"):
        pass
    exporter = job(url, "training")
    fail_run(TrainingMonitor(exporter, baseline_seconds=9, schedule_seconds=9))
    assert read(exporter, "ml_training_run_duration_seconds") is not None
    success = read(exporter, "ml_training_last_success_timestamp_seconds")
    assert success < read(exporter, "ml_training_last_failure_timestamp_seconds")


def test_training_run_is_pushed_as_it_starts_and_as_it_ends(url: str, groups: Groups) -> None:
    """M11: a run that never ends is seen by its start."""
    monitor = TrainingMonitor(job(url, "training"), baseline_seconds=9, schedule_seconds=9)
    with monitor.run("1"):
        assert groups.pushes == 1
        assert b'ml_training_run_start_timestamp_seconds{environment="prod"' in groups.render()
        assert b"ml_training_run_end" not in groups.render()
    assert groups.pushes == 2


def test_what_the_run_has_set_itself_is_not_overwritten_by_what_was_left(url: str, read: Any) -> None:
    def monitor(exporter: Exporter, interval: float) -> DriftMonitor:
        return DriftMonitor(exporter, [watch_numbers("age", AGES)], interval_seconds=interval)

    first = job(url)
    monitor(first, 60).check()
    first.push()
    second = job(url)
    monitor(second, 90)
    second.push()
    assert read(second, "ml_monitor_interval_seconds") == 90
    last = read(first, "ml_monitor_last_run_timestamp_seconds")
    assert read(second, "ml_monitor_last_run_timestamp_seconds") == last


def test_monitor_of_a_job_that_has_not_looked_yet_does_not_pretend_it_has(url: str, read: Any) -> None:
    exporter = job(url)
    DriftMonitor(exporter, [watch_numbers("age", AGES)], interval_seconds=60)
    assert read(exporter, "ml_monitor_last_run_timestamp_seconds") is None


def test_gateway_that_is_away_is_a_push_error_and_fails_no_training(
    caplog: pytest.LogCaptureFixture, read: Any
) -> None:
    exporter = job("http://127.0.0.1:1", "training")
    with pytest.raises(PushError, match=r"http://127\.0\.0\.1:1: cannot be read"):
        exporter.push()
    monitor = TrainingMonitor(exporter, baseline_seconds=9, schedule_seconds=9)
    with caplog.at_level(logging.ERROR, "headroom_metrics"), monitor.run("1"):
        pass
    assert len(caplog.records) == 2
    assert read(exporter, "ml_training_last_success_timestamp_seconds") is not None


def test_exporter_without_a_gateway_cannot_push(data: Exporter) -> None:
    with pytest.raises(MetricsError, match="has no gateway"):
        data.push()


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        ({"url": "pushgateway:9091"}, "is no address"),
        ({"url": "file:///etc/passwd"}, "is no address"),
        ({"job": "a b"}, "job: 'a b' is no name"),
        ({"timeout_seconds": 0}, "is no duration"),
    ],
)
def test_gateway_that_is_none_is_refused(options: dict[str, Any], phrase: str) -> None:
    with pytest.raises(MetricsError, match=phrase):
        Gateway(**({"url": "http://gateway:9091", "job": "nightly"} | options))


def test_exporter_answers_scrapes_until_it_is_closed(data: Exporter) -> None:
    from urllib.request import urlopen

    scrape = data.serve(0, "127.0.0.1")
    with urlopen(f"http://127.0.0.1:{scrape.port}/metrics", timeout=5) as answer:
        assert b"ml_pipeline_info{" in answer.read()
    scrape.close()
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{scrape.port}/metrics", timeout=5)
