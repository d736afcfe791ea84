"""`headroom:prices`: what is accepted, and what is said of the rest."""

from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import parse_config


def test_a_price_is_read_and_what_it_leaves_out_is_unknown(config: dict[str, Any]) -> None:
    """Q6."""
    config["headroom:prices"] = {"a3-highgpu-8g": {"hour": 60, "spot": 20.5}}
    price = parse_config(config, "f").prices["a3-highgpu-8g"]
    assert (price.hour, price.spot, price.flex_start) == (60, 20.5, None)


@pytest.mark.parametrize(
    ("price", "phrase"),
    [
        ({"a3-highgpu-8g": {"hour": 1, "spot": 2}}, "spot is above hour"),
        ({"a3-highgpu-8g": {}}, "states no price"),
        ({"a3-highgpu-8g": {"hour": 0}}, "hour: must be at least 0.0001"),
        (
            {"a3-highgpu-9g": {"hour": 1}},
            "is no machine type that headroom knows; did you mean a3-highgpu-8g?",
        ),
    ],
)
def test_a_price_that_cannot_be_right_is_refused(
    config: dict[str, Any], price: dict[str, Any], phrase: str
) -> None:
    """Q6."""
    config["headroom:prices"] = price
    with pytest.raises(StackFileError) as refusal:
        parse_config(config, "f")
    assert phrase in str(refusal.value)
