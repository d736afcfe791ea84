"""`headroom check` of stacks of several sizes, beside a bare registration of the same resources on mocks."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.growth import measure_growth
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_pipelines_config

if TYPE_CHECKING:
    from infra.offline import Registered

SIZES, QUICK_SIZES = (50, 250, 500, 1_000), (10, 30, 60)
STACK = "bench"
TITLE = "headroom check against a bare registration of the same resources, on mocks"
COLUMNS = ("pipelines", "resources", "check, processor s", "plan", "register", "judge", "bare registration")
TARGET_RATIO, TARGET_EXPONENT = 1.5, 1.1

Progress = Callable[[str], None]
Sample = tuple[int, float, float, float, float]
"""Resources, and processor seconds: to plan, to register, to judge; bare."""


def run(quick: bool, progress: Progress) -> Report:
    """Measure both at every size, each time in a process of its own."""
    sizes, rounds = (QUICK_SIZES, 1) if quick else (SIZES, 3)
    found: dict[int, list[Sample]] = {}
    for number in range(rounds):
        for size in sizes:
            sample = _apart(build_pipelines_config(size))
            found.setdefault(size, []).append(sample)
            progress(f"check: {size:,} pipelines, round {number + 1} of {rounds}: {sum(sample[1:4]):.1f} s")
    return summarize({size: _median(samples) for size, samples in found.items()})


def summarize(medians: dict[int, Sample]) -> Report:
    """Return the report of the samples by pipelines."""
    checks = {size: sum(sample[1:4]) for size, sample in medians.items()}
    bare = {size: sample[4] for size, sample in medians.items()}
    largest = max(medians)
    rows = tuple(
        (f"{size:,}", f"{sample[0]:,}", checks[size], *sample[1:]) for size, sample in medians.items()
    )
    ratio = checks[largest] / bare[largest]
    figures = (
        Figure(f"{largest:,} pipelines, of the bare registration", ratio, "", TARGET_RATIO),
        Figure("growth exponent", measure_growth(checks).exponent, "", TARGET_EXPONENT),
        Figure("growth exponent of the bare registration", measure_growth(bare).exponent, ""),
    )
    return Report(TITLE, COLUMNS, rows, figures)


def time_check(config: dict[str, Any]) -> Sample:
    """Return what a check of the stack takes, and what the bare registration of its resources takes."""
    from headroom.planning.plan import plan_config
    from infra.offline import record
    from infra.stack import build
    from policies.offline import judge_offline
    from policies.registry import RULES
    from policies.settings import Settings

    started = time.process_time()
    plan = plan_config(config, STACK, f"Pulumi.{STACK}.yaml")
    planned = time.process_time()

    async def main() -> None:
        await build(plan).registered()

    registered = record(STACK, main)
    recorded = time.process_time()
    with TemporaryDirectory() as folder:
        judge_offline(STACK, registered, Path(folder), Settings(), RULES)
    judged = time.process_time()
    again = record(STACK, bare_program(registered))
    if len(again) != len(registered):
        raise AssertionError(f"{len(again)} resources for {len(registered)}")
    bare = time.process_time() - judged
    return len(registered), planned - started, recorded - planned, judged - recorded, bare


def bare_program(registered: "list[Registered]") -> Callable[[], Any]:
    """Return a program that registers the same types, names and inputs, and does nothing else."""
    import asyncio

    import pulumi

    async def main() -> None:
        resources = [
            pulumi.ComponentResource(row.type, row.name)
            if row.type.startswith("headroom:")
            else pulumi.CustomResource(row.type, row.name, row.inputs)
            for row in registered
        ]
        await asyncio.gather(*(resource.urn.future() for resource in resources))

    return main


def _apart(config: dict[str, Any]) -> Sample:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        # What is imported at the first use is not what is measured.
        pool.submit(time_check, build_pipelines_config(1)).result()
        return pool.submit(time_check, config).result()


def _median(samples: list[Sample]) -> Sample:
    resources, *seconds = (median(values) for values in zip(*samples, strict=True))
    plan, register, judge, bare = seconds
    return int(resources), plan, register, judge, bare
