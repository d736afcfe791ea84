"""A real Prometheus, a real Pushgateway and the example pipelines, as processes that a test owns."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from sandbox.tools.catalog import locate_binary

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "prod"

# What other tests push on their own is of another environment.
_FIRING = 'ALERTS{alertstate="firing", environment!="test"}'

_T = TypeVar("_T")


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(look: Callable[[], _T | None], seconds: float, what: Callable[[], str]) -> _T:
    """What `look` returns once it is not None; after so many seconds the test fails with `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.5)
    raise AssertionError(f"after {seconds:.0f} seconds: {what()}")


class Processes:
    """Starts processes and ends those that it started; what each says is in a file of its own."""

    def __init__(self, folder: Path, stack: ExitStack):
        self._folder, self._stack = folder, stack

    def start(self, name: str, command: list[str], **variables: str) -> "subprocess.Popen[bytes]":
        said = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        environment = os.environ | variables
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT, env=environment)
        self._stack.callback(_end, process)
        return process

    def start_pipeline(self, kind: str, pipeline: str, *options: str) -> "subprocess.Popen[bytes]":
        """An example pipeline, found with the library in their source folders."""
        command = [sys.executable, "-m", f"examples.{kind}_pipeline", *options]
        paths = {"PYTHONPATH": str(ROOT / "metrics" / "src")}
        identity = {"HEADROOM_ENVIRONMENT": ENVIRONMENT, "HEADROOM_PIPELINE": pipeline}
        return self.start(pipeline, command, **paths, **identity)

    def start_pushgateway(self) -> str:
        port = find_free_port()
        binary = locate_binary("pushgateway", print)
        self.start("pushgateway", [str(binary), f"--web.listen-address=127.0.0.1:{port}"])
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: is_up(f"{url}/-/ready"), 30, lambda: "the Pushgateway is not up")
        return url

    def read_log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_up(url: str) -> bool | None:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return None


class Prometheus:
    """A Prometheus that scrapes every second, and what it answers over its HTTP API."""

    def __init__(self, url: str):
        self._url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self._get("query", query=expression)["result"]

    def firing(self) -> dict[str, set[str]]:
        """The alerts that fire now, by pipeline."""
        return self._alerts(_FIRING)

    def fired(self, window: str) -> dict[str, set[str]]:
        """The alerts that fired at any time in the window, by pipeline."""
        return self._alerts(f"last_over_time({_FIRING}[{window}])")

    def _alerts(self, expression: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for alert in self.query(expression):
            found.setdefault(alert["metric"].get("pipeline", ""), set()).add(alert["metric"]["alertname"])
        return found

    def broken_targets(self) -> dict[str, str]:
        """What could not be scraped, and why."""
        targets = self._get("targets")["activeTargets"]
        return {each["scrapeUrl"]: each["lastError"] for each in targets if each["health"] != "up"}

    def broken_rules(self) -> dict[str, str]:
        """Rules that could not be evaluated, and why."""
        groups = self._get("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return {rule["name"]: rule["lastError"] for rule in rules if rule["health"] == "err"}

    def rule_names(self) -> set[str]:
        return {rule["name"] for group in self._get("rules")["groups"] for rule in group["rules"]}

    def _get(self, path: str, **parameters: str) -> Any:
        with urlopen(f"{self._url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]


def start_prometheus(
    processes: Processes, folder: Path, targets: Mapping[str, str], rules: Mapping[str, Any]
) -> Prometheus:
    """Start one with the targets by name, such as {"clicks": "127.0.0.1:8000"}, and rule files by name."""
    for name, document in rules.items():
        (folder / f"{name}.rules.yaml").write_text(yaml.safe_dump(document))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(targets, rules)))
    port = find_free_port()
    command = [
        str(locate_binary("prometheus", print)),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'storage'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--query.lookback-delta=5s",
    ]
    processes.start("prometheus", command)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: is_up(f"{url}/-/ready"), 60, lambda: processes.read_log("prometheus"))
    return Prometheus(url)


def _configuration(targets: Mapping[str, str], rules: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{name}.rules.yaml" for name in rules],
        "scrape_configs": [
            {"job_name": name, "honor_labels": True, "static_configs": [{"targets": [address]}]}
            for name, address in targets.items()
        ],
    }
