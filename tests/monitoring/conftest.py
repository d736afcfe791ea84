"""One world for all tests here: every example pipeline, healthy and with each of its faults, under one Prometheus."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from tests.monitoring.kueue import serve_queues
from tests.monitoring.scaling import scale_rules
from tests.monitoring.servers import ROOT, Processes, Prometheus, find_free_port, start_prometheus, wait_for

sys.path.insert(0, str(ROOT / "metrics" / "src"))

HURRY = 60
"""An hour of the rules is a minute here."""


@dataclass(frozen=True)
class Case:
    """A pipeline, what is wrong with it, and the alerts that must fire on it: these, and no others."""

    kind: str
    pipeline: str
    fault: str | None
    alerts: frozenset[str]


def _case(kind: str, fault: str | None, *alerts: str, name: str = "") -> Case:
    return Case(kind, f"{name or fault}-{kind}", fault, frozenset(alerts))


HEALTHY = tuple(_case(kind, None, name="sound") for kind in ("data", "training", "validation", "serving"))

KILLED = _case("serving", None, "ServingOutage", name="killed")

ERRANT = _case(
    "training",
    None,
    "PipelineQuotaNearCap",
    "PipelineQuotaAtCap",
    "PipelineQuotaUsageRate",
    "PipelineQuotaForecast",
    name="errant",
)

FAULTY = (
    _case("data", "drift", "DataFeatureDrift"),
    _case("data", "label-drift", "DataLabelDrift"),
    _case("data", "missing", "DataIssues"),
    _case("training", "slow", "TrainingSlow"),
    _case("training", "stuck", "TrainingRunTooLong", "TrainingStopped"),
    _case("training", "fail", "TrainingFailed"),
    _case("validation", "drift", "ValidationDataDrift"),
    _case("validation", "worse", "ValidationQuality"),
    _case("serving", "drift", "ServingDataDrift", "ServingPredictionDrift"),
    _case("serving", "missing", "ServingDataIssues"),
    _case("serving", "worse", "ServingQuality"),
    _case("serving", "slow", "PredictionLatency", "LatencyFastBurn", "LatencySlowBurn"),
    _case("serving", "fail", "ServingOutage", "AvailabilityFastBurn", "AvailabilitySlowBurn"),
    _case("serving", "outage", "ServingOutage"),
    KILLED,
    ERRANT,
)

CASES = HEALTHY + FAULTY


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/monitoring/") and "world" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.monitoring)


@dataclass(frozen=True)
class World:
    """What runs, and since when."""

    prometheus: Prometheus
    gateway: str
    began: float

    @property
    def age(self) -> str:
        """How long it has run, as Prometheus writes durations."""
        return f"{int(time.monotonic() - self.began) + 1}s"


@pytest.fixture(scope="session")
def promtool() -> Path:
    from headroom.cli.promtool import find_promtool
    from sandbox.tools.catalog import locate_binary

    return find_promtool() or locate_binary("promtool", print)


@pytest.fixture(scope="session")
def rule_files() -> dict[str, Any]:
    """The rules of a stack without jobs of the platform's own, in a hurry, by file."""
    files = sorted((ROOT / "headroom" / "alerts" / "rules").glob("*.yaml"))
    return {file.stem: scale_rules(_without_jobs(yaml.safe_load(file.read_text())), HURRY) for file in files}


def _without_jobs(rules: dict[str, Any]) -> dict[str, Any]:
    """The alert on a job is only there where the job is, which in this world it is not."""
    groups = [
        group | {"rules": [rule for rule in group["rules"] if "needs" not in rule.get("labels", {})]}
        for group in rules["groups"]
    ]
    return {"groups": [group for group in groups if group["rules"]]}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, rule_files: dict[str, Any]) -> Iterator[World]:
    """Batch pipelines push, serving ones are scraped; one of these is killed once it has been seen."""
    folder = tmp_path_factory.mktemp("monitoring")
    with ExitStack() as stack:
        processes = Processes(folder, stack)
        gateway = processes.start_pushgateway()
        queues = stack.enter_context(serve_queues(ERRANT.pipeline, HEALTHY[1].pipeline))
        ports = {case.pipeline: find_free_port() for case in CASES if case.kind == "serving"}
        started = {case: _start(processes, case, gateway, ports) for case in CASES}
        _wait_for_all(processes, gateway, ports)
        targets = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        targets |= {"pushgateway": gateway.removeprefix("http://"), "kueue": queues}
        began = time.monotonic()
        prometheus = start_prometheus(processes, folder, targets, rule_files)
        _kill_once_seen(prometheus, started[KILLED])
        yield World(prometheus, gateway, began)


def _start(
    processes: Processes, case: Case, gateway: str, ports: dict[str, int]
) -> "subprocess.Popen[bytes]":
    export = ["--port", str(ports[case.pipeline])] if case.pipeline in ports else ["--gateway", gateway]
    fault = ["--fault", case.fault] if case.fault else []
    return processes.start_pipeline(case.kind, case.pipeline, *export, *fault)


def _wait_for_all(processes: Processes, gateway: str, ports: dict[str, int]) -> None:
    """Twenty processes that start at once are slow, which is no fault of any pipeline's."""
    for case in CASES:
        port = ports.get(case.pipeline)
        url = f"http://127.0.0.1:{port}/metrics" if port else f"{gateway}/metrics"
        said = partial(processes.read_log, case.pipeline)
        wait_for(partial(_find_text, url, f'pipeline="{case.pipeline}"'), 120, said)


def _find_text(url: str, text: str) -> bool | None:
    try:
        with urlopen(url, timeout=5) as answer:
            return text in answer.read().decode() or None
    except OSError:
        return None


def _kill_once_seen(prometheus: Prometheus, process: "subprocess.Popen[bytes]") -> None:
    delivered = f'increase(ml_prediction_requests_total{{pipeline="{KILLED.pipeline}", code="200"}}[5s]) > 0'
    wait_for(lambda: prometheus.query(delivered) or None, 60, lambda: f"{KILLED.pipeline} delivers nothing")
    process.kill()
