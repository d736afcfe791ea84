"""`headroom sandbox` and `headroom demo` without an engine."""

import contextlib
import shutil
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from headroom.cli.main import app
from headroom.spec.errors import StackFileError
from sandbox.engine import demonstration, install
from sandbox.engine.demonstration import (
    Demonstration,
    Edit,
    InterruptedStepError,
    StepFailedError,
    interruptible,
    plan_edit,
)
from sandbox.engine.errors import SandboxError
from sandbox.engine.workspace import SOURCE_ROOT, Sandbox


@pytest.fixture
def run(project, tmp_path, monkeypatch):
    monkeypatch.chdir(project / "infra")
    monkeypatch.setenv("HEADROOM_SANDBOX", str(tmp_path / "state"))
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)


@pytest.fixture
def located(built_cli, monkeypatch):
    monkeypatch.setattr(install, "locate_pulumi", lambda progress: built_cli)
    return built_cli


def test_help_shows_examples_that_name_the_stack(run):
    result = run("sandbox", "pulumi", "--help")
    assert result.exit_code == 0
    assert "headroom sandbox pulumi -- up -s dev --yes" in result.stdout


def test_path_is_the_state_folder(run, tmp_path):
    assert run("sandbox", "path").stdout == f"{tmp_path / 'state'}\n"


def test_engine_is_shown_with_its_origin(run, located):
    stdout = run("sandbox", "engine").stdout
    assert str(located.path) in stdout
    assert "origin: built" in stdout


