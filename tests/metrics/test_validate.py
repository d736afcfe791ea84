"""D7: `headroom-validate` against a Prometheus and a model on this machine."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from headroom_metrics import Exporter, MetricsError
from headroom_metrics import evidence as evidence_module
from headroom_metrics import prometheus as prometheus_module
from headroom_metrics.errors import QueryError
from headroom_metrics.evidence import Patience, await_verdict
from headroom_metrics.judgement import Demands, Evidence, Served
from headroom_metrics.prometheus import Prometheus
from headroom_metrics.traffic import Sending, read_requests, send
from headroom_metrics.validate import main

from tests.metrics.registries import MemoryRegistry, Said, is_whole, make_image, push, serve

Answer = tuple[int, bytes]


@contextmanager
def server_of(answer: Any) -> Iterator[str]:
    """A server whose answers `answer(handler)` gives; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            status, body = answer(self)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - as the base class calls them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    return handler.rfile.read(int(handler.headers["Content-Length"]))


class Series:
    """Answers as a Prometheus does, what an exporter shows in an environment, or one that serves it as `as_`."""

    def __init__(self) -> None:
        self.samples: list[tuple[str, dict[str, str], float]] = []

    def add(self, name: str, value: float, environment: str = "prod-staging", **labels: str) -> None:
        """Add a series of the pipeline."""
        self.samples.append((name, {"environment": environment, "pipeline": "clicks", **labels}, value))

    def answer(self, handler: BaseHTTPRequestHandler) -> Answer:
        query = parse_qs(read_body(handler).decode())["query"][0]
        found = re.fullmatch(r"last_over_time\((\w+)\{(.*)\}\[30m\]\)", query)
        assert found, query
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', found[2]))
        result = [
            {"metric": {"__name__": name, **labels}, "value": [0, str(value)]}
            for name, labels, value in self.samples
            if name == found[1] and wanted.items() <= labels.items()
        ]
        return 200, json.dumps({"status": "success", "data": {"result": result}}).encode()


@pytest.fixture
def series() -> Series:
    """A staged model that is good, beside the present one."""
    series, who = Series(), {"model_version": "7", "track": "stable"}
    series.add("ml_pipeline_info", 1, **who)
    series.add("ml_prediction_requests_total", 999, **who, code="200")
    series.add("ml_prediction_requests_total", 1, **who, code="503")
    series.add("ml_prediction_slow_requests_total", 5, **who)
    series.add("ml_slo_objective_ratio", 0.999, slo="availability")
    series.add("ml_slo_objective_ratio", 0.99, slo="latency")
    series.add("ml_model_quality", 0.8, **who, metric="auc")
    distance = {"stage": "serving", "subject": "prediction", "feature": "score", "method": "psi"}
    series.add("ml_distribution_distance", 0.05, **who, **distance, reference="present")
    series.add("ml_distribution_distance", 9, **who, **distance, reference="training")
    present = {"model_version": "6", "track": "stable"}
    series.add("ml_pipeline_info", 1, "prod", **present)
    series.add("ml_model_quality", 0.8, "prod", **present, metric="auc")
    return series


def run(series: Series, *more: str, minutes: str = "0") -> int:
    with server_of(series.answer) as url:
        who = ("--environment=prod-staging", "--pipeline=clicks", "--model-version=7", "--track=stable")
        wanted = (
            "--least-requests=100",
            "--quality=auc:min:0.78",
            "--present=prod",
            "--worse=0.01",
            "--skew=0.2",
        )
        return main(["judge", *who, f"--prometheus={url}", f"--minutes={minutes}", *wanted, *more])


def test_a_good_model_ends_with_0(series: Series, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(series) == 0
    assert capsys.readouterr().out == "clicks 7 is good enough to go on\n"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ml_model_quality", 0.7, "not good: auc: is 0.7, and must be at least 0.78"),
        ("ml_prediction_slow_requests_total", 500, "not good: requests: 50.00% were slow"),
        (
            "ml_distribution_distance",
            0.3,
            "not good: skew: score is 0.3 from what the present model predicts",
        ),
        ("ml_prediction_requests_total", 10, "not good: requests: 20 were answered"),
    ],
)
def test_a_bad_model_ends_with_1_and_says_why(
    series: Series, capsys: pytest.CaptureFixture[str], name: str, value: float, reason: str
) -> None:
    """D7."""
    series.samples = [
        (each, labels, value if each == name and labels["environment"] == "prod-staging" else given)
        for each, labels, given in series.samples
    ]
    assert run(series) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"environment": "prod"}, {"model_version": "6"}, {"track": "canary"}])
