"""`headroom:models`: what is accepted, and what is said of the rest."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.models import parse_count
from headroom.spec.platform import Platform
from headroom.spec.stack_file import parse_config


@pytest.fixture
def problem(config: dict[str, Any]) -> Callable[[str, dict[str, Any]], str]:
    def refuse(key: str, value: dict[str, Any]) -> str:
        config[key] = value
        with pytest.raises(StackFileError) as refusal:
            parse_config(config, "f")
        return str(refusal.value)

    return refuse


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8B", 8_000_000_000),
        ("1.5T", 1_500_000_000_000),
        ("350M", 350_000_000),
        (25, 25),
        ("8.2G", 8_200_000_000),
    ],
)
def test_long_numbers_are_written_with_a_letter(text: object, number: int) -> None:
    assert parse_count(text) == number


@pytest.mark.parametrize("text", ["8b", "B", "-1B", "0", "1e9", True, None, "0.5", "9999999T", [8]])
def test_other_texts_are_no_number(text: object) -> None:
    with pytest.raises(ValueError, match="must be a"):
        parse_count(text)


def test_a_model_is_read(config: dict[str, Any]) -> None:
    """Q6."""
    config["headroom:models"] = {"chat": {"architecture": "transformer", "parameters": "8B"}}
    platform: Platform = parse_config(config, "f")
    assert platform.models["chat"].architecture == "transformer"


@pytest.mark.parametrize(
    ("model", "phrase"),
    [
        ({"architecture": "transformer"}, "headroom:models.chat.parameters: is required"),
        ({"architecture": "transformer", "parameters": "many"}, "parameters: must be a number such as 8B"),
        (
            {"architecture": "transformer", "parameters": "8B", "active_parameters": "9B"},
            "is above parameters",
        ),
        ({"architecture": "transformer", "parameters": "8B", "rows": 4}, "rows: is no key of this section"),
        ({"architecture": "transformr", "parameters": "8B"}, "did you mean transformer?"),
        ({"parameters": "8B"}, "must say its architecture"),
        ({"architecture": "trees", "rows": "50M", "features": 0}, "features: must be at least 1"),
    ],
)
def test_a_model_that_says_something_else_is_refused_where_it_does(
    problem: Callable[[str, dict[str, Any]], str], model: dict[str, Any], phrase: str
) -> None:
    assert phrase in problem("headroom:models", {"chat": model})
