"""Quantities as the API server reads and writes them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.kubernetes.quantities import canonical_quantity, parse_quantity

SUFFIXES = ("", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E-3")
QUANTITIES = st.builds(
    lambda number, suffix: f"{number}{suffix}",
    st.decimals(min_value=-1000, max_value=1000, places=3),
    st.sampled_from(SUFFIXES),
)


@pytest.mark.parametrize(
    ("written", "read_back"),
    [
        ("4", "4"),
        (4, "4"),
        ("4000m", "4"),
        ("0.5", "500m"),
        ("1500m", "1500m"),
        ("12000", "12k"),
        ("1500", "1500"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Mi", "1000Mi"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("100e3", "100e3"),
        ("0", "0"),
        ("-2000m", "-2"),
    ],
)
def test_a_quantity_comes_back_in_the_servers_form(written, read_back):
    assert canonical_quantity(written) == read_back


@pytest.mark.parametrize("text", ["4x", "", "Gi", "1 Gi", "4mm", "1K", True, None, [], "0x10"])
def test_what_is_no_quantity_is_none(text):
    assert parse_quantity(text) is None
    assert canonical_quantity(text) is None


@given(QUANTITIES)
def test_the_servers_form_is_the_same_amount_and_stays_as_it_is(text):
    canonical = canonical_quantity(text)
    assert canonical is not None
    assert parse_quantity(canonical) == parse_quantity(text)
    assert canonical_quantity(canonical) == canonical


def test_finer_than_a_billionth_is_rounded_up():
    assert parse_quantity("0.1n") == Decimal("1e-9")
