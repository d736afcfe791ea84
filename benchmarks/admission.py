"""A flood of jobs into one pipeline, on the real Kueue: how long experiments wait, and what lies idle.

Each layout has a control plane of its own. The errant pipeline submits its jobs and, where the API refuses
some, these again and again until the measurement ends; once each has been tried, the experiments are
submitted. Nothing ever finishes, so whoever shares a queue with the flood waits for good.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.layouts import Capacity, Layout, plan_layouts
from benchmarks.processes import BenchmarkError
from benchmarks.recording import record_apart, record_manifests
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_contended_config
from benchmarks.submissions import Client, Sightings, make_job

if TYPE_CHECKING:
    from sandbox.control_plane.plane import ControlPlane

PIPELINES = 8
JOBS, QUICK_JOBS = 5_000, 600
EXPERIMENTS = 100
EXPERIMENT_REQUESTS = {"cpu": "200m", "memory": "512Mi"}
EXPERIMENT_MILLIS = 200
BOUND_S, QUICK_BOUND_S = 120, 30
# Where the flood holds everything for good, there is nothing more to wait for.
BOUND_WHEN_FULL_S = 30
POLL_S = 0.5
TITLE = "Admission on the real Kueue while one pipeline is flooded"
COLUMNS = (
    "layout",
    "jobs taken",
    "experiments admitted",
    "wait p50 s",
    "p99 s",
    "% used by the flooded",
    "% by experiments",
)
TARGET_WAIT_RATIO, TARGET_IDLE = 0.1, 0.05

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a layout: jobs that the API took, seconds that each experiment waited or None where it
    still does, and thousandths of a core that the flooded pipeline has in the end."""

    layout: str
    taken: int
    waits: tuple[float | None, ...]
    errant_millis: int

    @property
    def admitted(self) -> int:
        """How many experiments got their quota."""
        return sum(wait is not None for wait in self.waits)

    def wait(self, percent: int, bound_s: float) -> float:
        """Return the percentile of the waits, of which those still waiting are counted as `bound_s`."""
        waits = [bound_s if wait is None else wait for wait in self.waits]
        return quantiles(waits, n=100, method="inclusive")[percent - 1]


def run(quick: bool, progress: Progress) -> Report:
    """Measure the layouts in turn, each on a control plane of its own."""
    from headroom.planning.plan import plan_config
    from sandbox.engine.errors import SandboxError

    config = build_contended_config(PIPELINES)
    capacity = Capacity(plan_config(config, "bench", "Pulumi.bench.yaml").shares)
    layouts = plan_layouts(record_apart(record_manifests, config), PIPELINES, capacity)
    jobs, bound_s = (QUICK_JOBS, QUICK_BOUND_S) if quick else (JOBS, BOUND_S)
    outcomes = []
    for layout in layouts:
        started = time.monotonic()
        try:
            outcomes.append(_measure(layout, jobs, bound_s, capacity))
        except SandboxError as error:
            raise BenchmarkError(str(error)) from None
        progress(f"admission: {layout.name}: {time.monotonic() - started:.0f} s")
    return report(tuple(outcomes), capacity, bound_s, None if quick else TARGET_WAIT_RATIO)


def report(
    outcomes: tuple[Outcome, ...],
    capacity: Capacity,
    bound_s: float,
    target: float | None = TARGET_WAIT_RATIO,
) -> Report:
    """Return the outcomes as a table; the first is the program's layout, the second that without limits.

    `target` is that of the wait; None for a flood that is too small to delay anybody.
    """
    planned, unlimited = outcomes[:2]
    free = capacity.cpu_millis - capacity.headroom_millis - planned.errant_millis
    return Report(
        TITLE,
        COLUMNS,
        tuple(_row(outcome, capacity, bound_s) for outcome in outcomes),
        (
            Figure(
                "p99 wait, of that without object limits",
                planned.wait(99, bound_s) / unlimited.wait(99, bound_s),
                "",
                target,
            ),
            Figure("experiments that still wait", len(planned.waits) - planned.admitted, "", 0),
            Figure("idle beside the headroom", free / capacity.cpu_millis, "", TARGET_IDLE),
        ),
    )


