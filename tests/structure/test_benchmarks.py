"""What the benchmarks rest on: their stacks are valid, the bare program is a fair one, their sums are right."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.admission import Outcome
from benchmarks.admission import report as admission_report
from benchmarks.audit import serving
from benchmarks.growth import measure_growth
from benchmarks.layouts import Capacity, Layout, plan_layouts
from benchmarks.processes import BenchmarkError, measure
from benchmarks.recording import PROVIDER, record_apart, record_manifests
from benchmarks.report import Figure
from benchmarks.stack_files import (
    SHAPES,
    build_contended_config,
    build_pipelines_config,
    build_pools_config,
)
from headroom.live.metrics import open_window, read_queue_use
from headroom.live.prometheus import open_prometheus
from headroom.planning.plan import plan_config
from headroom.spec.quantities import parse_quantity


def test_growth_of_a_straight_line_is_one_with_its_slope_and_fixed_cost() -> None:
    growth = measure_growth({50: 1.5, 500: 6.0, 1000: 11.0, 2000: 21.0})
    assert (growth.slope, growth.fixed, growth.exponent) == pytest.approx((0.01, 1.0, 1.0))


def test_growth_of_a_square_is_near_two_whatever_the_fixed_cost() -> None:
    growth = measure_growth({size: 30 + size**2 / 1000 for size in (50, 500, 1000, 2000)})
    assert 1.9 < growth.exponent < 2.0


@pytest.mark.parametrize("points", [{1: 1.0, 2: 2.0}, {1: 3.0, 2: 2.0, 3: 4.0}])
def test_growth_is_not_told_of_two_sizes_or_of_a_larger_one_that_took_less(points: dict[int, float]) -> None:
    with pytest.raises(ValueError, match=r"three sizes|smallest size took longest"):
        measure_growth(points)


@pytest.mark.parametrize("pools", [1, 50, 2000])
def test_stack_of_any_size_is_valid_with_one_node_pool_for_each_pool(pools: int) -> None:
    plan = plan_config(build_pools_config(pools), "bench", "Pulumi.bench.yaml")
    assert sum(len(pool.node_pools) for pool in plan.pools) == pools


def test_stack_of_10_000_pipelines_is_valid() -> None:
    plan = plan_config(build_pipelines_config(10_000), "bench", "Pulumi.bench.yaml")
    assert len(plan.pipelines) == 10_000


def test_an_audit_of_the_measured_stack_finds_the_use_of_every_queue() -> None:
    config = build_pipelines_config(20)
    with serving(config) as url:
        source = open_prometheus(url, "acme-ml-bench")
        window = open_window(source, 30)
        uses = read_queue_use(source, window, 'environment="bench"')
    assert {each.queue for each in uses} == set(config["headroom:pipelines"])
    assert {each.resource for each in uses} == {"cpu", "memory"}
    assert all(len(each.peaks.known) == window.count == 240 for each in uses)


BOTH = """
import json, runpy, sys
import pulumi
from benchmarks.recording import record, record_main
folder, config = sys.argv[1], json.load(sys.stdin)
rows = record(config)
open(folder + "/resources.json", "w").write(json.dumps(rows))
started = []
pulumi.run = started.append
runpy.run_path(folder + "/bare_program.py", run_name="__main__")
print(json.dumps([rows, record_main(started[0])]))
"""


def test_bare_program_registers_what_the_program_registers(root: Path, tmp_path: Path) -> None:
    """Proves for the preview benchmark that both programs ask the engine for the same resources."""
    shutil.copy(root / "benchmarks" / "bare_program.py", tmp_path)
    command = [sys.executable, "-W", "ignore", "-c", BOTH, str(tmp_path)]
    config = json.dumps(build_pools_config(len(SHAPES)))
    done = subprocess.run(command, cwd=root, input=config, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    program, bare = (sorted(rows, key=_identity) for rows in json.loads(done.stdout))
    assert bare == program
    assert sum(row["token"] == "gcp:container/nodePool:NodePool" for row in program) > len(SHAPES)
    provider = next(row for row in program if row["token"] == PROVIDER)
    assert provider["arguments"]["default_labels"]["environment"] == "bench"


def _identity(row: dict[str, Any]) -> tuple[str, str]:
    return row["token"], row["name"]


def test_command_that_fails_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('no such zone'); sys.exit(3)"]
    with pytest.raises(BenchmarkError, match="no such zone"):
        measure(command, tmp_path, {})


def test_processor_time_counts_the_children_of_a_command(tmp_path: Path) -> None:
    child = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    usage = measure([sys.executable, "-c", parent], tmp_path, {})
    assert usage.cpu_seconds >= 0.3
    assert usage.peak_mib > 1


def test_peak_memory_of_a_command_is_not_that_of_who_measures_it(tmp_path: Path) -> None:
    ballast = bytearray(200 * 2**20)
    assert measure([sys.executable, "-c", "pass"], tmp_path, {}).peak_mib < len(ballast) / 2**21


def test_figure_at_its_target_is_met_and_above_it_missed() -> None:
    assert not Figure("ratio", 1.1, "", 1.1).is_missed
    assert Figure("ratio", 1.11, "", 1.1).is_missed
    assert not Figure("memory", 900, "MiB").is_missed


@pytest.fixture(scope="module")
def layouts() -> dict[str, Layout]:
    manifests = record_apart(record_manifests, build_contended_config(2))
    return {layout.name: layout for layout in plan_layouts(manifests, 2, contended_capacity())}


def contended_capacity() -> Capacity:
    return Capacity(plan_config(build_contended_config(2), "bench", "Pulumi.bench.yaml").shares)


def of_kind(layout: Layout, kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in layout.manifests if each["kind"] == kind}


def test_the_layout_measured_is_the_programs_own(layouts: dict[str, Layout]) -> None:
    planned = layouts["as planned"]
    assert set(of_kind(planned, "ClusterQueue")) == {"pipeline-0", "pipeline-1", "experiments"}
    assert "count/jobs.batch" in of_kind(planned, "ResourceQuota")["pipeline-0"]["spec"]["hard"]
    kinds = [each["kind"] for each in planned.manifests]
    assert kinds.index("Cohort") < kinds.index("ClusterQueue") < kinds.index("LocalQueue")


def test_the_layout_without_object_limits_lacks_nothing_else(layouts: dict[str, Layout]) -> None:
    planned, unlimited = (layouts[name].manifests for name in ("as planned", "without object limits"))
    differing = [(a, b) for a, b in zip(planned, unlimited, strict=True) if a != b]
    assert {a["kind"] for a, _ in differing} == {"ResourceQuota"}
    for limited, free in differing:
        left = limited["spec"]["hard"].keys() - free["spec"]["hard"].keys()
        assert "pods" in left
        assert not any(key.startswith(("requests.", "limits.")) for key in left)


def test_fixed_parts_add_up_to_the_capacity_less_what_does_not_divide(layouts: dict[str, Layout]) -> None:
    parts = sum(nominal_millis(queue) for queue in of_kind(layouts["fixed parts"], "ClusterQueue").values())
    assert 0 <= contended_capacity().cpu_millis - parts < 2


def test_one_shared_queue_has_all_of_the_capacity(layouts: dict[str, Layout]) -> None:
    (queue,) = of_kind(layouts["one shared queue"], "ClusterQueue").values()
    assert nominal_millis(queue) == contended_capacity().cpu_millis
    places = of_kind(layouts["one shared queue"], "LocalQueue")
    assert set(places) == {"pipeline-0", "pipeline-1", "experiments"}


def nominal_millis(queue: dict[str, Any]) -> int:
    (flavor,) = queue["spec"]["resourceGroups"][0]["flavors"]
    cpu = next(each for each in flavor["resources"] if each["name"] == "cpu")
    return int(parse_quantity(cpu["nominalQuota"]) * 1_000)


def test_kueue_does_not_mind_the_namespace_with_a_resource_quota_alone(layouts: dict[str, Layout]) -> None:
    (place,) = of_kind(layouts["one ResourceQuota"], "Namespace").values()
    assert "labels" not in place["metadata"]


def outcome(waits: list[float | None], errant_millis: int = 98_000) -> Outcome:
    return Outcome("a layout", 300, tuple(waits), errant_millis)


def missed(*outcomes: Outcome) -> set[str]:
    figures = admission_report(outcomes, contended_capacity(), 120).figures
    return {figure.name for figure in figures if figure.is_missed}


def test_a_tenth_of_the_wait_meets_the_target_and_more_misses_it() -> None:
    assert missed(outcome([5.0] * 100), outcome([50.0] * 100)) == set()
    assert missed(outcome([5.1] * 100), outcome([50.0] * 100)) == {"p99 wait, of that without object limits"}


def test_experiments_that_never_come_and_capacity_that_lies_idle_miss_their_targets() -> None:
    late = outcome([1.0] * 99 + [None])
    assert "experiments that still wait" in missed(late, outcome([None] * 100))
    idle = outcome([1.0] * 100, errant_millis=80_000)
    assert missed(idle, outcome([None] * 100)) == {"idle beside the headroom"}


def test_waits_that_did_not_end_are_shown_as_such() -> None:
    rows = admission_report((outcome([1.0, None]), outcome([None, None])), contended_capacity(), 120).rows
    assert rows[0][2:5] == (1, "60.5 or more", "118.8 or more")
    assert rows[1][2:5] == (0, "never", "never")


def test_the_check_is_measured_beside_a_registration_of_the_same_resources() -> None:
    from benchmarks import check

    medians = {size: (size * 8, 0.1, size * 0.02, size * 0.001, size * 0.016) for size in (10, 100, 200)}
    report = check.summarize(medians)
    (ratio, growth, _) = report.figures
    assert round(ratio.value, 2) == round((0.1 + 200 * 0.021) / (200 * 0.016), 2)
    assert round(growth.value, 2) == 1.0
    assert report.rows[0][:2] == ("10", "80")
    assert not ratio.is_missed
