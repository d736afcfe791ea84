"""What a model takes of memory: its weights, its training state, and what each sequence or sample adds."""

from dataclasses import dataclass

from headroom.catalog.performance import Precision, bytes_of
from headroom.spec.models import Convolutional, Embedding, Model, Transformer, Trees

ASPECT = 128
"""Width of a transformer's layer / number of layers: GPT-3 175B and Llama 8B have 128, Llama 405B 130."""
PARAMETERS_PER_SQUARE = 12
"""Parameters of a layer / its width squared (Kaplan and others 2020, "Scaling laws")."""
WIDEST_KEY_VALUES = 1_024
"""Heads of keys x their width where they are grouped: 8 x 128 in Llama 3 of every size."""

STATE_BYTES = (("weights", 2), ("gradients", 2), ("optimizer", 12))
"""Bytes for each parameter, mixed precision with Adam: 16-bit weights and gradients, and a 32-bit copy with
two moments (Rajbhandari and others 2019, "ZeRO")."""
KEPT_BYTES, WORKING_BYTES = 2, 34
"""Bytes for each token and unit of width: kept of every layer with full recomputation, and of the one layer
that is recomputed, without the attention matrix (Korthikanti and others 2022)."""
LOGIT_BYTES = 4

TABLE_BYTES = 4 + 1
"""Bytes for each value of a table for trees: as it is read, in 32 bits, and its bin, at most 256 of them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the memory, in bytes."""

    name: str
    size: float


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What one copy of a model takes, over all the devices that hold it."""

    fixed: tuple[Part, ...]
    """Whatever is in flight."""
    per_item: tuple[Part, ...]
    """For each sequence or sample in flight."""
    item: str
    """What is in flight, in words."""

    @property
    def fixed_bytes(self) -> float:
        """Bytes whatever is in flight."""
        return sum(part.size for part in self.fixed)

    @property
    def item_bytes(self) -> float:
        """Bytes for each sequence or sample."""
        return sum(part.size for part in self.per_item)


@dataclass(frozen=True, slots=True)
class Shape:
    """A transformer's dimensions, those that were not stated estimated from its parameters."""

    parameters: int
    active_parameters: int
    layers: int
    hidden: int
    key_values: int
    vocabulary: int
    estimated: tuple[str, ...]
    """Names of the dimensions that nobody stated."""

    @property
    def is_sparse(self) -> bool:
        """Whether a token passes only a part of the parameters: a mixture of experts."""
        return self.active_parameters < self.parameters


def derive_shape(model: Transformer) -> Shape:
    """Return the dimensions of a transformer, completed by rules of thumb where the file leaves them out."""
    active = model.active_parameters or model.parameters
    guess = max(1, round((active / (PARAMETERS_PER_SQUARE * ASPECT**2)) ** (1 / 3)))
    layers = model.layers or guess
    hidden = model.hidden or max(64, round((active / (PARAMETERS_PER_SQUARE * layers)) ** 0.5))
    stated = {"layers": model.layers, "hidden": model.hidden, "key_values": model.key_values}
    return Shape(
        parameters=model.parameters,
        active_parameters=active,
        layers=layers,
        hidden=hidden,
        key_values=model.key_values or min(hidden, WIDEST_KEY_VALUES),
        vocabulary=model.vocabulary,
        estimated=tuple(name for name, value in stated.items() if value is None),
    )


def cache_bytes_per_token(shape: Shape, precision: Precision) -> float:
    """Return the bytes that keys and values of a token take in all layers.

    They are kept in 8 bits beside fp8 weights, as serving programs do, and in 16 bits otherwise.
    """
    return 2 * shape.layers * shape.key_values * (1 if precision == "fp8" else 2)


def serving_need(model: Model, tokens: int) -> MemoryNeed:
    """Return what a copy of the model takes that answers requests of `tokens` tokens, prompt and answer."""
    if isinstance(model, Transformer):
        cache = tokens * cache_bytes_per_token(derive_shape(model), model.precision)
        weights = Part("weights", model.parameters * bytes_of(model.precision))
        return MemoryNeed((weights,), (Part("key-value cache", cache),), f"request of {tokens:,} tokens")
    if isinstance(model, Embedding):
        return MemoryNeed((Part("tables", _table_bytes(model)),), (), "sample")
    if isinstance(model, Convolutional):
        weights = Part("weights", model.parameters * bytes_of(model.precision))
        forward = Part("activations", model.activations_per_sample)
        return MemoryNeed((weights,), (forward,), "sample")
    return _need_of_trees(model)


def training_need(model: Model) -> MemoryNeed:
    """Return what a copy of the model takes that is trained, activations recomputed, with its optimizer."""
    if isinstance(model, Transformer):
        shape = derive_shape(model)
        units = model.context * shape.hidden
        kept = (KEPT_BYTES * shape.layers + WORKING_BYTES) * units
        logits = LOGIT_BYTES * model.context * shape.vocabulary
        parts = (Part("activations", kept), Part("logits", logits))
        return MemoryNeed(_training_state(model.parameters), parts, f"sequence of {model.context:,} tokens")
    if isinstance(model, Embedding):
        tables = _table_bytes(model)
        state = (Part("tables", tables), Part("optimizer", tables * model.optimizer_states))
        return MemoryNeed(state, (), "sample")
    if isinstance(model, Convolutional):
        kept = Part("activations", model.activations_per_sample)
        return MemoryNeed(_training_state(model.parameters), (kept,), "sample")
    return _need_of_trees(model)


def _training_state(parameters: int) -> tuple[Part, ...]:
    return tuple(Part(name, size * parameters) for name, size in STATE_BYTES)


def _table_bytes(model: Embedding) -> float:
    return model.rows * model.dimension * bytes_of(model.precision)


def _need_of_trees(model: Trees) -> MemoryNeed:
    return MemoryNeed((Part("table", model.rows * model.features * TABLE_BYTES),), (), "row")
