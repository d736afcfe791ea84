"""`headroom audit` as a user runs it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from headroom.live.connection import ENDPOINT_VARIABLE
from headroom.report.audit_json import SCHEMA_FILE
from tests.live.servers import Answer, Asked, answering, kubeconfig

Headroom = Callable[..., CompletedProcess[str]]


def change(project: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = project / "quotas" / "dev.json"
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def set_grant(quota_id: str, value: int) -> Callable[[dict[str, Any]], None]:
    def edit(data: dict[str, Any]) -> None:
        for row in data["grants"]:
            if row["quota_id"] == quota_id:
                row["value"] = value

    return edit


@contextmanager
def prometheus(peaks: dict[tuple[str, str, str], float]) -> Generator[str]:
    """Says that queues held so much at every step, by queue, flavor and resource."""

    def answer(asked: Asked) -> Answer:
        query, now = asked.values["query"], time.time()
        if query == "vector(time())":
            result = [{"metric": {}, "value": [now, str(now)]}]
        elif "kueue" in query:
            start, end, step = (float(asked.values[name]) for name in ("start", "end", "step"))
            moments = [start + number * step for number in range(int((end - start) / step) + 1)]
            result = [
                {
                    "metric": {"cluster_queue": queue, "flavor": pool, "resource": resource},
                    "values": [[moment, str(used)] for moment in moments],
                }
                for (queue, pool, resource), used in peaks.items()
            ]
        else:
            result = []
        return 200, {"status": "success", "data": {"result": result}}

    with answering(answer) as (url, _):
        yield url


def test_without_options_the_plan_is_held_against_the_file(headroom: Headroom) -> None:
    """Q8."""
    done = headroom("audit", "-s", "dev")
    assert done.returncode == 0, done.stderr
    assert "Cloud quotas, in their own units" in done.stdout
    assert "pipeline use     not asked" in done.stdout


def test_a_shortage_is_found_and_ends_with_1(headroom: Headroom, project: Path) -> None:
    """Q3."""
    change(project, set_grant("N2-CPUS-per-project-region", 180))
    done = headroom("audit", "-s", "dev", "--json")
    assert done.returncode == 1
    content = json.loads(done.stdout)
    Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(content)
    found = {(each["code"], each["subject"]) for each in content["findings"]}
    assert ("drawn-over-granted", "N2-CPUS-per-project-region in us-central1") in found
    assert headroom("audit", "-s", "dev", "--fail-on", "error").returncode == 0
    assert headroom("audit", "-s", "dev", "--fail-on", "info").returncode == 1


def test_a_source_that_does_not_answer_ends_with_3(headroom: Headroom, project: Path) -> None:
    change(project, set_grant("N2-CPUS-per-project-region", 180))
    done = headroom("audit", "-s", "dev", "--prometheus", "http://127.0.0.1:9", "--time-limit", "30")
    assert done.returncode == 3
    assert "unreachable" in done.stdout
    assert "could not be reached" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-s", "nowhere"], "there is no such stack file; the stacks here: dev, prod"),
        (["-s", "dev", "--prometheus", "ftp://x"], "error: --prometheus must be a URL"),
        (["-s", "dev", "--since", "7d"], "error: --since compares with a history"),
        (["-s", "dev", "--since", "soon", "--history", "h"], "error: --since must be last, a span"),
        (["-s", "dev", "--quotas-file", "gone.json"], "gone.json: there is no such file"),
        (["-s", "dev", "--quotas-file", "quotas/prod.json"], "is not the stack's gcp:project"),
        (["-s", "dev", "--fail-on", "never"], "Invalid value for '--fail-on'"),
        (["-s", "dev", "--history", "/"], "cannot be read: Is a directory"),
    ],
)
def test_bad_input_ends_with_2(headroom: Headroom, arguments: list[str], expected: str) -> None:
    done = headroom("audit", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_history_that_is_none_ends_with_2(headroom: Headroom, project: Path) -> None:
    (project / "h.jsonl").write_text("nonsense\n")
    done = headroom("audit", "-s", "dev", "--history", "h.jsonl")
    assert done.returncode == 2
    assert "h.jsonl: line 1: is no entry" in done.stderr
    assert (project / "h.jsonl").read_text() == "nonsense\n"


def test_two_audits_are_compared(headroom: Headroom, project: Path) -> None:
    options = ("audit", "-s", "dev", "--history", "h.jsonl", "--since", "last")
    first = headroom(*options)
    assert "has no audit of dev as old as that" in first.stderr
    change(project, set_grant("N2-CPUS-per-project-region", 180))
    second = headroom(*options)
    assert "new: drawn-over-granted N2-CPUS-per-project-region in us-central1" in second.stdout
    assert "N2-CPUS-per-project-region@us-central1: granted 320 -> 180" in second.stdout
    assert len((project / "h.jsonl").read_text().splitlines()) == 2


def test_use_becomes_findings_and_a_patch_of_the_stack_file(headroom: Headroom, project: Path) -> None:
    """Q4, Q8: what was used, beside what is promised; the patch is written, and stays sound."""
    peaks = {
        ("feed-training", "v5e", "google.com/tpu"): 32.0,
        ("feed-validation", "l4", "nvidia.com/gpu"): 0.0,
    }
    before = (project / "Pulumi.dev.yaml").read_text()
    with prometheus(peaks) as url:
        done = headroom("audit", "-s", "dev", "--prometheus", url, "--propose")
        assert "feed-training on v5e: has used 32 chips of its cap of 32 chips" in done.stdout
        assert "feed-validation on l4: has used at most 0 gpus of its guarantee of 1 gpus" in done.stdout
        assert "fraud-data: no use is known of 14 days, which is not none" in done.stdout
        patch = [line for line in done.stdout.splitlines() if line.startswith(("+", "-"))]
        assert any("chips: {guarantee: 32, cap: 32}" in line for line in patch)
        assert (project / "Pulumi.dev.yaml").read_text() == before


def test_limits_that_fit_are_written(headroom: Headroom, project: Path) -> None:
    peaks = {("feed-validation", "l4", "nvidia.com/gpu"): 1.0}
    with prometheus(peaks) as url:
        done = headroom("audit", "-s", "dev", "--prometheus", url, "--write-limits")
    assert "Pulumi.dev.yaml: written" in done.stderr
    assert "l4: {gpus: {guarantee: 1, cap: 1}}" in (project / "Pulumi.dev.yaml").read_text()
    assert headroom("plan", "-s", "dev").returncode == 0


def test_csv_goes_to_its_file(headroom: Headroom, project: Path) -> None:
    assert headroom("audit", "-s", "dev", "--csv", "audit.csv").returncode == 0
    lines = (project / "audit.csv").read_text().splitlines()
    assert lines[0].startswith("kind,name,resource,owner,granted")
    assert any(
        line.startswith("pipeline,feed-training/v5e,chips,group:feed-ml@acme.example") for line in lines
    )


def test_a_page_goes_to_its_file(headroom: Headroom, project: Path) -> None:
    """Q8."""
    assert headroom("audit", "-s", "dev", "--html", "audit.html").returncode == 0
    assert "<h1>Audit of dev</h1>" in (project / "audit.html").read_text()


@pytest.mark.parametrize("option", ["--csv", "--html"])
def test_a_file_that_cannot_be_written_ends_with_2(headroom: Headroom, option: str) -> None:
    done = headroom("audit", "-s", "dev", option, "gone/audit")
    assert done.returncode == 2
    assert f"error: {option} gone/audit: cannot be written: No such file or directory" in done.stderr


def test_a_cluster_by_kubeconfig_is_held_against_the_plan(headroom: Headroom, tmp_path: Path) -> None:
    with answering(lambda _: (200, {"items": []})) as (url, _):
        done = headroom("audit", "-s", "dev", "--kubeconfig", str(kubeconfig(tmp_path, url)))
    assert done.returncode == 1
    assert "the queue feed-training is not in the cluster: the plan has it" in done.stdout


def test_a_watch_goes_on_until_it_is_ended(project: Path) -> None:
    command = [str(Path(sys.executable).with_name("headroom")), "audit", "-s", "dev", "--watch", "1"]
    watch = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watch.stdout is not None
    seen = 0
    for line in watch.stdout:
        seen += "for information" in line
        if seen == 2:
            break
    watch.send_signal(signal.SIGINT)
    _, said = watch.communicate(timeout=30)
    assert watch.returncode == 0
    assert said == ""


def test_an_archive_keeps_each_audit_whole_and_is_compared_with(headroom: Headroom, project: Path) -> None:
    """Q8."""
    first = headroom("audit", "-s", "dev", "--archive", "audits")
    assert first.returncode == 0, first.stderr
    kinds = sorted(path.suffix for path in (project / "audits" / "dev").iterdir())
    assert kinds == [".csv", ".html", ".json", ".jsonl"]
    change(project, set_grant("N2-CPUS-per-project-region", 180))
    time.sleep(1)
    again = headroom("audit", "-s", "dev", "--archive", "audits", "--since", "last")
    assert again.returncode == 1
    assert "new: drawn-over-granted" in again.stdout.partition("Since ")[2]
    (page,) = (path for path in (project / "audits" / "dev").glob("*.html") if str(path.stem) in again.stderr)
    assert "drawn-over-granted" in page.read_text()


def test_an_archive_without_an_earlier_audit_is_a_warning(headroom: Headroom) -> None:
    done = headroom("audit", "-s", "dev", "--archive", "audits", "--since", "7d")
    assert done.returncode == 0
    assert "warning: audits has no audit of dev as old as that" in done.stderr


@pytest.mark.parametrize("line", ["nonsense", '{"version": 99}', ""])
def test_an_earlier_audit_that_cannot_be_read_stops_none_after_it(
    headroom: Headroom, project: Path, line: str
) -> None:
    folder = project / "audits" / "dev"
    folder.mkdir(parents=True)
    (folder / "2026-11-01T00-00-00Z.jsonl").write_text(line)
    done = headroom("audit", "-s", "dev", "--archive", "audits", "--since", "last")
    assert done.returncode == 0, done.stderr
    assert "Cloud quotas, in their own units" in done.stdout
    assert "Since " not in done.stdout
    assert "warning: what differs from an earlier audit is not known: audits: " in done.stderr
    assert "2026-11-01T00-00-00Z.jsonl" in done.stderr
    assert len(list(folder.glob("*.jsonl"))) == 2
    time.sleep(1)
    again = headroom("audit", "-s", "dev", "--archive", "audits", "--since", "last")
    assert "Since " in again.stdout


def test_an_archive_that_cannot_be_read_is_a_source_that_did_not_answer(
    headroom: Headroom, project: Path
) -> None:
    """The audit is shown and kept all the same; what differs is unknown, and not nothing."""
    (project / "audits" / "dev" / "2026-11-01T00-00-00Z.jsonl").mkdir(parents=True)
    done = headroom("audit", "-s", "dev", "--archive", "audits", "--since", "last", "--json")
    assert done.returncode == 3
    content = json.loads(done.stdout)
    Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(content)
    (source,) = (each for each in content["sources"] if each["state"] == "unreachable")
    assert (source["name"], source["origin"]) == ("earlier audits", "audits")
    assert "Is a directory" in source["detail"]
    assert content["change"] is None
    assert "kept: audits/dev/" in done.stderr
    assert "earlier audits" in next((project / "audits" / "dev").glob("*.html")).read_text()


def test_a_bucket_that_nobody_may_use_is_told_after_the_audit(
    headroom: Headroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(lambda _: (403, {"error": {"code": 403, "message": "no"}})) as (url, _):
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        done = headroom("audit", "-s", "dev", "--archive", "gs://reports", "--since", "last")
    assert done.returncode == 3
    assert "Cloud quotas, in their own units" in done.stdout
    assert "1 source did not answer" in done.stdout
    assert "error: --archive gs://reports: Google answered 403" in done.stderr


def test_a_history_that_takes_nothing_is_told_after_the_audit(headroom: Headroom) -> None:
    done = headroom("audit", "-s", "dev", "--history", "gone/h.jsonl")
    assert done.returncode == 2
    assert "Cloud quotas, in their own units" in done.stdout
    assert "h.jsonl: cannot be written: No such file or directory" in done.stderr


def test_an_archive_that_takes_nothing_is_told_after_the_audit_and_ends_with_3(
    headroom: Headroom, project: Path
) -> None:
    (project / "audits").write_text("a file")
    done = headroom("audit", "-s", "dev", "--archive", "audits")
    assert done.returncode == 3
    assert "Cloud quotas, in their own units" in done.stdout
    assert "error: --archive audits: " in done.stderr


def test_an_archive_that_is_no_place_is_refused(headroom: Headroom) -> None:
    done = headroom("audit", "-s", "dev", "--archive", "gs:/bucket")
    assert done.returncode == 2
    assert done.stderr == "error: --archive must be a folder, or gs://BUCKET/PREFIX\n"
