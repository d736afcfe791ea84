"""Planning alone: from a configuration in memory to the plan, for stacks of any size."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.growth import measure_growth
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_pipelines_config, build_pools_config

POOLS = (10, 100, 1_000, 2_000)
PIPELINES = (100, 1_000, 5_000, 10_000)
QUICK_POOLS = (10, 100, 500)
QUICK_PIPELINES = (100, 500, 1_000)
TARGET_EXPONENT = 1.1
# 10,000 pipelines in a second.
TARGET_SECONDS_EACH = {"pipelines": 1e-4}

Progress = Callable[[str], None]


def run(quick: bool, progress: Progress) -> Report:
    """Measure the planning of pools and of pipelines."""
    repetitions = 3 if quick else 7
    series = (
        ("pools", QUICK_POOLS if quick else POOLS, build_pools_config),
        ("pipelines", QUICK_PIPELINES if quick else PIPELINES, build_pipelines_config),
    )
    rows: list[tuple[str | float, ...]] = []
    figures: list[Figure] = []
    for thing, sizes, build in series:
        seconds = _measure_sizes(thing, sizes, build, repetitions, progress)
        rows += [(f"{size:,} {thing}", taken * 1000, taken * 1e6 / size) for size, taken in seconds.items()]
        growth = measure_growth(seconds)
        figures.append(Figure(f"growth exponent, {thing}", growth.exponent, "", TARGET_EXPONENT))
        if each := TARGET_SECONDS_EACH.get(thing):
            largest = max(sizes)
            figures.append(Figure(f"{largest:,} {thing}", seconds[largest], "s", largest * each))
    return Report("Planning alone", ("stack", "ms", "µs for each"), tuple(rows), tuple(figures))


def _measure_sizes(
    thing: str,
    sizes: tuple[int, ...],
    build: Callable[[int], dict[str, Any]],
    repetitions: int,
    progress: Progress,
) -> dict[int, float]:
    configs = {size: build(size) for size in sizes}
    _time_plan(configs[sizes[0]])
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    for repetition in range(repetitions):
        progress(f"planning: {thing}, round {repetition + 1} of {repetitions}")
        for size, config in configs.items():
            taken[size].append(_time_plan(config))
    return {size: median(times) for size, times in taken.items()}


def _time_plan(config: dict[str, Any]) -> float:
    from headroom.planning.plan import plan_config

    started = time.process_time()
    plan_config(config, "bench", "Pulumi.bench.yaml")
    return time.process_time() - started
