"""Published figures of devices, and what real programs reach of them."""

import pytest

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.facts import load_facts
from headroom.catalog.performance import DeviceFigures, bytes_of, efficiency, find_figures

DEVICES = [name for group in load_facts("performance") for name in group["devices"]]
PHASES = [phase for group in load_facts("efficiency") for phase in group["factors"]]


def figures(name: str) -> DeviceFigures:
    found = find_figures(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", DEVICES)
def test_figures_are_of_an_accelerator_that_the_catalog_knows_and_of_its_memory(name: str) -> None:
    accelerator = find_accelerator(name)
    assert accelerator is not None
    assert 0.9 <= figures(name).memory / (accelerator.memory_gib * 2**30) <= 1


@pytest.mark.parametrize("name", DEVICES)
def test_peaks_are_dense(name: str) -> None:
    """Half precision doubles a dense peak at most; a sparse figure beside a dense one would quadruple it."""
    peaks = figures(name).peaks
    sixteen = peaks.get("bf16") or peaks["fp16"]
    assert all(sixteen <= peak <= 2.01 * sixteen for peak in peaks.values())


@pytest.mark.parametrize(
    ("name", "operations_per_byte"),
    [
        ("nvidia-a100-80gb", 153),
        ("nvidia-h100-80gb", 295),
        ("nvidia-h200-141gb", 206),
        ("tpu-v5-lite-podslice", 241),
        ("tpu-v6e-slice", 560),
    ],
)
def test_the_ridge_is_the_published_one(name: str, operations_per_byte: int) -> None:
    """Q6."""
    found = figures(name)
    assert found.peak("bf16") / found.bandwidth == pytest.approx(operations_per_byte, rel=0.005)


def test_what_a_device_has_no_arithmetic_for_is_computed_in_16_bits() -> None:
    a100, t4 = figures("nvidia-a100-80gb"), figures("nvidia-tesla-t4")
    assert (a100.arithmetic("fp8"), a100.peak("fp8")) == ("bf16", 312e12)
    assert (a100.arithmetic("int8"), a100.arithmetic("int4")) == ("int8", "bf16")
    assert (t4.arithmetic("bf16"), t4.peak("bf16")) == ("fp16", 65e12)


def test_figures_without_a_source_are_marked() -> None:
    assert figures("nvidia-rtx-pro-6000").unconfirmed == ("bf16", "fp8", "link")
    assert figures("tpu7x").unconfirmed == ("bandwidth",)
    assert figures("nvidia-h100-80gb").unconfirmed == ()


def test_an_accelerator_of_which_nothing_is_published_has_no_figures() -> None:
    assert find_figures("nvidia-gb300") is None
    assert find_figures("nvidia-tesla-p4") is None


@pytest.mark.parametrize("phase", PHASES)
def test_a_factor_lies_within_what_was_published_or_is_marked(phase: str) -> None:
    used = efficiency(phase)
    if used.confirmed:
        assert used.low is not None
        assert used.high is not None
        assert used.low * 0.95 <= used.factor <= used.high * 1.05
    else:
        assert (used.low, used.high) == (None, None)


def test_a_number_takes_the_bytes_of_its_precision() -> None:
    assert [bytes_of(each) for each in ("fp32", "bf16", "fp8", "int8", "int4")] == [4, 2, 1, 1, 0.5]
