"""A preview of the program against one of a bare program that registers the same resources.

Both run on the real engine and the same sandbox, in turn, for stacks of several sizes.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import yaml

from benchmarks.growth import Growth, measure_growth
from benchmarks.processes import BenchmarkError, measure
from benchmarks.recording import STACK
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_pools_config

if TYPE_CHECKING:
    from sandbox.engine.install import PulumiCli
    from sandbox.engine.workspace import Sandbox

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
SIZES = (50, 200, 500, 1_000, 2_000)
QUICK_SIZES = (50, 150, 300)
REPETITIONS = 3
PROJECT = {
    "name": "headroom",
    "main": "infra",
    "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}},
}
TITLE = "Preview of the program against a bare program that registers the same resources"
COLUMNS = ("pools", "program", "preview s", "processor s", "program's processor s", "program's peak MiB")
TARGET_SLOPE, TARGET_EXPONENT, TARGET_FIXED_SECONDS = 1.10, 1.1, 0.5

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One preview: seconds by the clock, processor seconds of CLI, engine, provider and program together,
    and processor seconds and peak memory of the program alone."""

    seconds: float
    cpu_seconds: float
    program_cpu_seconds: float
    program_peak_mib: float


@dataclass(frozen=True, slots=True)
class Subject:
    """A sandbox for stacks of one size, and the two programs to run in it."""

    pools: int
    resources: int
    sandbox: "Sandbox"
    programs: dict[str, Path]


def run(quick: bool, progress: Progress) -> Report:
    """Measure both programs at every size."""
    from sandbox.engine.install import locate_pulumi

    sizes = QUICK_SIZES if quick else SIZES
    cli = locate_pulumi(progress)
    found: dict[tuple[str, int], list[Sample]] = {}
    with TemporaryDirectory(prefix="headroom-bench-") as folder:
        subjects = [_prepare(Path(folder) / str(size), size, cli, progress) for size in sizes]
        for repetition in range(1 if quick else REPETITIONS):
            for subject in subjects:
                # The order alternates, so that neither always comes second.
                for name in sorted(subject.programs, reverse=bool(repetition % 2)):
                    sample = _preview(subject, name, cli)
                    found.setdefault((name, subject.pools), []).append(sample)
                    progress(f"preview: {subject.pools:,} pools, {name}: {sample.seconds:.1f} s")
    counts = {subject.pools: subject.resources for subject in subjects}
    return summarize({key: _median(samples) for key, samples in found.items()}, counts)


def summarize(medians: dict[tuple[str, int], Sample], resources: dict[int, int]) -> Report:
    """Return the report of the samples by program ("program" or "bare") and pools; `resources` by pools."""
    rows = tuple(
        (
            f"{pools:,}",
            name,
            sample.seconds,
            sample.cpu_seconds,
            sample.program_cpu_seconds,
            sample.program_peak_mib,
        )
        for (name, pools), sample in sorted(medians.items(), key=lambda item: item[0][1])
    )
    growths = {
        (name, kind): _growth(medians, resources, name, kind)
        for name in ("program", "bare")
        for kind in ("seconds", "cpu_seconds", "program_cpu_seconds")
    }
    figures = [
        figure
        for kind, label in (
            ("program_cpu_seconds", "processor time of the program"),
            ("cpu_seconds", "processor time of the whole preview"),
            ("seconds", "time of the whole preview"),
        )
        for figure in _figures(label, growths["program", kind], growths["bare", kind])
    ]
    return Report(TITLE, COLUMNS, rows, tuple(figures))


def _figures(label: str, program: Growth, bare: Growth) -> tuple[Figure, ...]:
    return (
        Figure(f"{label}: for each resource", program.slope * 1000, "ms"),
        Figure(f"{label}: the same, of the bare one's", program.slope / bare.slope, "", TARGET_SLOPE),
        Figure(f"{label}: growth exponent", program.exponent, "", TARGET_EXPONENT),
        Figure(f"{label}: growth exponent of the bare one", bare.exponent, ""),
        Figure(f"{label}: fixed, above the bare one", program.fixed - bare.fixed, "s", TARGET_FIXED_SECONDS),
    )


def _growth(
    medians: dict[tuple[str, int], Sample], resources: dict[int, int], name: str, kind: str
) -> Growth:
    return measure_growth({count: getattr(medians[name, pools], kind) for pools, count in resources.items()})


def _prepare(folder: Path, pools: int, cli: "PulumiCli", progress: Progress) -> Subject:
    from sandbox.engine.workspace import Sandbox

    progress(f"preview: {pools:,} pools, recording what the program registers")
    project = folder / "project"
    (project / "infra").mkdir(parents=True)
    config = build_pools_config(pools)
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(PROJECT), encoding="utf-8")
    (project / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    (project / ".venv").symlink_to(sys.prefix)
    shutil.copy(HERE / "timed_program.py", project / "infra" / "__main__.py")
    bare = Path(shutil.copy(HERE / "bare_program.py", folder))
    resources = folder / "resources.json"
    _record(json.dumps(config), resources)
    sandbox = Sandbox(project, folder / "state")
    sandbox.prepare(cli, ["preview", "--stack", STACK])
    programs = {"program": ROOT / "infra" / "__main__.py", "bare": bare}
    return Subject(pools, len(json.loads(resources.read_text(encoding="utf-8"))), sandbox, programs)


def _record(config: str, target: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.recording", str(target)]
    done = subprocess.run(command, cwd=ROOT, input=config, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchmarkError(f"the program cannot be recorded:\n{done.stderr[-2000:]}")


def _preview(subject: Subject, name: str, cli: "PulumiCli") -> Sample:
    figures = subject.sandbox.state / "figures.json"
    figures.unlink(missing_ok=True)
    environment = subject.sandbox.environment(cli) | {
        "HEADROOM_BENCH_PROGRAM": str(subject.programs[name]),
        "HEADROOM_BENCH_FIGURES": str(figures),
    }
    # JSON, since the display for people redraws its table at each event.
    command = [str(cli.path), "--non-interactive", "preview", "--stack", STACK, "--json"]
    usage = measure(command, subject.sandbox.working_copy, environment)
    program = json.loads(figures.read_text(encoding="utf-8"))
    return Sample(usage.seconds, usage.cpu_seconds, program["cpu_seconds"], program["peak_mib"])


def _median(samples: list[Sample]) -> Sample:
    return Sample(
        *(median(getattr(sample, field) for sample in samples) for field in Sample.__dataclass_fields__)
    )
