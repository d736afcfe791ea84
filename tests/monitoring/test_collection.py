"""Relabeling by a real Prometheus, and the tidying of a real Pushgateway."""

import os
import stat
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from headroom.planning.collection import Relabeling
from headroom.planning.plan import plan_config
from sandbox.tools.catalog import locate_binary
from tests.conftest import MINIMAL
from tests.monitoring.servers import ROOT, Processes, Prometheus, find_free_port, wait_for

pytestmark = pytest.mark.monitoring

TIDY = ROOT / "infra" / "manifests" / "collection" / "tidy.sh"

# What busybox has in the Pushgateway's image, as far as the script uses it.
APPLETS = {
    "nc": "import socket, sys\n"
    "link = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
    "link.sendall(sys.stdin.buffer.read())\n"
    "while link.recv(4096): pass\n"
    "link.close()\n",
    "wget": "import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[-1]).read().decode())\n",
}


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(tmp_path, stack)


def push(gateway: str, path: str, text: str) -> None:
    request = urllib.request.Request(f"{gateway}/metrics/{path}", text.encode(), method="PUT")
    with urllib.request.urlopen(request):
        pass


def groups(gateway: str) -> set[str]:
    with urllib.request.urlopen(f"{gateway}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return {line.split("} ")[0] for line in lines if line.startswith("push_time_seconds{")}


def tidy(processes: Processes, folder: Path, gateway: str, *, seconds: int, known: str) -> None:
    """Run the script as the container does, and see what it says."""
    settings, path = folder / "tidy", folder / "path"
    for each in (settings, path):
        each.mkdir(exist_ok=True)
    (settings / "pipelines").write_text(known)
    (settings / "seconds").write_text(str(seconds))
    for name, text in APPLETS.items():
        (path / name).write_text(f"#!{sys.executable}\n{text}")
        (path / name).chmod(stat.S_IRWXU)
    variables = {
        "PATH": f"{path}:{os.environ['PATH']}",
        "TIDY_FOLDER": str(settings),
        "PUSHGATEWAY_PORT": gateway.rsplit(":", 1)[1],
        "TIDY_EVERY": "1",
    }
    processes.start(f"tidy-{seconds}", ["sh", str(TIDY)], **variables)


def test_what_is_of_no_pipeline_or_too_old_is_deleted_and_the_rest_stays(
    processes: Processes, tmp_path: Path
) -> None:
    gateway = processes.start_pushgateway()
    for path in (
        "job/nightly/environment/prod/pipeline/clicks",
        "job/weekly/environment/prod/pipeline/clicks",
        "job/nightly/environment/prod/pipeline/removed",
        "job/stray",
    ):
        push(gateway, path, "ml_training_schedule_seconds 1\n")
    kept = {
        f'push_time_seconds{{environment="prod",instance="",job="{job}",pipeline="clicks"'
        for job in ("nightly", "weekly")
    }
    tidy(processes, tmp_path, gateway, seconds=3600, known="clicks\nfeed\n")
    wait_for(lambda: groups(gateway) == kept or None, 20, lambda: f"{groups(gateway)} stay")
    time.sleep(2.5)
    assert groups(gateway) == kept, "the next round deletes no more"
    tidy(processes, tmp_path, gateway, seconds=1, known="clicks\nfeed\n")
    wait_for(lambda: groups(gateway) == set() or None, 20, lambda: f"{groups(gateway)} stay")


def test_a_group_whose_name_is_odd_is_reported_and_stops_nothing(
    processes: Processes, tmp_path: Path
) -> None:
    gateway = processes.start_pushgateway()
    push(gateway, "job/odd/pipeline@base64/YS9i", "ml_training_schedule_seconds 1\n")
    push(gateway, "job/stray", "ml_training_schedule_seconds 1\n")
    tidy(processes, tmp_path, gateway, seconds=3600, known="clicks\n")
    odd = {'push_time_seconds{instance="",job="odd",pipeline="a/b"'}
    wait_for(lambda: groups(gateway) == odd or None, 20, lambda: f"{groups(gateway)} stay")
    assert "tidy: cannot delete the group of a/b" in processes.read_log("tidy-3600")


def _configure(rule: Relabeling) -> dict[str, Any]:
    fields = {
        "source_labels": list(rule.source),
        "regex": rule.regex,
        "target_label": rule.target,
        "replacement": rule.replacement,
    }
    return {"action": rule.action} | {key: value for key, value in fields.items() if value}


@pytest.fixture
def prometheus(processes: Processes, tmp_path: Path) -> Prometheus:
    """One that scrapes a Pushgateway twice: as a pod of `clicks`, and as the environment's Pushgateway."""
    gateway = processes.start_pushgateway()
    liar = 'ml_pipeline_info{kind="serving",serving="true",namespace="feed"} 1\nkueue_pending_workloads 3\n'
    push(gateway, "job/liar/environment/dev/pipeline/feed", liar)
    push(gateway, "job/nightly/environment/dev/pipeline/clicks", "ml_training_schedule_seconds 1\n")
    plan = plan_config(MINIMAL, "prod", "f").collection
    jobs = {"headroom-pipelines": ("clicks", plan.pipelines), "headroom-pushgateway": ("", plan.pushed)}
    configuration = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": name,
                "static_configs": [
                    {"targets": [gateway.removeprefix("http://")], "labels": {"namespace": place}}
                ],
                "metric_relabel_configs": [_configure(rule) for rule in rules],
            }
            for name, (place, rules) in jobs.items()
        ],
    }
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    port = find_free_port()
    command = [
        str(locate_binary("prometheus", print)),
        f"--config.file={tmp_path / 'prometheus.yaml'}",
        f"--storage.tsdb.path={tmp_path / 'storage'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    processes.start("prometheus", command)
    return Prometheus(f"http://127.0.0.1:{port}")


def _series(prometheus: Prometheus, query: str) -> list[dict[str, str]] | None:
    try:
        return [each["metric"] for each in prometheus.query(query)] or None
    except OSError:
        return None


def test_a_real_prometheus_believes_the_namespace_and_not_the_series(prometheus: Prometheus) -> None:
    """M16: a pod of `clicks` that says it is `feed`, of another environment, in another namespace."""
    scraped = '{__name__=~"(ml|kueue)_.+",job="headroom-pipelines"}'
    found = wait_for(lambda: _series(prometheus, scraped), 60, lambda: "nothing is scraped")
    assert {(each["environment"], each["pipeline"]) for each in found} == {("prod", "clicks")}
    assert {each["__name__"] for each in found} == {"ml_pipeline_info", "ml_training_schedule_seconds"}
    pushed = '{__name__=~"(ml|kueue)_.+",job="headroom-pushgateway"}'
    (kept,) = wait_for(lambda: _series(prometheus, pushed), 60, lambda: "nothing is scraped")
    assert (kept["environment"], kept["pipeline"]) == ("prod", "clicks")
    assert (kept["__name__"], kept["exported_job"]) == ("ml_training_schedule_seconds", "nightly")