def _row(outcome: Outcome, capacity: Capacity, bound_s: float) -> tuple[str | float, ...]:
    waits = (
        _format_wait(outcome.wait(percent, bound_s), outcome.admitted == len(outcome.waits))
        for percent in (50, 99)
    )
    used = (
        round(100 * millis / capacity.cpu_millis)
        for millis in (outcome.errant_millis, EXPERIMENT_MILLIS * outcome.admitted)
    )
    return (
        outcome.layout,
        outcome.taken,
        outcome.admitted,
        *(waits if outcome.admitted else ("never",) * 2),
        *used,
    )


def _format_wait(seconds: float, complete: bool) -> str:
    return f"{seconds:.1f}" if complete else f"{seconds:.1f} or more"


def _measure(layout: Layout, jobs: int, bound_s: int, capacity: Capacity) -> Outcome:
    from sandbox.control_plane.kueue import platform_values
    from sandbox.control_plane.plane import ControlPlane

    with ControlPlane(platform_values()) as plane:
        for manifest in layout.manifests:
            plane.api.apply(manifest)
        _wait_for_queues(plane)
        client = Client(plane.kubeconfig)
        with _flood(plane.kubeconfig, layout, jobs) as end:
            waits = _submit_experiments(client, layout, bound_s, lambda: _is_full(plane, layout, capacity))
            used = _read_used_millis(plane, layout)
            taken = end()
    admitted = sum(wait is not None for wait in waits)
    return Outcome(layout.name, taken, waits, used - (0 if layout.queued else EXPERIMENT_MILLIS * admitted))


@contextmanager
def _flood(kubeconfig: Path, layout: Layout, jobs: int) -> Generator[Callable[[], int]]:
    """Throw the jobs; yields, once each has been tried, what ends the flood and says how many were taken."""
    command = [sys.executable, "-m", "benchmarks.submissions", str(kubeconfig), layout.errant, str(jobs)]
    command += ["queued"] if layout.queued else ["unqueued"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or not process.stdout.readline():
            raise BenchmarkError(f"the flood of {layout.name} failed")
        try:
            yield lambda: int(process.communicate()[0])
        finally:
            process.kill()


def _submit_experiments(
    client: Client, layout: Layout, bound_s: int, is_full: Callable[[], bool]
) -> tuple[float | None, ...]:
    """Submit the experiments and return how long each waited."""
    sightings = Sightings(client, layout.experiments, layout.queued, 2 * bound_s)
    names = [f"experiment-{number}" for number in range(EXPERIMENTS)]
    started = {}
    for name in names:
        started[name] = time.monotonic()
        if refusal := client.submit(make_job(name, layout.experiments, layout.queued, EXPERIMENT_REQUESTS)):
            raise BenchmarkError(f"{layout.name}: an experiment is refused: {refusal}")
    last = time.monotonic()
    while not all(map(sightings.of, names)):
        passed = time.monotonic() - last
        if passed > bound_s or (passed > min(BOUND_WHEN_FULL_S, bound_s) and is_full()):
            break
        time.sleep(POLL_S)
    seen = {name: sightings.of(name) for name in names}
    return tuple(None if when is None else when - started[name] for name, when in seen.items())


def _wait_for_queues(plane: "ControlPlane") -> None:
    from sandbox.control_plane.api import wait_until

    def are_active() -> bool:
        queues = plane.api.call("GET", "/apis/kueue.x-k8s.io/v1beta2/clusterqueues")["items"]
        conditions = [each.get("status", {}).get("conditions") or () for each in queues]
        return all(any(c["type"] == "Active" and c["status"] == "True" for c in held) for held in conditions)

    wait_until(are_active, BOUND_S, "not every queue is active")


def _is_full(plane: "ControlPlane", layout: Layout, capacity: Capacity) -> bool:
    return _read_used_millis(plane, layout) + EXPERIMENT_MILLIS > capacity.cpu_millis


def _read_used_millis(plane: "ControlPlane", layout: Layout) -> int:
    """What the flooded namespace has of the processors; without queues the experiments are in it too."""
    from headroom.spec.quantities import parse_quantity

    if layout.queued:
        path = f"/apis/kueue.x-k8s.io/v1beta2/namespaces/{layout.errant}/localqueues/{layout.errant}"
        (flavor,) = plane.api.call("GET", path)["status"]["flavorsReservation"]
        used = next(each["total"] for each in flavor["resources"] if each["name"] == "cpu")
    else:
        path = f"/api/v1/namespaces/{layout.errant}/resourcequotas/{layout.errant}"
        used = plane.api.call("GET", path)["status"]["used"]["requests.cpu"]
    return int(parse_quantity(used) * 1_000)
