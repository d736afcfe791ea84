"""`headroom check`, as a user and as a fork's pull request runs it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Headroom = Callable[..., CompletedProcess[str]]
EXPIRED = """
exemptions:
  - {rule: headroom-kept, resource: "*", owner: "group:a@b.co", reason: it was needed then, expires: 2020-01-01}
"""


@pytest.fixture(autouse=True)
def policies(project: Path, root: Path) -> Path:
    folder = project / "policies"
    folder.mkdir()
    shutil.copy(root / "policies" / "settings.yaml", folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_clean_stack_passes_without_credentials_or_engine(project: Path) -> None:
    """Job 2: what a fork's pull request runs: nothing but Python, and nowhere to log in to."""
    command = Path(sys.executable).with_name("headroom")
    bare = {"PATH": str(project / "nothing"), "HOME": str(project), "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [command, "check", "-s", "dev"], cwd=project, env=bare, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 refused" in done.stdout.splitlines()[0]
    assert "\x1b" not in done.stdout


def test_a_promise_that_is_broken_is_refused_at_its_line(headroom: Headroom, project: Path) -> None:
    """Q2, Q5: the stack file is well formed, and what it asks for is not agreed."""
    path = project / "Pulumi.dev.yaml"
    edit(path, "h100: {gpus: {guarantee: 8, cap: 8}}", "h100: {gpus: {guarantee: 4, cap: 8}}")
    edit(path, "  headroom:quota:", "  headroom:quota:\n    experiments: {lend: true}")
    output = project / "check.json"
    done = headroom("check", "-s", "dev", "--format", "json", "--output", str(output))
    assert done.returncode == 1, done.stderr
    assert "refused" in done.stdout
    findings = json.loads(output.read_text())["findings"]
    broken = {each["rule"]: each for each in findings if each["outcome"] == "refused"}
    assert {"promises-are-kept", "headroom-never-lent"} <= broken.keys()
    rows = path.read_text().splitlines()
    kept, lent = broken["promises-are-kept"]["place"], broken["headroom-never-lent"]["place"]
    assert rows[kept["line"] - 1].strip() == "assistant-training:"
    assert rows[lent["line"] - 1].strip().startswith("experiments: {lend: true}")


def test_the_promises_of_the_target_branch_can_be_named(
    headroom: Headroom, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the record along with the stack file does not help (docs/decisions/0014)."""
    record = project / "quotas" / "dev.promises.json"
    shutil.copy(record, project / "base.json")
    edit(project / "Pulumi.dev.yaml", "gpus: {guarantee: 8, cap: 8}", "gpus: {guarantee: 0, cap: 8}")
    assert headroom("quota", "accept", "-s", "dev").returncode == 0
    monkeypatch.setenv("HEADROOM_PROMISES", str(project / "base.json"))
    done = headroom("check", "-s", "dev", "--format", "github")
    assert done.returncode == 1
    assert "title=promises-are-kept (refused)" in done.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("exemptions: [", "policies/settings.yaml: is not valid YAML"),
        ("levels: {headroom-keept: mandatory}", "names no rule; did you mean headroom-kept?"),
        (EXPIRED, "policies/settings.yaml: exemptions[0].expires: was 2020-01-01"),
    ],
)
def test_settings_that_are_wrong_judge_nothing(
    headroom: Headroom, policies: Path, settings: str, said: str
) -> None:
    (policies / "settings.yaml").write_text(settings)
    done = headroom("check", "-s", "dev")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_other_settings_can_be_named(headroom: Headroom, project: Path) -> None:
    assert headroom("check", "-s", "dev", "--settings", "gone.yaml").returncode == 2
    (project / "strict.yaml").write_text("headroom: {share: 0.8}")
    done = headroom("check", "-s", "dev", "--settings", "strict.yaml", "--format", "junit")
    assert done.returncode == 1
    assert 'name="headroom-kept"' in done.stdout


def test_a_stack_file_that_is_wrong_is_annotated_and_refused(headroom: Headroom, project: Path) -> None:
    path = project / "Pulumi.dev.yaml"
    edit(path, "a3-highgpu-8g", "a3-highgpu-9g")
    done = headroom("check", "-s", "dev", "--format", "github")
    assert done.returncode == 2
    (line,) = [n for n, row in enumerate(path.read_text().splitlines(), 1) if "a3-highgpu-9g" in row]
    assert f"::error file=Pulumi.dev.yaml,line={line},title=usable (refused)::" in done.stdout
    assert f"Pulumi.dev.yaml:{line}: headroom:pools.h100.machine: " in done.stderr
    assert "did you mean a3-highgpu-8g?" in done.stderr
    assert headroom("check", "-s", "dev").stderr == done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-s", "staging"), "the stacks here: dev, prod"),
        (("-s", "dev", "--format", "html"), "--format"),
        (("-s", "dev", "--preview", "gone.json"), "gone.json: cannot be read: No such file"),
        (("-s", "dev", "--preview", "prod.json"), "prod.json: is a preview of prod, not of dev"),
        (("-s", "dev", "--preview", "half.json"), "half.json: diagnostics[0]: is an error: no network"),
        (
            ("-s", "dev", "--preview", "Pulumi.yaml"),
            "Pulumi.yaml: is not what `pulumi preview --json` writes",
        ),
        (("-s", "dev", "--output", "gone/check.txt"), "gone/check.txt: cannot be written: No such file"),
    ],
)
def test_bad_arguments_end_with_2(
    headroom: Headroom, project: Path, arguments: tuple[str, ...], said: str
) -> None:
    step = {"op": "same", "urn": "urn:pulumi:prod::headroom::t::n"}
    (project / "prod.json").write_text(json.dumps({"steps": [step]}))
    failed = {"steps": [{"op": "same", "urn": "urn:pulumi:dev::headroom::t::n"}]}
    failed["diagnostics"] = [{"severity": "error", "message": "no network"}]
    (project / "half.json").write_text(json.dumps(failed))
    done = headroom("check", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_that_fails_is_refused_without_a_traceback(project: Path) -> None:
    code = (
        "import infra.stack\n"
        "def broken(plan): raise KeyError('gone')\n"
        "infra.stack.build = broken\n"
        "import sys; sys.argv = ['headroom', 'check', '-s', 'dev']\n"
        "from headroom.cli.main import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (
        "infra: ends before it has asked for everything: KeyError: 'gone'; `pulumi preview` shows"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
