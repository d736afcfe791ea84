"""Sandboxes for tests through the real engine: a state folder of their own, the engine shared."""

import json
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sandbox.engine.install import PulumiCli, locate_pulumi
from sandbox.engine.working_copy import copy_project
from sandbox.engine.workspace import SAVING_VARIABLE, SOURCE_ROOT, Sandbox
from tests.e2e.risen_states import copy_state, make_once

if TYPE_CHECKING:
    from tests.e2e.outcomes import Outcome

PROJECT = {
    "name": "headroom",
    "main": "infra",
    "runtime": {"name": "python", "options": {"virtualenv": ".venv"}},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/e2e/"):
            item.add_marker(pytest.mark.e2e)


@dataclass(frozen=True)
class Update:
    """What the CLI said of an update, refresh or destroy."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = (line for line in self.stdout.splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    @property
    def changes(self) -> dict[str, int]:
        """Number of resources by operation: create, update, replace, delete, same."""
        summaries = [event["summaryEvent"] for event in self.events if "summaryEvent" in event]
        return summaries[-1].get("resourceChanges") or {}

    @property
    def errors(self) -> list[str]:
        found = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return [each["message"] for each in found if each["severity"] == "error"]

    def require_success(self) -> "Update":
        assert self.exit_code == 0, "\n".join(self.errors) or self.stderr or self.stdout
        return self


@dataclass(frozen=True)
class Preview:
    """What the CLI said of a preview."""

    exit_code: int
    report: dict[str, Any]
    stderr: str

    @property
    def changes(self) -> dict[str, int]:
        return self.report.get("changeSummary") or {}

    @property
    def steps(self) -> dict[str, str]:
        """Operation by URN, for the resources that change."""
        return {step["urn"]: step["op"] for step in self.report.get("steps", []) if step["op"] != "same"}

    @property
    def errors(self) -> list[str]:
        return [each["message"] for each in self.report.get("diagnostics", []) if each["severity"] == "error"]

    def require_success(self) -> "Preview":
        assert self.exit_code == 0, "\n".join(self.errors) or self.stderr
        return self


@dataclass(frozen=True)
class EngineSandbox:
    """A project that a test may edit, in a sandbox of its own."""

    sandbox: Sandbox
    cli: PulumiCli

    @property
    def project(self) -> Path:
        return self.sandbox.project

    def pulumi(self, *arguments: str) -> CompletedProcess[str]:
        return self.sandbox.capture(self.cli, list(arguments))

    def up(self, stack: str, *options: str) -> Update:
        return self._update("up", stack, "--skip-preview", *options)

    def refresh(self, stack: str, *options: str) -> Update:
        return self._update("refresh", stack, "--skip-preview", *options)

    def destroy(self, stack: str, *options: str) -> Update:
        return self._update("destroy", stack, "--skip-preview", *options)

    def preview(self, stack: str, *options: str) -> Preview:
        done = self.pulumi("preview", "--stack", stack, "--json", *options)
        report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        return Preview(done.returncode, report, done.stderr)

    def export(self, stack: str) -> list[dict[str, Any]]:
        """The resources in the stack's state."""
        done = self.pulumi("stack", "export", "--stack", stack)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["deployment"].get("resources") or []

    def outputs(self, stack: str, *options: str) -> dict[str, Any]:
        done = self.pulumi("stack", "output", "--stack", stack, "--json", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def edit_stack_file(self, stack: str, edit: Callable[[dict[str, Any]], None]) -> None:
        """Change the settings (`config`) of the project's stack file."""
        path = self.project / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text()) if path.exists() else {"config": {}}
        edit(content["config"])
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def _update(self, command: str, stack: str, *options: str) -> Update:
        done = self.pulumi(command, "--stack", stack, "--yes", "--json", *options)
        return Update(done.returncode, done.stdout, done.stderr)


Risen = Callable[[str], EngineSandbox]


@pytest.fixture(scope="package", autouse=True)
def save_state_once() -> Generator[None]:
    """Half the time of an update. Also one that fails, or whose provider dies, saves in the end what it would
    have saved step by step; only a killed engine leaves less, and its tests take `save_every_step`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SAVING_VARIABLE, "at-end")
        yield


@pytest.fixture
def save_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save as Pulumi does where nobody says otherwise."""
    monkeypatch.delenv(SAVING_VARIABLE)


@pytest.fixture(scope="session")
def pulumi_cli() -> PulumiCli:
    return locate_pulumi(lambda line: print(line, file=sys.stderr))


@pytest.fixture
def platform(tmp_path: Path, pulumi_cli: PulumiCli) -> EngineSandbox:
    """This project, with copies of its stack files, in an empty sandbox."""
    project = copy_project(SOURCE_ROOT, tmp_path / "project")
    return EngineSandbox(Sandbox(project, tmp_path / "state"), pulumi_cli)


@pytest.fixture(scope="session")
def risen_states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the states of stacks that are up are kept, by all workers together."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "risen"


@pytest.fixture
def risen(platform: EngineSandbox, risen_states: Path, pulumi_cli: PulumiCli) -> Risen:
    """Gives the sandbox of `platform` with a stack of this project up; one `up` serves all tests."""

    def give(stack: str) -> EngineSandbox:
        def bring_up(folder: Path) -> None:
            project = copy_project(SOURCE_ROOT, folder / "project")
            EngineSandbox(Sandbox(project, folder / "state"), pulumi_cli).up(stack).require_success()

        copy_state(make_once(risen_states / stack, bring_up) / "state", platform.sandbox.state)
        return platform

    return give


@pytest.fixture(scope="package")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, pulumi_cli: PulumiCli) -> "Outcome":
    """Where an `up` of stacks/one-of-each.yaml ends when nothing goes wrong."""
    from tests.e2e.outcomes import observe, use_one_of_each

    folder = tmp_path_factory.mktemp("undisturbed")
    project = copy_project(SOURCE_ROOT, folder / "project")
    platform = EngineSandbox(Sandbox(project, folder / "state"), pulumi_cli)
    use_one_of_each(platform)
    platform.up("dev").require_success()
    return observe(platform, "dev")


@pytest.fixture
def make_project(tmp_path: Path, pulumi_cli: PulumiCli) -> Callable[..., EngineSandbox]:
    """Makes a small project from the text of its program and of its stack files, in an empty sandbox."""

    def make(program: str, name: str = "small", **stack_files: str) -> EngineSandbox:
        project = tmp_path / name / "project"
        (project / "infra").mkdir(parents=True)
        (project / "Pulumi.yaml").write_text(yaml.safe_dump(PROJECT))
        (project / "infra" / "__main__.py").write_text(program)
        (project / ".venv").symlink_to(Path(sys.prefix))
        for stack, text in stack_files.items():
            (project / f"Pulumi.{stack}.yaml").write_text(text)
        return EngineSandbox(Sandbox(project, tmp_path / name / "state"), pulumi_cli)

    return make
