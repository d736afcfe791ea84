"""`headroom:models`: what the models are, so that hardware can be weighed against them."""

import re
from decimal import Decimal
from typing import Annotated, Literal, Union

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from headroom.catalog.performance import Precision
from headroom.spec.base import Section
from headroom.spec.quantities import MemoryBytes

_NOTATION = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,9})?)(?P<suffix>[KMBGT]?)", re.ASCII)
_FACTORS = {"": 0, "K": 3, "M": 6, "B": 9, "G": 9, "T": 12}
_LARGEST = 10**18


def parse_count(value: object) -> int:
    """Return the number that `value` stands for: whole, or with K, M, B (or G) or T, such as 8B or 1.5T.

    Raises ValueError with cause and remedy.
    """
    match = _NOTATION.fullmatch(str(value)) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError("must be a number such as 8B, 350M or 8030000000")
    amount = Decimal(match["number"]).scaleb(_FACTORS[match["suffix"]])
    if amount != int(amount) or not 1 <= amount <= _LARGEST:
        raise ValueError("must be a whole number from 1 to 10^18, such as 8B or 350M")
    return int(amount)


Amount = Annotated[int, BeforeValidator(parse_count, json_schema_input_type=int | float | str)]
"""A number that may be long, with K, M, B (or G) or T: 8B is 8 000 000 000."""

Size = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]


class Transformer(Section):
    """A language model, or another transformer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"architecture": "transformer", "parameters": "8B"}]}
    )

    architecture: Literal["transformer"] = Field(description="attention and feed-forward layers")
    parameters: Amount = Field(description="all of them, such as 8B")
    active_parameters: Amount | None = Field(
        default=None, description="those that a token passes, in a mixture of experts; by default all"
    )
    layers: Size | None = Field(default=None, description="by default estimated from the parameters")
    hidden: Size | None = Field(
        default=None, description="width of a layer; by default estimated from the parameters"
    )
    key_values: Size | None = Field(
        default=None,
        description="heads of keys x their width, such as 8 x 128 = 1024; by default hidden, at most 1024",
    )
    vocabulary: Size = Field(default=128_256, description="tokens that there are; by default 128256")
    context: Size = Field(default=8_192, description="tokens of a sequence at most; by default 8192")
    precision: Precision = Field(default="bf16", description="of the weights as they serve; by default bf16")
    training_precision: Literal["bf16", "fp8"] = Field(
        default="bf16", description="of the arithmetic in training; by default bf16"
    )

    @model_validator(mode="after")
    def _active_is_a_part(self) -> "Transformer":
        if self.active_parameters is not None and self.active_parameters > self.parameters:
            raise ValueError("active_parameters is above parameters, of which it is a part")
        return self


class Convolutional(Section):
    """A vision model, or another convolutional network."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "architecture": "convolutional",
                    "parameters": "25.6M",
                    "flops_per_sample": "8.2G",
                    "activations_per_sample": "90Mi",
                }
            ]
        }
    )

    architecture: Literal["convolutional"] = Field(description="convolutions over images or signals")
    parameters: Amount = Field(description="all of them, such as 25.6M")
    flops_per_sample: Amount = Field(
        description="operations for one sample forward, a multiply and add counting as two, such as 8.2G"
    )
    activations_per_sample: MemoryBytes = Field(
        description="memory that one sample needs while it trains, such as 90Mi"
    )
    precision: Precision = Field(default="bf16", description="of the weights as they serve; by default bf16")


class Embedding(Section):
    """A recommender, or another model that is mostly embedding tables."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"architecture": "embedding", "rows": "500M", "dimension": 128, "lookups_per_sample": 100}
            ]
        }
    )

    architecture: Literal["embedding"] = Field(description="mostly embedding tables")
    rows: Amount = Field(description="of all tables, such as 500M")
    dimension: Size = Field(description="numbers in a row, such as 128")
    lookups_per_sample: Size = Field(description="rows that one sample reads")
    optimizer_states: Annotated[int, Field(strict=True, ge=0, le=2)] = Field(
        default=1,
        description="numbers that the optimizer keeps for each: 1 for Adagrad, the default, 2 for Adam",
    )
    precision: Precision = Field(default="fp32", description="of the tables; by default fp32")


class Trees(Section):
    """Boosted or bagged trees over a table."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"architecture": "trees", "rows": "50M", "features": 400}]}
    )

    architecture: Literal["trees"] = Field(description="boosted or bagged trees over a table")
    rows: Amount = Field(description="of the table to train on, such as 50M")
    features: Size = Field(description="columns of the table, such as 400")


Model = Annotated[
    Union[Transformer, Convolutional, Embedding, Trees],  # noqa: UP007 - `|` cannot carry a discriminator
    Field(discriminator="architecture"),
]
"""A model, told by its architecture."""
