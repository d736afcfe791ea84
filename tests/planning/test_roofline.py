"""Rooflines: bounds that move the right way. How near they come is in test_published_speeds.py."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.catalog.performance import find_figures
from headroom.planning.model_memory import Shape
from headroom.planning.roofline import (
    PEAK,
    Devices,
    Traffic,
    lookup_rate,
    measured_factors,
    prefill_seconds,
    step_bound,
    step_seconds,
    token_rate,
    token_training_rate,
)
from headroom.spec.models import Embedding

LLAMA_8B = Shape(8_030_000_000, 8_030_000_000, 32, 4096, 1024, 128_256, ())


def devices(name: str, count: int = 1) -> Devices:
    figures = find_figures(name)
    assert figures is not None
    return Devices(figures, count)


def test_a_step_of_one_request_takes_as_long_as_reading_the_weights() -> None:
    """Q6."""
    a100 = devices("nvidia-a100-80gb")
    seconds = step_seconds(LLAMA_8B, "bf16", a100, Traffic(1, 1, 1), PEAK)
    assert seconds == pytest.approx(2 * 8.03e9 / 2039e9, rel=1e-3)


def test_a_prompt_takes_two_operations_a_parameter_and_token() -> None:
    """Q6: test point 3, 123,200 tokens a second."""
    seconds = prefill_seconds(LLAMA_8B, "fp8", devices("nvidia-h100-80gb"), 1_000, PEAK)
    assert 1_000 / seconds == pytest.approx(123_200, rel=1e-3)


@pytest.mark.parametrize(
    ("device", "precision", "parameters", "tokens"),
    [("tpu-v6e-slice", "bf16", 70.6e9, 2_167), ("nvidia-h100-80gb", "fp8", 70.6e9, 4_672)],
)
def test_training_takes_six_operations_a_parameter_and_token(
    device: str, precision: Any, parameters: float, tokens: int
) -> None:
    """Q6: test points 5 and 6."""
    shape = Shape(int(parameters), int(parameters), 80, 8192, 1024, 128_256, ())
    assert token_training_rate(shape, precision, devices(device), 1.0) == pytest.approx(tokens, rel=1e-3)


def test_a_step_waits_for_memory_below_the_ridge_and_for_arithmetic_above() -> None:
    """Q6."""
    h100 = devices("nvidia-h100-80gb")
    below, above = (step_bound(LLAMA_8B, "bf16", h100, Traffic(1, 1, batch), PEAK) for batch in (280, 310))
    assert (below, above) == ("memory", "arithmetic")


def test_a_small_batch_reads_only_the_experts_that_it_meets() -> None:
    sparse = Shape(100_000_000_000, 10_000_000_000, 40, 5120, 1024, 128_256, ())
    h200 = devices("nvidia-h200-141gb", 8)
    one, twenty = (step_seconds(sparse, "bf16", h200, Traffic(1, 1, batch), PEAK) for batch in (1, 20))
    assert 9 < twenty / one < 11


def test_devices_that_share_a_layer_lose_time_to_their_link() -> None:
    fast, slow = devices("nvidia-a100-80gb", 8), devices("nvidia-l4", 8)
    for eight in (fast, slow):
        one = prefill_seconds(LLAMA_8B, "bf16", Devices(eight.figures, 1), 1_000, PEAK)
        assert prefill_seconds(LLAMA_8B, "bf16", eight, 1_000, PEAK) > one / 8
    over_nvlink = prefill_seconds(LLAMA_8B, "bf16", fast, 1_000, PEAK)
    assert prefill_seconds(LLAMA_8B, "bf16", slow, 1_000, PEAK) > 4 * over_nvlink


@given(st.integers(1, 512), st.integers(1, 8_192), st.integers(1, 8_192))
def test_more_in_flight_never_lowers_the_rate_and_never_speeds_up_a_step(
    batch: int, prompt: int, answer: int
) -> None:
    l4, factors = devices("nvidia-l4"), measured_factors()
    few, more = Traffic(prompt, answer, batch), Traffic(prompt, answer, batch + 1)
    assert (
        token_rate(LLAMA_8B, "bf16", l4, more, factors)
        >= token_rate(LLAMA_8B, "bf16", l4, few, factors) * 0.999
    )
    assert step_seconds(LLAMA_8B, "bf16", l4, more, factors) >= step_seconds(
        LLAMA_8B, "bf16", l4, few, factors
    )


@given(st.sampled_from(["nvidia-l4", "nvidia-h100-80gb", "tpu-v6e-slice"]), st.integers(1, 256))
def test_an_estimate_is_never_above_the_roofline(name: str, batch: int) -> None:
    """Q6."""
    traffic = Traffic(500, 500, batch)
    estimate, bound = (
        token_rate(LLAMA_8B, "bf16", devices(name), traffic, factors)
        for factors in (measured_factors(), PEAK)
    )
    assert estimate < bound


def test_lookups_read_their_rows_and_training_writes_them_back() -> None:
    """Q6."""
    tables = Embedding.model_validate(
        {"architecture": "embedding", "rows": "1M", "dimension": 128, "lookups_per_sample": 100}
    )
    h100 = devices("nvidia-h100-80gb")
    reads = lookup_rate(tables, h100, trains=False, factor=1, link=1)
    assert reads == pytest.approx(3350e9 / (100 * 128 * 4))
    assert lookup_rate(tables, h100, trains=True, factor=1, link=1) == pytest.approx(reads / 4)
    shared = lookup_rate(tables, Devices(h100.figures, 8), trains=False, factor=1, link=1)
    assert reads < shared < 8 * reads