def test_series_of_another_version_track_or_environment_do_not_count(
    series: Series, capsys: pytest.CaptureFixture[str], change: dict[str, str]
) -> None:
    """D8: they would judge for it."""
    series.samples = [(name, labels | change, value) for name, labels, value in series.samples]
    assert run(series) == 1
    assert "not good: ml_pipeline_info: not there" in capsys.readouterr().err


def test_what_the_alerts_look_at_has_to_be_there(series: Series, capsys: pytest.CaptureFixture[str]) -> None:
    """D8."""
    assert run(series, "--expect=ml_model_quality", "--expect=ml_model_quality_bound") == 1
    assert (
        capsys.readouterr().err
        == "not good: ml_model_quality_bound: not there: the model does not export it\n"
    )


def test_before_a_first_release_there_is_nothing_to_compare_with(series: Series) -> None:
    series.samples = [
        each
        for each in series.samples
        if each[1]["environment"] != "prod" and each[0] != "ml_distribution_distance"
    ]
    assert run(series) == 0


def test_what_a_real_exporter_shows_is_understood(serving: Exporter) -> None:
    """The contract's families, with their own labels."""
    from headroom_metrics import QualityBound, QualityMonitor, ServingMonitor
    from headroom_metrics.judgement import Candidate

    monitor = ServingMonitor(serving, latency_bound_seconds=1)
    with monitor.request():
        pass
    QualityMonitor(serving, QualityBound("auc", minimum=0.7)).measure("auc", 0.8)
    exported = {
        sample.name: sample.labels for family in serving.registry.collect() for sample in family.samples
    }
    candidate = Candidate("prod", "clicks-serving", "7", "canary")
    for name in (
        "ml_pipeline_info",
        "ml_prediction_requests_total",
        "ml_model_quality",
        "ml_model_quality_bound",
    ):
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', candidate.select(name)))
        assert wanted.items() <= exported[name].items()
    assert "ml_prediction_duration_seconds_count" in exported


@pytest.mark.parametrize("quality", [0.8, 0.7])
def test_the_image_of_a_good_model_is_copied_and_that_of_a_bad_one_is_not(
    series: Series, capsys: pytest.CaptureFixture[str], quality: float
) -> None:
    """D7."""
    image, memory = make_image(b"weights"), MemoryRegistry()
    push(memory.respond, "models/m", image)
    series.add("ml_model_quality", quality, model_version="7", track="stable", metric="auc")
    with serve(memory.respond) as host:
        copied = f"{host}/validated/m"
        ended = run(series, f"--copy-from={host}/models/m@{image.digest}", f"--copy-to={copied}")
    said = capsys.readouterr()
    assert is_whole(memory.respond, "validated/m", image) == (quality == 0.8)
    assert (ended, "not good" in said.err) == ((0, False) if quality == 0.8 else (1, True))
    if ended == 0:
        assert said.out == f"clicks 7 is good enough to go on; production may run {copied}@{image.digest}\n"


def test_a_model_whose_image_cannot_be_copied_does_not_go_on(
    series: Series, capsys: pytest.CaptureFixture[str]
) -> None:
    """D7: production could not pull it."""
    digest = make_image(b"").digest
    with serve(lambda _: Said(403, {}, b"denied")) as host:
        copy = (f"--copy-from={host}/models/m@{digest}", f"--copy-to={host}/validated/m")
        assert run(series, *copy, "--copy-minutes=0") == 1
    said = capsys.readouterr()
    assert said.err.startswith("not good: its image was not copied to where production takes it from: http")
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--copy-to=a.dev/validated/m"], "--copy-from and --copy-to: one says nothing without the other"),
        (["--expect=ml_modell"], "ml_modell: is not in the contract"),
        (["--quality=auc:least:1"], "auc:least:1 is no bound such as auc:min:0.78"),
        (["--quality=auc:min:nan"], "is no bound"),
        (["--prometheus=localhost:9090"], "prometheus: 'localhost:9090' is no address"),
    ],
)
def test_a_wrong_call_ends_with_2(
    series: Series, capsys: pytest.CaptureFixture[str], arguments: list[str], phrase: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(series, *arguments)
    assert ended.value.code == 2
    assert phrase in capsys.readouterr().err


def evidence(missing: tuple[str, ...]) -> Evidence:
    return Evidence(missing, Served(), {}, {}, is_first=True, present_quality={})


def test_it_is_looked_again_until_the_model_is_good() -> None:
    """Scrapes are late."""
    looks = iter([evidence(("ml_pipeline_info",)), evidence(("ml_pipeline_info",)), evidence(())])
    slept: list[float] = []
    reasons = await_verdict(
        lambda: next(looks), Demands(), Patience(60, 10), clock=lambda: sum(slept), sleep=slept.append
    )
    assert (reasons, slept) == ((), [10, 10])


def test_when_the_time_is_over_the_last_reasons_count() -> None:
    slept: list[float] = []
    reasons = await_verdict(
        lambda: evidence(("ml_pipeline_info",)),
        Demands(),
        Patience(25, 10),
        clock=lambda: sum(slept),
        sleep=slept.append,
    )
    assert reasons == ("ml_pipeline_info: not there: the model does not export it",)
    assert sum(slept) <= 25


def test_a_prometheus_that_does_not_answer_is_no_success() -> None:
    def read() -> Evidence:
        raise QueryError("http://p: cannot be asked")

    assert await_verdict(read, Demands(), Patience(0, 1)) == ("http://p: cannot be asked",)


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ((403, b"denied\nmore"), "answered 403: denied"),
        ((200, b"<html>"), "the answer is no JSON"),
        ((200, b'{"status": "success"}'), "is not what a Prometheus answers"),
        ((200, b"[]"), "is not what a Prometheus answers"),
    ],
)
def test_answers_that_say_nothing_are_errors(answer: Answer, phrase: str) -> None:
    def reply(handler: BaseHTTPRequestHandler) -> Answer:
        read_body(handler)
        return answer

    with server_of(reply) as url, pytest.raises(QueryError, match=phrase):
        Prometheus(url).ask("up")


