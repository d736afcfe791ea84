"""What models take of memory, beside figures that their makers publish."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from headroom.planning.model_memory import cache_bytes_per_token, derive_shape, serving_need, training_need
from headroom.spec.models import Model, Transformer

ADAPTER: TypeAdapter[Model] = TypeAdapter(Model)


def model(**keys: Any) -> Model:
    return ADAPTER.validate_python({"architecture": "transformer", "parameters": "8B"} | keys)


def transformer(**keys: Any) -> Transformer:
    found = model(**keys)
    assert isinstance(found, Transformer)
    return found


LLAMA_8B = {"parameters": 8_030_000_000, "layers": 32, "hidden": 4096, "key_values": 1024}


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        (LLAMA_8B, 131_072),
        ({"parameters": 70_600_000_000, "layers": 80, "hidden": 8192, "key_values": 1024}, 327_680),
        (LLAMA_8B | {"precision": "fp8"}, 65_536),
    ],
)
def test_the_cache_takes_the_published_bytes_a_token(keys: dict[str, Any], size: int) -> None:
    """Q6."""
    described = transformer(**keys)
    assert cache_bytes_per_token(derive_shape(described), described.precision) == size


@pytest.mark.parametrize(
    ("parameters", "layers", "hidden"),
    [
        (8_030_000_000, 32, 4096),
        (70_600_000_000, 80, 8192),
        (405_900_000_000, 126, 16_384),
        (175_000_000_000, 96, 12_288),
    ],
)
def test_dimensions_that_nobody_states_are_estimated_within_a_fifth(
    parameters: int, layers: int, hidden: int
) -> None:
    """Llama 3 of three sizes, and GPT-3."""
    shape = derive_shape(transformer(parameters=parameters))
    assert shape.layers == pytest.approx(layers, rel=0.2)
    assert shape.hidden == pytest.approx(hidden, rel=0.2)
    assert shape.estimated == ("layers", "hidden", "key_values")


def test_what_is_stated_is_not_estimated() -> None:
    assert derive_shape(transformer(**LLAMA_8B)).estimated == ()


@pytest.mark.parametrize(
    ("precision", "gigabytes"), [("fp32", 32), ("bf16", 16), ("fp8", 8), ("int8", 8), ("int4", 4)]
)
def test_weights_take_the_bytes_of_their_precision(precision: str, gigabytes: int) -> None:
    """Q6."""
    assert serving_need(model(precision=precision), 100).fixed_bytes == gigabytes * 1e9


def test_training_state_takes_sixteen_bytes_a_parameter() -> None:
    """Q6."""
    need = training_need(model())
    assert need.fixed_bytes == 16 * 8e9
    assert [part.name for part in need.fixed] == ["weights", "gradients", "optimizer"]


def test_a_training_sequence_takes_its_activations_and_its_logits() -> None:
    need = training_need(model(**LLAMA_8B, context=8192, vocabulary=128_256))
    activations, logits = (part.size for part in need.per_item)
    assert activations == (2 * 32 + 34) * 8192 * 4096
    assert logits == 4 * 8192 * 128_256


def test_a_mixture_of_experts_takes_memory_for_all_and_width_by_the_active_parameters() -> None:
    sparse = transformer(parameters="141B", active_parameters="39B")
    assert serving_need(sparse, 1).fixed_bytes == 282e9
    assert derive_shape(sparse).is_sparse
    assert derive_shape(sparse).hidden == derive_shape(transformer(parameters="39B")).hidden


@pytest.mark.parametrize(("states", "gigabytes"), [(0, 256), (1, 512), (2, 768)])
def test_tables_take_rows_times_dimension_times_bytes_and_as_much_for_each_state(
    states: int, gigabytes: int
) -> None:
    """Q6."""
    tables = ADAPTER.validate_python(
        {
            "architecture": "embedding",
            "rows": "500M",
            "dimension": 128,
            "lookups_per_sample": 100,
            "optimizer_states": states,
        }
    )
    assert training_need(tables).fixed_bytes == gigabytes * 1e9
    assert serving_need(tables, 0).fixed_bytes == 256e9


def test_a_convolutional_network_takes_its_activations_by_the_sample() -> None:
    """Q6."""
    network = ADAPTER.validate_python(
        {
            "architecture": "convolutional",
            "parameters": "25M",
            "flops_per_sample": "8.2G",
            "activations_per_sample": "90Mi",
        }
    )
    assert training_need(network).item_bytes == 90 * 2**20
    assert training_need(network).fixed_bytes == 16 * 25e6


def test_trees_take_the_table_and_its_bins() -> None:
    """Q6."""
    trees = ADAPTER.validate_python({"architecture": "trees", "rows": "50M", "features": 400})
    assert training_need(trees).fixed_bytes == 100e9


@given(st.integers(1_000_000, 10**13))
def test_any_size_of_transformer_has_a_shape(parameters: int) -> None:
    shape = derive_shape(transformer(parameters=parameters))
    assert shape.layers >= 1
    assert 1 <= shape.key_values <= max(1, shape.hidden)
