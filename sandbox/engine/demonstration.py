"""The steps of the demo in a sandbox made for it; each says whether it did what it claims."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from sandbox.engine.errors import SandboxError
from sandbox.engine.install import PulumiCli, locate_pulumi
from sandbox.engine.working_copy import copy_project
from sandbox.engine.workspace import Sandbox, find_project

ADDED_NODES = 4


class StepFailedError(Exception):
    """A step of the demo did not do what it claims."""


class InterruptedStepError(Exception):
    """Somebody interrupted the demo."""


@dataclass(frozen=True)
class Edit:
    """A change of one number in the stack file, the most nodes of a pool."""

    pool: str
    before: int
    after: int

    @property
    def setting(self) -> str:
        """The path that `config set --path` takes."""
        return f"headroom:pools.{self.pool}.nodes.max"


def plan_edit(config: Mapping[str, Any], stack: str) -> Edit:
    """The edit of the `config:` of a stack file: the first pool with `nodes` may have some more of them.

    Raises SandboxError where no pool has `nodes`.
    """
    for name, pool in config["headroom:pools"].items():
        if nodes := pool.get("nodes"):
            return Edit(name, nodes["max"], nodes["max"] + ADDED_NODES)
    raise SandboxError(
        f"no pool of Pulumi.{stack}.yaml has `nodes`, and the demo edits nodes.max: add such a pool"
    )


@dataclass(frozen=True)
class Demonstration:
    """The steps, in the order in which they are to be called; each raises StepFailedError where it fails."""

    sandbox: Sandbox
    cli: PulumiCli
    stack: str

    def bring_up(self) -> int:
        """Create everything; the number of resources that the state then holds."""
        self._run("up", "--yes", "--skip-preview")
        if not (resources := self._export()):
            raise StepFailedError("after the update the state holds no resources")
        return len(resources)

    def bring_up_again(self) -> None:
        """Update once more; the engine must find nothing to change."""
        self._run("up", "--yes", "--skip-preview", "--expect-no-changes")

    def edit_and_preview(self, edit: Edit) -> None:
        """Edit the copy of the stack file and show the diff, which must be that edit and replace nothing."""
        self._run("config", "set", "--path", edit.setting, str(edit.after))
        done = self.sandbox.capture(self.cli, ["preview", "--stack", self.stack, "--diff"])
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
        if done.returncode != 0:
            raise StepFailedError(f"the preview ended with exit code {done.returncode}:\n{done.stderr}")
        if f"{edit.before} => {edit.after}" not in done.stdout:
            raise StepFailedError(f"the diff does not show {edit.before} => {edit.after}")

    def audit(self, page: Path) -> list[str]:
        """Audit what is deployed against the stack file as it is now; errors and warnings, a line for each.

        `page` is the HTML file that the audit is written to.
        """
        page.parent.mkdir(parents=True, exist_ok=True)
        state = self.sandbox.state / "deployed.json"
        state.write_text(json.dumps(self._export_all()), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("headroom")), "audit", "--stack", self.stack, "--json"]
        done = subprocess.run(
            [*command, "--state", str(state), "--html", str(page)],
            cwd=self.sandbox.project,
            env=self.sandbox.environment_apart(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode not in (0, 1):
            raise StepFailedError(f"the audit ended with exit code {done.returncode}:\n{done.stderr}")
        found = json.loads(done.stdout)["findings"]
        return [f"{each['severity']} {each['message']}" for each in found if each["severity"] != "info"]

    def take_down(self) -> None:
        """Destroy everything; the state must hold no resource afterwards."""
        self._run("destroy", "--yes", "--skip-preview")
        if resources := self._export():
            raise StepFailedError(f"after the destroy the state still holds {len(resources)} resources")

    def list_left_over(self) -> list[tuple[str, str]]:
        """Type and name of what the imitation still holds: kept for good, or restorable for a time."""
        from sandbox.google.store import LEFT_OVER, SOFT_DELETED, Store

        store = Store(self.sandbox.cloud)
        try:
            found = [item for status in (LEFT_OVER, SOFT_DELETED) for item in store.objects(status=status)]
        finally:
            store.close()
        return [(item.type, item.id) for item in found]

    def _run(self, *arguments: str) -> None:
        stack = ("--stack", self.stack)
        code = self.sandbox.run(self.cli, [*arguments, *stack, "--non-interactive"])
        if code != 0:
            raise StepFailedError(f"`pulumi {arguments[0]}` ended with exit code {code}")

    def _export(self) -> list[dict]:
        return self._export_all()["deployment"].get("resources") or []

    def _export_all(self) -> dict[str, Any]:
        done = self.sandbox.capture(self.cli, ["stack", "export", "--stack", self.stack])
        if done.returncode != 0:
            raise StepFailedError(f"the state cannot be read: {done.stderr}")
        return json.loads(done.stdout)


@contextmanager
def interruptible() -> Generator[None]:
    """Raise InterruptedStepError where Ctrl-C ended what runs inside, also if that looks like a failure."""
    interrupts = []

    def note(number: int, _: FrameType | None) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield
    except (KeyboardInterrupt, StepFailedError, SandboxError):
        if interrupts:
            raise InterruptedStepError from None
        raise
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def open_demonstration(start: Path, stack: str, progress: Callable[[str], None]) -> Generator[Demonstration]:
    """A demonstration on a copy of the project that `start` lies in, deleted with its sandbox at the end."""
    project = find_project(start)
    cli = locate_pulumi(progress)
    with tempfile.TemporaryDirectory(prefix="headroom-demo-") as name:
        copy = copy_project(project, Path(name) / "project")
        yield Demonstration(Sandbox(copy, Path(name) / "state"), cli, stack)
