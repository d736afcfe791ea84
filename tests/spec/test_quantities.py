from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.spec.quantities import format_cpu, format_memory, parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        (4, 4),
        ("4", 4),
        (1.5, "1.5"),
        ("250m", "0.25"),
        ("1k", 1000),
        ("2M", 2_000_000),
        ("1Ki", 1024),
        ("1.5Gi", 1_610_612_736),
        ("2Ti", 2_199_023_255_552),
    ],
)
def test_quantities_mean_what_they_mean_in_kubernetes(text: object, amount: object) -> None:
    assert parse_quantity(text) == Decimal(str(amount))


@pytest.mark.parametrize(
    "text",
    ["", "four", "-1", "1K", "1gb", "1 Gi", "1e3", "١", "0x10", True, None, [], "1" * 40, "9" * 15 + "Pi"],
)
def test_what_is_no_quantity_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"quantity|larger") as refusal:
        parse_quantity(text)
    assert str(text) not in str(refusal.value) or len(str(text)) < 3


def test_cpu_is_shown_as_cores() -> None:
    assert [format_cpu(millis) for millis in (0, 250, 16_000, 190_680)] == ["0", "0.25", "16", "190.68"]


@given(st.integers(0, 10**9))
def test_cpu_survives_its_notation(millis: int) -> None:
    assert parse_quantity(format_cpu(millis)) * 1000 == millis


@given(st.integers(0, 10**15))
def test_memory_survives_its_notation(size: int) -> None:
    assert parse_quantity(format_memory(size)) == size
