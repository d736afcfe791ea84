"""A sandbox of one project: its state folder, its working copy of the project, and the CLI run inside it."""

import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from sandbox.engine.arguments import Invocation, read_invocation, resolve_paths
from sandbox.engine.cache import find_state_folder, hold_lock, replace_file
from sandbox.engine.errors import SandboxError
from sandbox.engine.install import HANDOVER, HANDOVER_VARIABLE, LANGUAGE_HOST, PulumiCli
from sandbox.engine.secret_stand_ins import SecretStandIns
from sandbox.engine.stack_files import (
    find_ciphertexts,
    find_salt,
    find_stack_files,
    from_sandbox,
    is_readable,
    read_settings,
    split_provider,
    to_sandbox,
)
from sandbox.engine.working_copy import link_project

# The folder that holds the packages `sandbox` and `headroom`.
SOURCE_ROOT = Path(__file__).parents[2]
# Imitations of providers: the plugin's name, the distribution whose version it bears, the module to run.
IMITATIONS = (
    ("gcp", "pulumi-gcp", "sandbox.google"),
    ("kubernetes", "pulumi-kubernetes", "sandbox.kubernetes"),
)
# Marks a folder as a sandbox.
LOCK = "sandbox.lock"
# Names the stack where the arguments do not.
STACK_VARIABLE = "PULUMI_STACK"
# What reaches the sandbox although its name begins as those below; the second is for a lost cluster.
OWN_VARIABLES = (STACK_VARIABLE, "PULUMI_K8S_DELETE_UNREACHABLE")
# What must not reach the sandbox: another backend, another cloud, credentials of either.
FOREIGN_VARIABLES = (
    "PULUMI_",
    "GOOGLE_",
    "CLOUDSDK_",
    "GCLOUD_",
    "GCP_",
    "USE_APPLICATION_DEFAULT_CREDENTIALS",
    "AWS_",
    "AZURE_",
    "ARM_",
    "VAULT_",
    "KUBECONFIG",
)

# Pulumi saves its state after every step, which is most of the time that an update takes here. Where nothing
# will crash, once at the end does.
SAVING_VARIABLE = "HEADROOM_SANDBOX_SAVES"
SAVE_AT_THE_END = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}

# The imitation's time runs faster than Google's, so the program waits less for what is late.
RETRY_SCALE = "0.02"


