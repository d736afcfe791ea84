"""The benchmark of the policy pack compares what it says, and its hosts answer."""

import pytest

from benchmarks.policies import PACKS, TARGET_RATIO, Sample, ask, summarize

ROW = {
    "token": "gcp:storage/bucket:Bucket",
    "name": "models",
    "arguments": {"uniformBucketLevelAccess": True, "publicAccessPrevention": "enforced"},
}


def test_figures_are_of_the_largest_stack_and_start_is_part_of_them() -> None:
    medians = {
        (pack, size): Sample(size / 1_000, start + cost * size / 1_000)
        for pack, start, cost in (("headroom", 1.0, 2.0), ("empty", 0.5, 1.0))
        for size in (1_000, 2_000, 4_000)
    }
    report = summarize(medians)
    figures = {figure.name: figure for figure in report.figures}
    ratio = figures["processor time, of the empty pack's"]
    assert ratio.value == pytest.approx(9.0 / 4.5)
    assert ratio.target == TARGET_RATIO
    assert not ratio.is_missed
    assert figures["for each resource"].value == pytest.approx(2.0)
    assert figures["growth exponent"].value == pytest.approx(1.0)
    assert len(report.rows) == 6


@pytest.mark.parametrize("pack", PACKS)
def test_the_host_of_a_pack_answers(pack: str) -> None:
    sample = ask(pack, [ROW])
    assert sample.seconds > 0
    assert sample.cpu_seconds > 0
