"""Finds the Pulumi CLI: the one on PATH, an official install, or one built from Go modules."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.engine.build import EXEC_SCRIPT, Progress, build_cli, find_built_cli, find_go_version
from sandbox.engine.cache import find_cache_folder, hold_lock

Origin = Literal["PATH", "official", "built"]

# The oldest engine that the program was run with.
MINIMUM_VERSION = (3, 259, 0)
LANGUAGE_HOST = "pulumi-language-python"
# The CLI warns of a host that it finds on PATH but not beside itself. So this file is put beside a CLI that
# was built, and hands over to the host of the sandbox that runs it.
HANDOVER_VARIABLE = "HEADROOM_LANGUAGE_HOST"
HANDOVER = f'#!/bin/sh\nexec "${{{HANDOVER_VARIABLE}:?is not set: run headroom sandbox pulumi}}" "$@"\n'
INSTALLER = "https://get.pulumi.com/install.sh"
REACH_TIMEOUT_S = 4.0
INSTALL_TIMEOUT_S = 300.0
INSTALL_PROGRAM = (
    "import sys; from pulumi.automation import PulumiCommand; PulumiCommand.install(root=sys.argv[1])"
)


@dataclass(frozen=True)
class PulumiCli:
    """A Pulumi CLI that can run: its path, its version such as `3.259.0`, and where it came from.

    `language_host` is the official Python host that came with it. Where that is None, the sandbox's own host
    runs the program through `exec_script`.
    """

    path: Path
    version: str
    origin: Origin
    language_host: Path | None
    exec_script: Path | None


def locate_pulumi(progress: Progress) -> PulumiCli:
    """The CLI to use, installed or built now if need be; `progress` gets lines for a person to read.

    Raises SandboxError where there is none and none can be built.
    """
    return find_pulumi() or install_official(progress) or _require_usable(build_cli(progress), "built")


def find_pulumi() -> PulumiCli | None:
    """The CLI that is there already: on PATH, or in the cache, official or built."""
    candidates: list[tuple[str | Path | None, Origin]] = [
        (shutil.which("pulumi"), "PATH"),
        (_official_folder() / "bin" / "pulumi", "official"),
    ]
    for path, origin in candidates:
        if path is not None and (cli := read_cli(Path(path), origin)) is not None:
            return cli
    built = find_built_cli(find_go_version())
    return read_cli(built, "built") if built else None


def read_cli(path: Path, origin: Origin) -> PulumiCli | None:
    """What the file `path` is, or None if it does not run, is too old, or can run no Python program."""
    version = _read_version(path)
    if version is None or version < MINIMUM_VERSION:
        return None
    host = _find_official_host(path)
    script = _find_companion(path, EXEC_SCRIPT)
    if host is None and script is None:
        return None
    return PulumiCli(path, ".".join(map(str, version)), origin, host, script)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The numbers of what `pulumi version` prints, such as `v3.259.0` or `v3.260.0-dev.1`."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def install_official(progress: Progress, can_reach: Callable[[], bool] | None = None) -> PulumiCli | None:
    """The official release of the SDK's version, fetched into the cache; None where it cannot be had."""
    if not (can_reach or _can_reach_installer)():
        return None
    target = _official_folder()
    with hold_lock(target.with_name(target.name + ".lock")):
        cli = read_cli(target / "bin" / "pulumi", "official")
        if cli is not None:
            return cli
        progress("fetching the official Pulumi CLI")
        if not _fetch_official(target):
            progress("the official Pulumi CLI could not be fetched")
    return read_cli(target / "bin" / "pulumi", "official")


def _fetch_official(target: Path) -> bool:
    with tempfile.TemporaryDirectory(prefix=".install-", dir=target.parent) as name:
        root = Path(name) / "root"
        command = [sys.executable, "-c", INSTALL_PROGRAM, str(root)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        shutil.rmtree(target, ignore_errors=True)
        root.rename(target)
    return True


def _can_reach_installer() -> bool:
    """Whether the installer's server answers; looking up its name counts towards the time it has."""
    answers: list[int] = []

    def ask() -> None:
        with (
            contextlib.suppress(urllib.error.URLError, OSError, ValueError),
            urllib.request.urlopen(INSTALLER, timeout=REACH_TIMEOUT_S) as answer,
        ):
            answers.append(answer.status)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(REACH_TIMEOUT_S)
    return answers == [200]


def _official_folder() -> Path:
    from importlib.metadata import version

    return find_cache_folder() / "engine" / f"official-{version('pulumi')}"


def _read_version(path: Path) -> tuple[int, int, int] | None:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(path), "version"], env=environment, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_version(answer.stdout)


def _find_companion(cli: Path, name: str) -> Path | None:
    """The file `name` beside the CLI, symbolic links followed, else on PATH."""
    beside = cli.resolve().parent / name
    if beside.is_file():
        return beside
    found = shutil.which(name)
    return Path(found) if found else None


def _find_official_host(cli: Path) -> Path | None:
    host = _find_companion(cli, LANGUAGE_HOST)
    return None if host is None or host.read_bytes() == HANDOVER.encode() else host


def _require_usable(path: Path, origin: Origin) -> PulumiCli:
    from sandbox.engine.errors import SandboxError

    cli = read_cli(path, origin)
    if cli is None:
        raise SandboxError(
            f"the Pulumi CLI at {path} does not run: delete the folder {path.parent} and try again"
        )
    return cli
