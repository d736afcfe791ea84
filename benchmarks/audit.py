"""`headroom audit` of thousands of queues and 30 days of use: time, memory, and the size of its page."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs

import yaml

from benchmarks.processes import Usage, measure
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_pipelines_config

TITLE = "headroom audit --html, 30 days of use from a Prometheus"
DAYS = 30
PIPELINES = (100, 1_000)
TARGET_PAGE_MB = 2.0
GIB = 2**30

Progress = Callable[[str], None]


def run(quick: bool, progress: Progress) -> Report:
    """Measure the whole command, the page included; the Prometheus is one that answers at once."""
    rows: list[tuple[str | float, ...]] = []
    size_mb = 0.0
    for pipelines in PIPELINES:
        config = build_pipelines_config(pipelines)
        with TemporaryDirectory() as name, serving(config) as url:
            folder = Path(name)
            page = folder / "audit.html"
            _write_project(folder, config)
            uses = []
            for repetition in range(1 if quick else 5):
                progress(f"audit: {pipelines:,} pipelines, round {repetition + 1}")
                uses.append(_audit(folder, url, page))
            size_mb = page.stat().st_size / 1e6
        best = min(uses, key=lambda use: use.cpu_seconds)
        rows.append((f"{pipelines:,} pipelines", best.seconds, best.cpu_seconds, best.peak_mib, size_mb))
    figures = (Figure(f"page of {PIPELINES[-1]:,} pipelines", size_mb, "MB", TARGET_PAGE_MB),)
    return Report(TITLE, ("stack", "s", "processor s", "peak MiB", "page MB"), tuple(rows), figures)


def _audit(folder: Path, url: str, page: Path) -> Usage:
    headroom = str(Path(sys.executable).with_name("headroom"))
    options = ["--prometheus", url, "--days", str(DAYS), "--html", str(page), "--fail-on", "error"]
    return measure([headroom, "audit", "-s", "bench", *options], folder, os.environ)


def _write_project(folder: Path, config: dict[str, Any]) -> None:
    folder.joinpath("Pulumi.yaml").write_text("name: bench\nruntime: python\n", encoding="utf-8")
    folder.joinpath("Pulumi.bench.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")


@contextmanager
def serving(config: dict[str, Any]) -> Generator[str]:
    """The URL of something that answers as a Prometheus would that knows every queue of the configuration."""
    handler = partial(_Handler, list(config["headroom:pipelines"].items()))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, pipelines: list[tuple[str, dict[str, Any]]], *arguments: Any) -> None:
        self._pipelines = pipelines
        super().__init__(*arguments)

    def do_POST(self) -> None:
        """Answer a question of the HTTP API."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        result = _answer(self._pipelines, {key: values[0] for key, values in asked.items()})
        body = json.dumps({"status": "success", "data": {"result": result}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the server's own name
        """Say nothing."""


def _answer(pipelines: list[tuple[str, dict[str, Any]]], asked: dict[str, str]) -> list[dict[str, Any]]:
    if asked["query"] == "vector(time())":
        return [{"metric": {}, "value": [time.time(), str(time.time())]}]
    if "kueue" not in asked["query"] or "start" not in asked:
        return []
    start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
    moments = [start + number * step for number in range(int((end - start) / step) + 1)]
    return [
        {
            "metric": {"cluster_queue": name, "flavor": pool, "resource": resource},
            "values": [
                [moment, f"{most * (0.55 + 0.4 * sin(at / 9 + number)):.6g}"]
                for at, moment in enumerate(moments)
            ],
        }
        for number, (name, pipeline) in enumerate(pipelines)
        for pool in pipeline["limits"]
        for resource, most in (("cpu", 4.0), ("memory", 8.0 * GIB))
    ]
