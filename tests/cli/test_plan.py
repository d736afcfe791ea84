"""`headroom plan`, as a user runs it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Headroom = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_tables_name_every_pool_and_are_plain_when_piped(headroom: Headroom, stack: str) -> None:
    """Q1, Q2."""
    done = headroom("plan", "-s", stack)
    assert done.returncode == 0, done.stderr
    assert "\x1b[" not in done.stdout
    for name in ("system", "cpu", "l4", "h100", "v5e", "v6e", "assistant-training", "SSD-TOTAL-GB"):
        assert name in done.stdout


def test_json_is_json(headroom: Headroom) -> None:
    done = headroom("plan", "-s", "dev", "--json")
    assert json.loads(done.stdout)["environment"] == "dev"


def test_it_works_in_a_folder_below_the_project(headroom: Headroom, project: Path) -> None:
    (project / "below").mkdir()
    assert headroom("plan", "-s", "dev", "--json", cwd=project / "below").returncode == 0


def test_a_bad_file_ends_with_2_and_every_problem(headroom: Headroom, project: Path) -> None:
    path = project / "Pulumi.dev.yaml"
    path.write_text(
        path.read_text().replace("a3-highgpu-8g", "a3-highgpu-9g").replace("kind: data", "kind: dat")
    )
    done = headroom("plan", "-s", "dev")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 5
    rows = path.read_text().splitlines()
    found = [re.match(r"Pulumi\.dev\.yaml:(\d+): headroom:", line) for line in lines]
    at = [rows[int(each[1]) - 1] for each in found if each]
    assert len(at) == 5
    (h100,) = (row for line, row in zip(lines, at, strict=True) if "did you mean a3-highgpu-8g?" in line)
    assert "machine: a3-highgpu-9g" in h100


def test_a_note_says_the_line_of_its_key(headroom: Headroom, project: Path) -> None:
    path = project / "Pulumi.dev.yaml"
    path.write_text(re.sub(r"ticket: \[\w+\]", "ticket: []", path.read_text()))
    (note,) = (line for line in headroom("plan", "-s", "dev").stderr.splitlines() if "what can wait" in line)
    said = re.match(r"note: Pulumi\.dev\.yaml:(\d+): headroom:alerting\.routes\.ticket: ", note)
    assert said
    assert "ticket: []" in path.read_text().splitlines()[int(said[1]) - 1]


def test_an_unknown_stack_is_answered_with_the_stacks_that_there_are(headroom: Headroom) -> None:
    done = headroom("plan", "-s", "staging")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the stacks here: dev, prod" in done.stderr


def test_outside_a_project_it_says_so(headroom: Headroom, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = headroom("plan", "-s", "dev", cwd=tmp_path_factory.mktemp("elsewhere"))
    assert done.returncode == 2
    assert "no Pulumi.yaml here or in a folder above" in done.stderr


def test_a_missing_option_is_asked_for(headroom: Headroom) -> None:
    done = headroom("plan")
    assert done.returncode == 2
    assert "--stack" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["plan", "schema", "demo", "sandbox"])
def test_every_command_has_help(headroom: Headroom, command: str) -> None:
    done = headroom(command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_schema_prints_the_committed_schema(headroom: Headroom, root: Path) -> None:
    assert json.loads(headroom("schema").stdout) == json.loads((root / "stack.schema.json").read_text())


def test_a_reader_that_stops_early_is_no_short_quota(project: Path) -> None:
    command = Path(sys.executable).with_name("headroom")
    with subprocess.Popen(
        [command, "plan", "-s", "dev"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        said = running.stderr.read()
        assert running.wait(timeout=60) == -signal.SIGPIPE
    assert said == ""


def test_a_full_disk_is_one_message(project: Path) -> None:
    command = Path(sys.executable).with_name("headroom")
    done = subprocess.run(
        ["bash", "-c", f"{command} plan -s dev --json >/dev/full"],
        cwd=project, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
