"""Q4: `headroom estimate`, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Headroom = Callable[..., CompletedProcess[str]]
USED = "time,pipeline,pool,resource,used\n" + "".join(
    f"2026-11-{day:02}T{hour:02}:00:00Z,feed-serving,l4,gpus,{2 + hour % 3}\n"
    for day in range(1, 11)
    for hour in range(24)
)


@pytest.fixture
def usage(project: Path) -> Path:
    path = project / "usage.csv"
    path.write_text(USED)
    return path


def estimates(done: CompletedProcess[str]) -> dict[str, dict]:
    return {each["name"]: each for each in json.loads(done.stdout)["pipelines"]}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_pipeline_is_shown_with_what_is_known(headroom: Headroom, stack: str) -> None:
    """Q4."""
    done = headroom("estimate", "-s", stack)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b[" not in done.stdout
    for text in ("feed-serving", "formula M/M/c", "baselines 2 projects", "shelf-serving", "unknown"):
        assert text in done.stdout


def test_one_pipeline_can_be_chosen_and_a_wrong_name_is_refused(headroom: Headroom) -> None:
    done = headroom("estimate", "-s", "dev", "-p", "feed-serving", "--json")
    assert estimates(done).keys() == {"feed-serving"}
    done = headroom("estimate", "-s", "dev", "-p", "feed-servin")
    assert done.returncode == 2
    assert done.stderr == "--pipeline: names no pipeline of this stack; did you mean feed-serving?\n"


def test_use_narrows_what_the_formula_says(headroom: Headroom, usage: Path) -> None:
    """Q4: refined by what prototypes were observed to use."""
    (alone,) = estimates(headroom("estimate", "-s", "dev", "-p", "feed-serving", "--json")).values()
    done = headroom("estimate", "-s", "dev", "-p", "feed-serving", "--json", "--usage", str(usage))
    (helped,) = estimates(done).values()
    assert [each["kind"] for each in alone["evidence"]] == ["formula"]
    assert [each["kind"] for each in helped["evidence"]] == ["formula", "observed"]
    before, after = (each["resources"][0]["cap"] for each in (alone, helped))
    assert after["high"] / after["low"] < before["high"] / before["low"]
    assert after["likely"] >= 4


def test_a_cap_that_is_too_low_ends_with_1_and_is_a_warning_of_the_plan(
    headroom: Headroom, project: Path
) -> None:
    path = project / "Pulumi.dev.yaml"
    text = path.read_text()
    line = "      demand: {pool: l4, qps: 60,"
    path.write_text(text.replace(line, "      limits: {l4: {gpus: {guarantee: 1, cap: 4}}}\n" + line))
    done = headroom("estimate", "-s", "dev")
    assert done.returncode == 1
    assert "+2" in done.stdout
    planned = headroom("plan", "-s", "dev")
    assert planned.returncode == 0
    expected = "feed-serving.limits.l4.gpus.cap: is 4, and the demand likely needs 6 at its peak"
    assert f"warning: headroom:pipelines.{expected}" in planned.stderr


def test_limits_are_written_and_the_rest_stays(headroom: Headroom, project: Path) -> None:
    """Q4: comments and formatting stay; what is written is what the plan took before."""
    path = project / "Pulumi.dev.yaml"
    before, plan = path.read_text(), json.loads(headroom("plan", "-s", "dev", "--json").stdout)
    done = headroom("estimate", "-s", "dev", "--write", "-p", "feed-serving", "-p", "shelf-training")
    assert (done.returncode, done.stderr) == (0, "Pulumi.dev.yaml: written\n")
    added = [line for line in path.read_text().splitlines() if line not in before.splitlines()]
    assert added == [
        "      limits: {l4: {gpus: {guarantee: 2, cap: 6}}}",
        "      limits: {v5e: {chips: {guarantee: 16, cap: 16}}}",
    ]
    assert all(f"+{line}" in done.stdout for line in added)
    assert path.read_text().splitlines()[:40] == before.splitlines()[:40]
    assert json.loads(headroom("plan", "-s", "dev", "--json").stdout)["pipelines"] == plan["pipelines"]
    again = headroom("estimate", "-s", "dev", "--write", "-p", "feed-serving")
    assert again.stderr == "Pulumi.dev.yaml: nothing to write\n"


def test_limits_that_do_not_fit_are_not_written(headroom: Headroom, project: Path, usage: Path) -> None:
    path = project / "Pulumi.dev.yaml"
    before = path.read_bytes()
    usage.write_text(USED.replace("gpus,4", "gpus,4000"))
    done = headroom("estimate", "-s", "dev", "--write", "--usage", str(usage))
    assert done.returncode == 2
    assert "@@" not in done.stdout
    first, *reasons = done.stderr.splitlines()
    assert first == "Pulumi.dev.yaml: not written, since with these limits the plan would not be sound:"
    assert any("headroom:pipelines.feed-serving.limits.l4.gpus.cap: is " in line for line in reasons)
    assert path.read_bytes() == before


def test_a_prometheus_that_does_not_answer_is_unknown_and_writes_nothing(
    headroom: Headroom, project: Path
) -> None:
    before = (project / "Pulumi.dev.yaml").read_bytes()
    done = headroom("estimate", "-s", "dev", "--prometheus", "http://127.0.0.1:9", "--write")
    assert done.returncode == 3
    assert "feed-serving" in done.stdout
    assert done.stderr.startswith("warning: what was used is unknown: Prometheus could not be asked")
    assert (project / "Pulumi.dev.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--prometheus", "nowhere"), "error: --prometheus must be a URL such as http://127.0.0.1:9090"),
        (("--usage", "none.csv"), "none.csv: cannot be read: No such file or directory"),
        (("--usage", "Pulumi.yaml"), "Pulumi.yaml: line 1: lacks time, pipeline, pool, resource, used"),
    ],
)
def test_what_cannot_be_used_ends_with_2(
    headroom: Headroom, arguments: tuple[str, ...], expected: str
) -> None:
    done = headroom("estimate", "-s", "dev", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(expected)
    assert "Traceback" not in done.stderr


def test_a_demand_that_nothing_can_meet_ends_with_2(headroom: Headroom, project: Path) -> None:
    path = project / "Pulumi.dev.yaml"
    path.write_text(
        path.read_text().replace("latency_ms: 80, service_time_ms: 12", "latency_ms: 8, service_time_ms: 12")
    )
    done = headroom("estimate", "-s", "dev")
    assert done.returncode == 2
    assert "headroom:pipelines.feed-serving.demand: cannot be met by any number of replicas" in done.stderr


def test_baselines_that_are_not_sound_are_named_with_their_file(headroom: Headroom, project: Path) -> None:
    path = project / "baselines.yaml"
    path.write_text(path.read_text().replace("hours: 0.6", "hours: a while"))
    done = headroom("estimate", "-s", "dev")
    assert done.returncode == 2
    assert done.stderr == "baselines.yaml: fraud-2024-data.hours: must be a number\n"


def test_it_has_help(headroom: Headroom) -> None:
    done = headroom("estimate", "--help")
    assert done.returncode == 0
    assert "--write" in done.stdout
