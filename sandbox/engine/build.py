"""Builds the Pulumi CLI from Go modules, once, into the cache; go.mod and go.sum fix the versions."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, cast

from sandbox.engine.cache import find_cache_folder, hold_lock
from sandbox.engine.errors import SandboxError

Progress = Callable[[str], None]

MODULE_FOLDER = Path(__file__).parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK_MODULE}/go/common/version.Version"
EXEC_SCRIPT = "pulumi-language-python-exec"
REPORT_EVERY_S = 10.0


def load_requirement(module: str) -> str:
    """The version, such as `v3.259.0`, of the Go module in go.mod; `go` gives the Go version it needs."""
    text = (MODULE_FOLDER / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (\S+)", text, re.MULTILINE)
    if found is None:
        raise SandboxError(f"sandbox/engine/go.mod does not name {module}: restore the file from git")
    return found[1]


def linker_flags() -> str:
    """Flags of the Go linker: no debugging tables, and the version that the CLI reports."""
    return f"-s -w -X {VERSION_VARIABLE}={load_requirement(SDK_MODULE)}"


def find_built_cli(go_version: str | None) -> Path | None:
    """The CLI built earlier from the same files by the same Go; by any Go where `go_version` is None."""
    pattern = _build_key(go_version or "*")
    for folder in sorted((find_cache_folder() / "engine").glob(pattern)):
        if (folder / "pulumi").is_file():
            return folder / "pulumi"
    return None


def find_go_version() -> str | None:
    """What the `go` on PATH is, such as `go1.26.8-linux-amd64`; None without one."""
    if shutil.which("go") is None:
        return None
    command = ["go", "env", "GOVERSION", "GOOS", "GOARCH"]
    # The answer depends on the go.mod of the folder: Go may switch to a newer toolchain for it.
    answer = subprocess.run(command, cwd=MODULE_FOLDER, env=_go_environment(), capture_output=True, text=True)
    return "-".join(answer.stdout.split()) if answer.returncode == 0 else None


def build_cli(progress: Progress) -> Path:
    """Build the CLI, with the language executor beside it, and return its path; a second caller waits.

    Raises SandboxError where Go is absent or too old, or where the build fails.
    """
    go_version = require_go()
    target = find_cache_folder() / "engine" / _build_key(go_version)
    waiting = "another process is building the Pulumi CLI; waiting for it"
    with hold_lock(target.with_name(target.name + ".lock"), lambda: progress(waiting)):
        if not (target / "pulumi").is_file():
            _build_into(target, progress)
    return target / "pulumi"


def require_go() -> str:
    """The version of the Go on PATH; raises SandboxError where there is none or it is too old."""
    needed = load_requirement("go")
    version = find_go_version()
    if version is None:
        which = "too old or does not run" if shutil.which("go") else "not there"
        raise SandboxError(
            "the sandbox needs the Pulumi CLI: there is no usable `pulumi` on PATH, none could be fetched, "
            f"and Go, to build it, is {which}. Install Pulumi {load_requirement(SDK_MODULE)} or newer "
            f"(https://www.pulumi.com/docs/install/), or Go {needed} or newer (https://go.dev/dl/)."
        )
    return version


def _build_key(go_version: str) -> str:
    parts = [(MODULE_FOLDER / name).read_bytes() for name in ("go.mod", "go.sum")]
    digest = hashlib.sha256(b"\0".join([*parts, linker_flags().encode()])).hexdigest()[:16]
    return f"pulumi-{digest}-{go_version}"


def _go_environment() -> dict[str, str]:
    return {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}


def _build_into(target: Path, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as name:
        folder = Path(name)
        for file in ("go.mod", "go.sum"):
            shutil.copy(MODULE_FOLDER / file, folder / file)
        started = time.monotonic()
        version = load_requirement(SDK_MODULE)
        progress(f"building the Pulumi CLI {version} from Go modules, once; about 4 minutes on 2 cores")
        packages = _run_go(["list", "-deps", PACKAGE], folder, progress, started, "downloading")
        output = folder / "out"
        command = [
            "build",
            "-v",
            "-trimpath",
            "-ldflags",
            linker_flags(),
            "-o",
            str(output / "pulumi"),
            PACKAGE,
        ]
        _run_go(command, folder, progress, started, "compiling", total=len(packages))
        sdk = _run_go(["list", "-m", "-f", "{{.Dir}}", SDK_MODULE], folder, progress, started, "copying")
        script = Path(sdk[0]) / "python" / "cmd" / EXEC_SCRIPT
        (output / EXEC_SCRIPT).write_bytes(script.read_bytes())
        output.rename(target)
        progress(f"built the Pulumi CLI in {_clock(started)}: {target / 'pulumi'}")


def _run_go(
    arguments: list[str], folder: Path, progress: Progress, started: float, doing: str, total: int = 0
) -> list[str]:
    """Lines that `go` printed; what it reports meanwhile on its standard error becomes progress."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(
            [shutil.which("go") or "go", *arguments],
            cwd=folder,
            env=_go_environment(),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
        )
        with cast(IO[str], process.stderr) as reported:
            reports = _report(reported, progress, started, doing, total)
        if process.wait() != 0:
            raise SandboxError(_explain_failure(arguments[0], reports))
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


def _explain_failure(verb: str, reports: list[str]) -> str:
    last = "\n  ".join(reports[-5:]) or "no output"
    return (
        f"`go {verb}` failed while building the Pulumi CLI:\n  {last}\n"
        "If the network is the cause, set GOPROXY to a module proxy that this machine reaches; "
        f"or install Pulumi {load_requirement(SDK_MODULE)} or newer (https://www.pulumi.com/docs/install/)."
    )


def _clock(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes}:{seconds:02}"
