"""A serving pipeline: answers predictions over HTTP while clients ask; watches rows, scores and outcomes."""

import json
import time
from collections import deque
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import numpy as np
from headroom_metrics import (
    DataCheck,
    DriftMonitor,
    QualityBound,
    QualityMonitor,
    ServingMonitor,
    watch_categories,
    watch_numbers,
)

from examples.clicks import FIELDS, Columns, Model, World, damage, draw, measure_auc, train
from examples.command_line import Run, log, run_until_stopped, start

QPS = 40
CLIENTS = 4
LATENCY_BOUND_SECONDS = 0.5
FAULTS = ("drift", "missing", "worse", "slow", "fail", "outage")


class Predictor:
    """Answers a row with the probability of a click, and shows what it sees."""

    def __init__(self, run: Run, known: Columns):
        self._fault = run.fault
        self._model: Model = train(known)
        self._serving = ServingMonitor(run.exporter, latency_bound_seconds=LATENCY_BOUND_SECONDS)
        self._check = DataCheck(run.exporter, FIELDS)
        watches = (
            watch_numbers("age", known["age"]),
            watch_numbers("price", known["price"]),
            watch_categories("device", known["device"]),
            watch_numbers("score", self._model.predict(known), subject="prediction"),
        )
        self.drift = DriftMonitor(run.exporter, watches, interval_seconds=run.every)

    def answer(self, row: dict[str, Any]) -> tuple[int, float | None]:
        """Return the HTTP status and the score of a row; an unsound row has none."""
        with self._serving.request() as request:
            if self._fault == "slow":
                time.sleep(2 * LATENCY_BOUND_SECONDS)
            self.drift.observe_row(row)
            if self._fault == "fail":
                request.code = 503
            elif self._check.check_row(row).invalid:
                request.code = 422
            if request.code != 200:
                return request.code, None
            score = float(self._model.predict({name: [value] for name, value in row.items()})[0])
            self.drift.observe_row({"score": score}, "prediction")
            return 200, score


class PredictionServer(ThreadingHTTPServer):
    """Takes rows as JSON by POST and answers each on a connection that stays open."""

    daemon_threads = True

    def __init__(self, predictor: Predictor):
        self.predictor = predictor
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        code, score = cast("PredictionServer", self.server).predictor.answer(row)
        body = json.dumps({"score": score}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
        pass


class Clients:
    """People who ask for predictions, and whose clicks are known afterwards."""

    def __init__(self, run: Run, port: int, seed: int):
        self._fault, self._port = run.fault, port
        self._chance = np.random.default_rng(seed)
        self.outcomes: deque[tuple[float, int]] = deque(maxlen=1_000)

    def ask_forever(self) -> None:
        """Ask row after row; a server that does not answer is asked again."""
        while True:
            rows = self._draw()
            for number in range(len(rows["age"])):
                began = time.perf_counter()
                self._ask({name: column[number].item() for name, column in rows.items()})
                time.sleep(max(0.0, CLIENTS / QPS - (time.perf_counter() - began)))

    def _draw(self) -> Columns:
        worlds = {"drift": World.grown_older(25), "worse": World(contrary=True)}
        world = worlds.get(self._fault or "", World())
        return damage(draw(world, 100, self._chance), 0.1 if self._fault == "missing" else 0, self._chance)

    def _ask(self, row: dict[str, Any]) -> None:
        clicked = row.pop("clicked")
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("POST", "/predict", json.dumps(row))
            score = json.loads(connection.getresponse().read())["score"]
        except (OSError, HTTPException):
            return
        finally:
            connection.close()
        if score is not None:
            self.outcomes.append((score, clicked))


def main() -> None:
    """Run the pipeline as the command line says."""
    run = start("serving", __doc__ or "", FAULTS, track="stable")
    predictor = Predictor(run, draw(World(), 20_000, np.random.default_rng(1)))
    quality = QualityMonitor(run.exporter, QualityBound("auc", minimum=0.6))
    server = PredictionServer(predictor)
    Thread(target=server.serve_forever, daemon=True).start()
    if run.fault == "outage":
        server.shutdown()
        server.server_close()
    clients = [Clients(run, server.server_port, seed) for seed in range(CLIENTS)]
    for each in clients:
        Thread(target=each.ask_forever, daemon=True).start()
    for number in run.rounds_due(at_once=False):
        look(run, number, predictor, quality, [pair for each in clients for pair in tuple(each.outcomes)])


def look(
    run: Run, number: int, predictor: Predictor, quality: QualityMonitor, outcomes: list[tuple[float, int]]
) -> None:
    """Compare what was asked with what was trained on, and scores with outcomes."""
    found = predictor.drift.check()
    drifted = [each.watch.feature for each in found if each.is_drifted]
    unknown = [each.watch.feature for each in found if each.is_drifted is None]
    run.publish()
    log.info(
        "look %d: %d outcomes, drifted: %s, not known: %s",
        number, len(outcomes), ", ".join(drifted) or "nothing", ", ".join(unknown) or "nothing",
    )  # fmt: skip
    if len({clicked for _, clicked in outcomes}) == 2 and len(outcomes) >= 200:
        scores, clicked = (np.array(column) for column in zip(*outcomes, strict=True))
        auc = measure_auc(scores, clicked)
        log.info("AUC %.3f, %s", auc, "as it should be" if quality.measure("auc", auc) else "too low")


if __name__ == "__main__":
    run_until_stopped(main)
