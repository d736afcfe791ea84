"""Runs a command as a user would and says what it took, with all that it started."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

LAUNCHER = Path(__file__).with_name("launcher.py")


class BenchmarkError(RuntimeError):
    """A measured command that failed; the message ends with the last lines that it printed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took: seconds by the clock, seconds of processor time with those of its children, and
    the most memory that it or one of them held, in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure(command: list[str], folder: Path, environment: Mapping[str, str]) -> Usage:
    """Run `command` and return what it took. Raises BenchmarkError where it fails.

    Python may cache bytecode, as it does for users.
    """
    variables = {key: value for key, value in environment.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with TemporaryDirectory() as place:
        figures = Path(place) / "figures.json"
        launcher = [sys.executable, "-S", str(LAUNCHER), str(figures)]
        done = subprocess.run(
            [*launcher, *command],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode != 0:
            tail = done.stdout.splitlines()[-20:]
            raise BenchmarkError("\n".join([f"{' '.join(command)} failed:", *tail]))
        return Usage(**json.loads(figures.read_text(encoding="utf-8")))