def test_exit_code_of_pulumi_is_that_of_the_command(run, located):
    assert run("sandbox", "pulumi", "--", "about").exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-C", "elsewhere", "up"), "-C does not work in the sandbox"),
        (("up", "--config-file=x"), "--config-file"),
        (("up", "-yC/real"), "-C does not work in the sandbox"),
        (("up", "-s", "nope"), "there is no stack file Pulumi.nope.yaml; the stacks here: dev, prod"),
    ],
)
def test_what_the_sandbox_refuses_is_one_message_and_exit_code_2(run, located, arguments, message):
    result = run("sandbox", "pulumi", "--", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_command_outside_a_project_is_one_message_and_exit_code_2(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("sandbox", "path")
    assert result.exit_code == 2
    assert "no Pulumi.yaml" in result.stderr


def test_state_folder_that_cannot_be_written_is_one_message_and_exit_code_2(run, located, monkeypatch):
    monkeypatch.setenv("HEADROOM_SANDBOX", "/dev/null/state")
    result = run("sandbox", "pulumi", "--", "about")
    assert result.exit_code == 2
    assert "/dev/null" in result.stderr
    assert "HEADROOM_SANDBOX" in result.stderr
    assert "HEADROOM_CACHE" in result.stderr
    assert "make room" not in result.stderr


def test_reset_asks_first_and_says_what_goes(run, located, tmp_path):
    assert "there is no sandbox" in run("sandbox", "reset").stdout
    run("sandbox", "pulumi", "--", "about")
    declined = run("sandbox", "reset", input="n\n")
    assert declined.exit_code == 1
    assert str(tmp_path / "state") in declined.stdout
    assert (tmp_path / "state" / "passphrase").exists()
    assert run("sandbox", "reset", "--yes").exit_code == 0
    assert not (tmp_path / "state" / "passphrase").exists()


def test_import_of_the_command_loads_neither_pulumi_nor_grpc():
    program = (
        "import sys, headroom.cli.sandbox, headroom.cli.demo; "
        "print([each for each in ('pulumi', 'grpc', 'rich.console', 'yaml') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def platform_file(project):
    """The stack file that the repository comes with, in the project."""
    path = project / "Pulumi.dev.yaml"
    for name in (path.name, "baselines.yaml"):
        shutil.copy(SOURCE_ROOT / name, project / name)
    return path


def test_demo_speaks_before_it_looks_for_the_engine_and_fails_without_one(run, platform_file, monkeypatch):
    def refuse(progress):
        raise SandboxError("no engine")

    monkeypatch.setattr(demonstration, "locate_pulumi", refuse)
    result = run("demo")
    assert result.stdout.startswith("headroom demo")
    assert result.exit_code == 2
    assert "no engine" in result.stderr


def test_demo_whose_first_step_fails_ends_with_exit_code_1(run, platform_file, built_cli, monkeypatch):
    monkeypatch.setattr(demonstration, "locate_pulumi", lambda progress: built_cli)
    built_cli.path.write_text("#!/bin/sh\ncase \"$*\" in *'stack init'*) exit 0;; esac\nexit 255\n")
    result = run("demo")
    assert result.exit_code == 1
    assert "`pulumi up` ended with exit code 255" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n2-standard-16", "n2-standard-17", "headroom:pools.cpu.machine"),
        ("headroom:pools:", "headroom:pols:", "headroom:pols"),
        ("config:", "config: [", "Pulumi.dev.yaml"),
    ],
)
def test_demo_says_what_is_wrong_with_the_stack_file_before_any_step(
    run, platform_file, located, monkeypatch, old, new, message
):
    platform_file.write_text(platform_file.read_text().replace(old, new))
    result = run("demo")
    assert isinstance(result.exception, StackFileError)
    assert message in str(result.exception)
    assert "1. Bring" not in result.stdout


def test_demo_without_its_stack_file_says_which_stacks_there_are(run, platform_file):
    platform_file.unlink()
    result = run("demo")
    assert isinstance(result.exception, StackFileError)
    assert "the stacks here: prod" in str(result.exception)


def test_demo_edits_the_first_pool_that_has_nodes_whatever_its_name():
    pools = {"v5e": {"slices": {"max": 3}}, "l4": {"nodes": {"max": 4}}, "cpu": {"nodes": {"max": 12}}}
    edit = plan_edit({"headroom:pools": pools}, "dev")
    assert (edit.pool, edit.before, edit.after) == ("l4", 4, 8)
    assert edit.setting == "headroom:pools.l4.nodes.max"
    with pytest.raises(SandboxError, match="has `nodes`"):
        plan_edit({"headroom:pools": {"v5e": pools["v5e"]}}, "dev")


def test_demo_that_is_interrupted_says_so_and_not_that_it_failed(run, platform_file, monkeypatch):
    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(demonstration, "locate_pulumi", interrupt)
    result = run("demo")
    assert result.exit_code == 130
    assert "interrupted; nothing is left behind" in result.stdout
    assert "failed" not in result.output


def test_step_that_fails_because_of_an_interrupt_counts_as_interrupted():
    def fail(*, interrupted):
        with interruptible():
            with contextlib.suppress(KeyboardInterrupt):
                if interrupted:
                    signal.raise_signal(signal.SIGINT)
            raise StepFailedError("`pulumi up` ended with exit code 255")

    with pytest.raises(InterruptedStepError):
        fail(interrupted=True)
    with pytest.raises(StepFailedError):
        fail(interrupted=False)


class Recorded:
    """A sandbox whose CLI prints what it is told to."""

    def __init__(self, project, stdout="", code=0):
        self.project, self.stdout, self.code = project, stdout, code

    def run(self, cli, arguments):
        return self.code

    def capture(self, cli, arguments):
        return subprocess.CompletedProcess(arguments, self.code, self.stdout, "")


EDIT = Edit("cpu", 12, 16)
EMPTY_STATE = '{"deployment": {}}'
FULL_STATE = '{"deployment": {"resources": [{}, {}]}}'


def test_step_that_does_not_do_what_it_says_fails(project, built_cli):
    def steps(**recorded):
        return Demonstration(Recorded(project, **recorded), built_cli, "dev")

    assert steps(stdout=FULL_STATE).bring_up() == 2
    steps(stdout=EMPTY_STATE).take_down()
    steps(stdout="max: 12 => 16").edit_and_preview(EDIT)
    with pytest.raises(StepFailedError, match="no resources"):
        steps(stdout=EMPTY_STATE).bring_up()
    with pytest.raises(StepFailedError, match="still holds 2"):
        steps(stdout=FULL_STATE).take_down()
    with pytest.raises(StepFailedError, match="12 => 16"):
        steps(stdout="no changes").edit_and_preview(EDIT)
    with pytest.raises(StepFailedError, match="exit code 255"):
        steps(code=255).bring_up_again()


def test_demonstration_never_touches_the_project_and_is_deleted(project, built_cli, monkeypatch):
    monkeypatch.setattr(demonstration, "locate_pulumi", lambda progress: built_cli)
    before = {path: path.read_text() for path in project.glob("Pulumi*")}
    with demonstration.open_demonstration(project, "dev", print) as opened:
        assert isinstance(opened.sandbox, Sandbox)
        (opened.sandbox.project / "Pulumi.dev.yaml").write_text("config: {}\n")
        folder = opened.sandbox.project.parent
    assert {path: path.read_text() for path in project.glob("Pulumi*")} == before
    assert not folder.exists()
