"""Builds programs from Go modules, once, into the cache; go.mod and go.sum fix the versions."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from sandbox.engine.cache import find_cache_folder, hold_lock
from sandbox.engine.errors import SandboxError

Progress = Callable[[str], None]

REPORT_EVERY_S = 10.0
MODULE_FILES = ("go.mod", "go.sum")


@dataclass(frozen=True)
class GoTool:
    """Programs that are built together from the go.mod in `folder`.

    `binaries` are packages by the name of the file made of them, `linker_flags` those of the Go linker,
    `minutes` what a first build takes on 2 cores. `copies` are files of modules that belong beside the
    binaries: (module, path in it). `version_call` are arguments with which the first binary prints `prints`.
    `shelf` is the folder of the cache. Where nothing can be built a person is told `need`, why it has to be,
    and `instead`, what could be installed in its place.
    """

    name: str
    title: str
    folder: Path
    binaries: Mapping[str, str]
    linker_flags: str
    minutes: int
    copies: tuple[tuple[str, str], ...] = ()
    version_call: tuple[str, ...] = ()
    prints: str = ""
    shelf: str = "tools"
    need: str = ""
    instead: str = ""


def load_requirement(folder: Path, module: str) -> str:
    """The version, such as `v3.259.0`, of the Go module in go.mod; `go` gives the Go version it needs."""
    text = (folder / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v?\d\S*)", text, re.MULTILINE)
    if found is None:
        place = "/".join(folder.parts[-3:])
        raise SandboxError(f"{place}/go.mod does not name {module}: restore the file from git")
    return found[1]


def find_built(tool: GoTool, go_version: str | None) -> Path | None:
    """The folder built earlier from the same files by the same Go; by any Go where `go_version` is None."""
    pattern = _build_key(tool, go_version or "*")
    for folder in sorted((find_cache_folder() / tool.shelf).glob(pattern)):
        if _is_complete(tool, folder):
            return folder
    return None


def find_go_version(folder: Path) -> str | None:
    """What the `go` on PATH is, such as `go1.26.8-linux-amd64`; None without one.

    The answer depends on the go.mod of `folder`: Go may switch to a newer toolchain for it.
    """
    if shutil.which("go") is None:
        return None
    command = ["go", "env", "GOVERSION", "GOOS", "GOARCH"]
    answer = subprocess.run(command, cwd=folder, env=go_environment(), capture_output=True, text=True)
    return "-".join(answer.stdout.split()) if answer.returncode == 0 else None


def require_go(tool: GoTool) -> str:
    """The version of the Go on PATH; raises SandboxError where there is none or it is too old."""
    needed = load_requirement(tool.folder, "go")
    version = find_go_version(tool.folder)
    if version is None:
        which = "too old or does not run" if shutil.which("go") else "not there"
        raise SandboxError(
            f"{tool.need or f'{tool.title} has to be there'}, and Go, to build it, is {which}. "
            f"Install {f'{tool.instead}, or ' if tool.instead else ''}Go {needed} or newer (https://go.dev/dl/)."
        )
    return version


def build_tool(tool: GoTool, progress: Progress) -> Path:
    """The folder with the tool's binaries, built now if need be; a second caller waits for the first.

    Raises SandboxError where Go is absent or too old, or where the build fails.
    """
    target = find_cache_folder() / tool.shelf / _build_key(tool, require_go(tool))
    waiting = f"another process is building {tool.title}; waiting for it"
    with hold_lock(target.with_name(target.name + ".lock"), lambda: progress(waiting)):
        if not _is_complete(tool, target):
            _build_into(tool, target, progress)
    return target


def find_module_folder(folder: Path, module: str) -> Path:
    """The folder of the source of `module` in the version that go.mod in `folder` names, fetched if need be.

    Raises SandboxError where there is no Go, or the module cannot be had.
    """
    if shutil.which("go") is None:
        raise SandboxError(f"Go is not there, to fetch {module} with: install Go (https://go.dev/dl/)")
    with tempfile.TemporaryDirectory() as name:
        # `go mod download` may add to go.sum: it works on copies.
        _copy_module_files(folder, Path(name))
        command = ["go", "mod", "download", "-json", f"{module}@{load_requirement(folder, module)}"]
        done = subprocess.run(command, cwd=name, env=go_environment(), capture_output=True, text=True)
    answer = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        cause = answer.get("Error") or done.stderr.strip() or "no answer"
        raise SandboxError(f"the module {module} could not be fetched: {cause}\n{_network_remedy()}.")
    return Path(answer["Dir"])


def go_environment() -> dict[str, str]:
    """The environment in which Go takes the versions of go.mod as they stand."""
    return {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}


def _build_key(tool: GoTool, go_version: str) -> str:
    parts = [(tool.folder / name).read_bytes() for name in MODULE_FILES]
    digest = hashlib.sha256(b"\0".join([*parts, tool.linker_flags.encode()])).hexdigest()[:16]
    return f"{tool.name}-{digest}-{go_version}"


def _is_complete(tool: GoTool, folder: Path) -> bool:
    return all((folder / name).is_file() for name in tool.binaries)


def _copy_module_files(source: Path, target: Path) -> None:
    for file in MODULE_FILES:
        shutil.copy(source / file, target / file)


def _build_into(tool: GoTool, target: Path, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as name:
        _copy_module_files(tool.folder, Path(name))
        run = _GoRun(tool, Path(name), progress, time.monotonic())
        minutes = f"{tool.minutes} minute{'s' if tool.minutes > 1 else ''}"
        progress(f"building {tool.title} from Go modules, once; about {minutes} on 2 cores")
        output = Path(name) / "out"
        for binary, package in tool.binaries.items():
            run.build(package, output / binary)
        for module, path in tool.copies:
            source = run.go(["list", "-m", "-f", "{{.Dir}}", module], "copying")
            (output / Path(path).name).write_bytes((Path(source[0]) / path).read_bytes())
        _check_version(tool, output)
        output.rename(target)
        first = next(iter(tool.binaries))
        progress(f"built {tool.title} in {_clock(run.started)}: {target / first}")


def _check_version(tool: GoTool, folder: Path) -> None:
    if not tool.version_call:
        return
    command = [str(folder / next(iter(tool.binaries))), *tool.version_call]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    said = done.stdout + done.stderr
    if tool.prints not in said:
        raise SandboxError(
            f"{tool.title} was built, but `{' '.join([Path(command[0]).name, *tool.version_call])}` does not "
            f"print {tool.prints!r}; it ended with {done.returncode}: {said.strip()[-400:] or 'no output'}"
        )


@dataclass(frozen=True)
class _GoRun:
    """Calls of `go` in the folder of one build; `started` is the build's beginning (time.monotonic)."""

    tool: GoTool
    folder: Path
    progress: Progress
    started: float

    def build(self, package: str, output: Path) -> None:
        """Build the package into the file `output`."""
        packages = self.go(["list", "-deps", package], "downloading")
        flags = ["-v", "-trimpath", "-ldflags", self.tool.linker_flags, "-o", str(output)]
        self.go(["build", *flags, package], "compiling", total=len(packages))

    def go(self, arguments: list[str], doing: str, total: int = 0) -> list[str]:
        """Lines that `go` printed; what it reports meanwhile on its standard error becomes progress."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
            process = subprocess.Popen(
                [shutil.which("go") or "go", *arguments],
                cwd=self.folder,
                env=go_environment(),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.PIPE,
                text=True,
            )
            with cast(IO[str], process.stderr) as reported:
                reports = _report(reported, self.progress, self.started, doing, total)
            if process.wait() != 0:
                raise SandboxError(_explain_failure(self.tool, arguments[0], reports))
            printed.seek(0)
            return printed.read().splitlines()


def _report(lines: Iterable[str], progress: Progress, started: float, doing: str, total: int) -> list[str]:
    seen: list[str] = []
    shown = time.monotonic()
    for line in lines:
        seen.append(line.strip())
        if time.monotonic() - shown >= REPORT_EVERY_S:
            shown = time.monotonic()
            count = f"{len(seen)} of {total} packages" if total else f"{len(seen)} modules"
            progress(f"{_clock(started)}  {doing} {count}: {seen[-1].removeprefix('go: downloading ')}")
    return seen


def _explain_failure(tool: GoTool, verb: str, reports: list[str]) -> str:
    last = "\n  ".join(reports[-5:]) or "no output"
    otherwise = f"; or install {tool.instead}." if tool.instead else "."
    return f"`go {verb}` failed while building {tool.title}:\n  {last}\n{_network_remedy()}{otherwise}"


def _network_remedy() -> str:
    return "If the network is the cause, set GOPROXY to a module proxy that this machine reaches"


def _clock(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes}:{seconds:02}"
