"""`headroom plan -s prod` against `xpk cluster create --dry-run`: whole processes, in turn."""

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.processes import BenchmarkError, Usage, measure
from benchmarks.report import Figure, Report
from sandbox.engine.cache import find_cache_folder, hold_lock

XPK = "xpk==1.16.0"
TARGET_RATIO = 0.5
TITLE = "headroom plan -s prod against xpk cluster create --dry-run (one cluster, one slice)"
XPK_ARGUMENTS = [
    *("cluster", "create", "--cluster", "bench", "--project", "acme-ml-prod", "--zone", "us-central1-a"),
    *("--tpu-type", "v5litepod-16", "--num-slices", "1", "--on-demand", "--dry-run", "--skip-validation"),
]
ROOT = Path(__file__).parents[1]

Progress = Callable[[str], None]


def run(quick: bool, progress: Progress) -> Report:
    """Measure both commands; skipped where xpk cannot be installed."""
    try:
        xpk = _install_xpk(progress)
    except BenchmarkError as error:
        return Report(TITLE, skipped=str(error))
    headroom = Path(sys.executable).with_name("headroom")
    commands = {"headroom": [str(headroom), "plan", "-s", "prod"], "xpk": [str(xpk), *XPK_ARGUMENTS]}
    repetitions = 5 if quick else 15
    found: dict[str, list[Usage]] = {name: [] for name in commands}
    for command in commands.values():
        measure(command, ROOT, os.environ)
    for repetition in range(repetitions):
        progress(f"plan command: round {repetition + 1} of {repetitions}")
        for name, command in commands.items():
            found[name].append(measure(command, ROOT, os.environ))
    return _report(found)


def _report(found: dict[str, list[Usage]]) -> Report:
    medians = {
        name: Usage(
            median(use.seconds for use in uses),
            median(use.cpu_seconds for use in uses),
            median(use.peak_mib for use in uses),
        )
        for name, uses in found.items()
    }
    rows = tuple((name, use.seconds, use.cpu_seconds, use.peak_mib) for name, use in medians.items())
    ours, theirs = medians["headroom"], medians["xpk"]
    figures = (
        Figure("time, of xpk's", ours.seconds / theirs.seconds, "", TARGET_RATIO),
        Figure("peak memory, of xpk's", ours.peak_mib / theirs.peak_mib, ""),
    )
    return Report(TITLE, ("command", "s", "processor s", "peak MiB"), rows, figures)


def _install_xpk(progress: Progress) -> Path:
    """The command, in an environment of its own in the cache. Raises BenchmarkError if it cannot be had."""
    folder = find_cache_folder() / "benchmarks" / XPK.replace("==", "-")
    command, done = folder / "bin" / "xpk", folder / ".done"
    with hold_lock(folder.with_name(folder.name + ".lock")):
        if done.is_file():
            return command
        progress(f"plan command: installing {XPK} into the cache (about a minute, once)")
        try:
            venv.create(folder, with_pip=True, clear=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run(
                [*pip, "--disable-pip-version-check", XPK], check=True, capture_output=True, timeout=300
            )
        except (OSError, subprocess.SubprocessError):
            raise BenchmarkError(f"{XPK} could not be installed; is the package index reachable?") from None
        done.touch()
    return command