@dataclass(frozen=True)
class Sandbox:
    """A sandbox: the project's folder in the repository, and the state folder that holds all it remembers."""

    project: Path
    state: Path

    @property
    def working_copy(self) -> Path:
        """The folder in which the CLI runs: links to the project's files, and copies of its stack files."""
        return self.state / "project"

    @property
    def cloud(self) -> Path:
        """The SQLite file that is the world of the imitation Google Cloud."""
        return self.state / "cloud.sqlite"

    @property
    def home(self) -> Path:
        """The folder that is PULUMI_HOME."""
        return self.state / "home"

    @property
    def _language_host(self) -> Path:
        return self.state / "bin" / LANGUAGE_HOST

    def run(self, cli: PulumiCli, arguments: list[str], folder: Path | None = None) -> int:
        """Run the CLI on this process's terminal and return its exit code.

        Files that the arguments name are relative to `folder` (the current one). Raises SandboxError for
        what the sandbox cannot do.
        """
        invocation = self.prepare(cli, arguments)
        before = self._read_copies()
        command = [str(cli.path), *resolve_paths(arguments, folder or Path.cwd())]
        code = _run_attached(command, self.working_copy, self.environment(cli))
        if invocation.edits_config:
            self._carry_back(before)
        return code

    def capture(self, cli: PulumiCli, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        """Run the CLI and return what it printed and its exit code; it cannot ask questions."""
        invocation = self.prepare(cli, arguments)
        before = self._read_copies()
        command = [str(cli.path), "--non-interactive", *resolve_paths(arguments, Path.cwd())]
        done = self._call(cli, command)
        if invocation.edits_config:
            self._carry_back(before)
        return done

    def prepare(self, cli: PulumiCli, arguments: list[str]) -> Invocation:
        """Bring the working copy up to date, and create the stack that the arguments name first.

        Raises SandboxError for a stack that is neither in the sandbox nor has a stack file.
        """
        invocation = read_invocation(arguments)
        with self._hold():
            self._lay_out(cli)
            stack = invocation.stack or os.environ.get(STACK_VARIABLE) or self._selected_stack()
            files = find_stack_files(self.project)
            if stack and invocation.needs_stack and stack not in files and not self._has_stack(stack):
                raise SandboxError(f"there is no stack file Pulumi.{stack}.yaml; {_name_stacks(files)}")
            for name, path in files.items():
                if name == stack or is_readable(path):
                    self._copy_stack_file(cli, name, path, complete=name == stack)
            if stack in files and not invocation.makes_stack and not self._has_stack(stack):
                self._create_stack(cli, stack)
                self._copy_stack_file(cli, stack, files[stack], complete=True)
        return invocation

    def environment(self, cli: PulumiCli) -> dict[str, str]:
        """The CLI's environment: local state, plugins of the sandbox only, else as `environment_apart`."""
        kept = self.environment_apart()
        folders = [str(cli.path.parent), kept.get("PATH", os.defpath)]
        if cli.language_host is None and cli.origin != "built":
            folders.insert(0, str(self._language_host.parent))
        return {
            **kept,
            "PATH": os.pathsep.join(folders),
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": (self.state / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.state / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "HEADROOM_CLOUD": str(self.cloud),
            "HEADROOM_RETRY_SCALE": kept.get("HEADROOM_RETRY_SCALE", RETRY_SCALE),
            HANDOVER_VARIABLE: str(self._language_host),
            **(SAVE_AT_THE_END if kept.get(SAVING_VARIABLE) == "at-end" else {}),
        }

    def environment_apart(self) -> dict[str, str]:
        """The current environment without what names credentials, backends or configurations of clouds.

        Google's libraries and gcloud are pointed to a folder of the sandbox that holds no credentials. What
        finds them in any other way, such as files in the home folder or a Google VM's metadata, still can.
        """
        kept = {
            key: value
            for key, value in os.environ.items()
            if key in OWN_VARIABLES or not key.startswith(FOREIGN_VARIABLES)
        }
        folder = self.state / "no-credentials"
        absent = folder / "application_default_credentials.json"
        return {**kept, "CLOUDSDK_CONFIG": str(folder), "GOOGLE_APPLICATION_CREDENTIALS": str(absent)}

    def make_folder(self) -> None:
        """Make the state folder, marked as a sandbox; raises SandboxError where it holds other things."""
        with self._hold():
            self.state.chmod(0o700)

    def list_stacks(self) -> list[str]:
        """Names of the stacks that exist in the sandbox."""
        folder = self.state / "backend" / ".pulumi" / "stacks"
        found = [*folder.glob("*/*.json"), *folder.glob("*/*.json.gz")]
        return sorted({path.name.removesuffix(".gz").removesuffix(".json") for path in found})

    def reset(self) -> None:
        """Forget everything: stacks, secrets and the imitation cloud. The project is not touched."""
        with self._hold():
            for path in self.state.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name != LOCK:
                    path.unlink()

    @contextmanager
    def _hold(self) -> Generator[None]:
        """Keep other processes out of the state folder, which must be new, empty or a sandbox already."""
        is_marked = not self.state.exists() or (self.state / LOCK).exists()
        if not is_marked and any(not path.name.startswith(self.cloud.name) for path in self.state.iterdir()):
            raise SandboxError(f"{self.state} holds other things: name an empty folder in HEADROOM_SANDBOX")
        with hold_lock(self.state / LOCK):
            yield

    def _lay_out(self, cli: PulumiCli) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)
        for folder in (self.state / "backend", self.home):
            folder.mkdir(exist_ok=True)
        if not (self.state / "passphrase").is_file():
            replace_file(self.state / "passphrase", secrets.token_hex(16), mode=0o600)
        link_project(self.project, self.working_copy)
        self._install_plugins(cli)

    def _install_plugins(self, cli: PulumiCli) -> None:
        for name, distribution, module in IMITATIONS:
            try:
                folder = self.home / "plugins" / f"resource-{name}-v{version(distribution)}"
            except PackageNotFoundError:
                continue
            replace_file(folder / f"pulumi-resource-{name}", _launcher(module), mode=0o755)
        if cli.language_host is None:
            text = _launcher("sandbox.engine.language_host", str(cli.exec_script))
            replace_file(self._language_host, text, mode=0o755)
        if cli.origin == "built":
            replace_file(cli.path.with_name(LANGUAGE_HOST), HANDOVER, mode=0o755)

    def _copy_stack_file(self, cli: PulumiCli, stack: str, path: Path, *, complete: bool) -> None:
        """Copy the stack file; where `complete`, with a stand-in in the place of each secret."""
        text = read_settings(path)
        copy = self._copy_of(stack)
        stand_ins = SecretStandIns(self.state / "secrets", stack)
        salt = find_salt(copy.read_text(encoding="utf-8")) if copy.is_file() else None
        if not self._has_stack(stack):
            # A stack gets its key when it is created; what an earlier one encrypted is of no use to it.
            salt = None
            stand_ins.forget()
        missing = stand_ins.find_missing(find_ciphertexts(text))
        if complete and missing and salt is not None:
            replace_file(copy, to_sandbox("", salt, {}))
            self._encrypt_stand_ins(cli, stack, stand_ins, missing)
        replace_file(copy, to_sandbox(text, salt, stand_ins.load()))

    def _encrypt_stand_ins(
        self, cli: PulumiCli, stack: str, stand_ins: SecretStandIns, missing: list[str]
    ) -> None:
        settings = [text for place in stand_ins.placeholders(len(missing)) for text in ("--secret", place)]
        self._require(cli, ["config", "set-all", "--stack", stack, *settings])
        encrypted = find_ciphertexts(self._copy_of(stack).read_text(encoding="utf-8"))
        stand_ins.add(dict(zip(missing, encrypted, strict=True)))

    def _create_stack(self, cli: PulumiCli, stack: str) -> None:
        self._require(cli, ["stack", "init", stack, "--secrets-provider", "passphrase", "--no-select"])

    def _require(self, cli: PulumiCli, arguments: list[str]) -> None:
        done = self._call(cli, [str(cli.path), "--non-interactive", *arguments])
        if done.returncode != 0:
            raise SandboxError(
                f"`pulumi {' '.join(arguments[:2])}` failed in the sandbox:\n{done.stderr.strip()}"
            )

    def _call(self, cli: PulumiCli, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.working_copy,
            env=self.environment(cli),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def _read_copies(self) -> dict[str, str]:
        return {
            stack: path.read_text(encoding="utf-8")
            for stack, path in find_stack_files(self.working_copy).items()
        }

    def _carry_back(self, before: Mapping[str, str]) -> None:
        """Write what a config command changed in the working copy to the project's stack files."""
        with self._hold():
            for stack, edited in self._read_copies().items():
                if edited != before.get(stack):
                    self._carry_back_stack(stack, edited, before.get(stack, ""))

    def _carry_back_stack(self, stack: str, edited: str, before: str) -> None:
        path = find_stack_files(self.project).get(stack, self.project / f"Pulumi.{stack}.yaml")
        original = read_settings(path) if path.is_file() else ""
        stand_ins = SecretStandIns(self.state / "secrets", stack)
        if own := [text for text in find_ciphertexts(edited) if text not in find_ciphertexts(before)]:
            self._accept_own_secrets(stack, original)
            stand_ins.add_own(own)
        replace_file(path, from_sandbox(edited, original, stand_ins.load()), mode=_mode_of(path))

    def _accept_own_secrets(self, stack: str, original: str) -> None:
        """Say what a secret that the sandbox encrypted is worth; refuse it where the file has a real key."""
        if split_provider(original)[1]:
            raise SandboxError(
                f"Pulumi.{stack}.yaml is as it was: its secrets are encrypted with another key, and what the "
                "sandbox encrypts only it can read. Set the secret with `pulumi config set --secret` "
                "outside the sandbox, where that key is at hand; in the sandbox a stand-in takes its place."
            )
        sys.stderr.write(
            f"note: only this sandbox can read the secret now in Pulumi.{stack}.yaml; set it anew with "
            "the real key before the first real update\n"
        )

    def _has_stack(self, stack: str) -> bool:
        folder = self.state / "backend" / ".pulumi" / "stacks" / self._project_name()
        return any((folder / f"{stack}{ending}").is_file() for ending in (".json", ".json.gz"))

    def _project_name(self) -> str:
        try:
            project = yaml.safe_load(read_settings(self.project / "Pulumi.yaml"))
        except yaml.YAMLError as error:
            raise SandboxError(f"{self.project / 'Pulumi.yaml'} is not valid YAML: {error}") from None
        if not isinstance(project, dict) or not isinstance(project.get("name"), str):
            raise SandboxError(f"{self.project / 'Pulumi.yaml'}: `name` is missing: give the project a name")
        return project["name"]

    def _selected_stack(self) -> str | None:
        for path in (self.home / "workspaces").glob("*.json"):
            if selected := json.loads(path.read_text(encoding="utf-8")).get("stack"):
                return selected.rsplit("/", 1)[-1]
        return None

    def _copy_of(self, stack: str) -> Path:
        return self.working_copy / f"Pulumi.{stack}.yaml"


def find_project(start: Path) -> Path:
    """The nearest folder with a Pulumi.yaml, from `start` upwards; raises SandboxError without one."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise SandboxError(f"no Pulumi.yaml in {start} or above it: change to the folder of the project")


def open_sandbox(start: Path) -> Sandbox:
    """The sandbox of the project that `start` lies in."""
    project = find_project(start)
    return Sandbox(project, find_state_folder(project))


def _launcher(module: str, *arguments: str) -> str:
    """A shell script that runs a module of this source tree in the interpreter that runs now."""
    command = shlex.join([sys.executable, "-P", "-m", module, *arguments])
    path = shlex.quote(str(SOURCE_ROOT))
    return f'#!/bin/sh\nPYTHONPATH={path}${{PYTHONPATH:+:$PYTHONPATH}} exec {command} "$@"\n'


def _name_stacks(files: Mapping[str, Path]) -> str:
    return f"the stacks here: {', '.join(files) or 'none'}"


def _mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.is_file() else 0o644


def _run_attached(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    """Run on this process's terminal; interrupts reach the command, whose end is awaited."""
    process = subprocess.Popen(command, cwd=folder, env=environment)
    previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                code = process.wait()
                return code if code >= 0 else 128 - code
            except KeyboardInterrupt:
                # The terminal sent the interrupt to the CLI as well, which ends the update in an orderly way.
                continue
    finally:
        signal.signal(signal.SIGTERM, previous)