def test_cloud_monitoring_is_asked_with_the_token_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the runner of the deliveries: no key, no secret."""
    seen: list[str | None] = []

    def metadata(handler: BaseHTTPRequestHandler) -> Answer:
        assert handler.headers["Metadata-Flavor"] == "Google"
        return 200, b'{"access_token": "secret"}'

    def monitoring(handler: BaseHTTPRequestHandler) -> Answer:
        read_body(handler)
        seen.append(handler.headers["Authorization"])
        return 200, b'{"data": {"result": []}}'

    with server_of(metadata) as account, server_of(monitoring) as url:
        monkeypatch.setenv("GCE_METADATA_HOST", account.removeprefix("http://"))
        assert Prometheus(url).ask("up") == ()
        monkeypatch.setattr(prometheus_module, "GOOGLE_HOST", "127.0.0.1")
        assert Prometheus(url).ask("up") == ()
    assert seen == [None, "Bearer secret"]


def test_a_staged_model_is_sent_the_recorded_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """D7."""
    got: list[bytes] = []

    def predict(handler: BaseHTTPRequestHandler) -> Answer:
        got.append(read_body(handler))
        return (200 if handler.path == "/predict" else 404), b"{}"

    path = tmp_path / "requests.jsonl"
    path.write_text('{"age": 1}\n\n{"age": 2}\n')
    with server_of(predict) as url:
        asked = ["send", f"--to={url}/predict", f"--requests={path}", "--count=5", "--per-second=1000"]
        assert main(asked) == 0
        assert capsys.readouterr().out == "5 requests were answered, 0 were not\n"
        assert main([*asked[:1], f"--to={url}/other", *asked[2:]]) == 1
    assert [json.loads(body)["age"] for body in got[:5]] == [1, 2, 1, 2, 1]


def test_a_model_that_does_not_answer_at_all_fails(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text("{}\n")
    assert (
        main(["send", "--to=http://127.0.0.1:1/", f"--requests={path}", "--count=2", "--per-second=1000"])
        == 1
    )


def test_requests_are_sent_at_the_rate_that_was_asked_for() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    send(Sending("http://127.0.0.1:1/", 4, 2), [b"{}"], clock=lambda: now[0], sleep=sleep)
    assert slept == [0, 0.5, 0.5, 0.5]


def test_a_file_without_requests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n\n")
    for name, phrase in (("empty", "has no request in it"), ("absent", "cannot be read")):
        with pytest.raises(MetricsError, match=phrase):
            read_requests(tmp_path / name)


@pytest.mark.parametrize(("count", "rate"), [(0, 1), (1, 0), (1, float("inf"))])
def test_sending_nothing_or_endlessly_fast_is_refused(count: int, rate: float) -> None:
    with pytest.raises(MetricsError, match="both must be above 0"):
        Sending("http://x/", count, rate)


def test_a_look_reads_the_pipelines_own_objectives(series: Series) -> None:
    from headroom_metrics.judgement import Candidate

    candidate = Candidate("prod-staging", "clicks", "7", "stable")
    with server_of(series.answer) as url:
        found = evidence_module.read_evidence(Prometheus(url), candidate, Demands(), "prod")
    assert found.served == Served(1_000, 1, 5, 0.999, 0.99)
    assert (found.is_first, found.missing) == (False, ())
