"""How fast devices can be at most, and how fast they are likely to be: rooflines of published figures.

A roofline is the larger of two times: moving the bytes and doing the arithmetic (Williams and others 2009).
With all factors at 1 it is a bound; with the measured ones an estimate, which tests compare with published
measurements.
"""

from dataclasses import dataclass
from typing import Literal

from headroom.catalog.performance import DeviceFigures, Precision, bytes_of, efficiency
from headroom.planning.model_memory import Shape, cache_bytes_per_token
from headroom.spec.models import Convolutional, Embedding

FORWARD_FLOPS, TRAINING_FLOPS = 2, 6
"""Operations for each parameter and token (Kaplan and others 2020); attention adds some 10%."""
BACKWARD = 3
"""Operations of a training step / those of its forward part."""
REDUCTIONS = 2
"""All-reduces in a layer that is divided over devices (Shoeybi and others 2019, "Megatron-LM")."""
ACTIVATION_BYTES = 2


@dataclass(frozen=True, slots=True)
class Factors:
    """The shares of the peaks that are reached."""

    decode: float
    prefill: float
    link: float


PEAK = Factors(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Devices:
    """Equal devices that hold one copy of a model between them."""

    figures: DeviceFigures
    count: int

    @property
    def bandwidth(self) -> float:
        """Bytes a second of their memory together."""
        return self.figures.bandwidth * self.count

    def peak(self, precision: Precision) -> float:
        """Operations a second together."""
        return self.figures.peak(precision) * self.count


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests to a language model: tokens of the prompt and of the answer, and how many are in flight."""

    prompt: int
    answer: int
    batch: int

    @property
    def mean_context(self) -> float:
        """Tokens that a request has in the cache while it is answered, on average."""
        return self.prompt + self.answer / 2


def measured_factors() -> Factors:
    """Return the factors that real programs reach."""
    return Factors(*(efficiency(phase).factor for phase in ("decode", "prefill", "link")))


def token_rate(
    shape: Shape, precision: Precision, devices: Devices, traffic: Traffic, factors: Factors
) -> float:
    """Return the requests a second that a copy of the model answers, `traffic.batch` at a time."""
    return 1 / (
        prefill_seconds(shape, precision, devices, traffic.prompt, factors)
        + traffic.answer * step_seconds(shape, precision, devices, traffic, factors) / traffic.batch
    )


def request_seconds(
    shape: Shape, precision: Precision, devices: Devices, traffic: Traffic, factors: Factors
) -> float:
    """Return how long a request takes from its first token to its last, among as many as `traffic` has."""
    return prefill_seconds(
        shape, precision, devices, traffic.prompt, factors
    ) + traffic.answer * step_seconds(shape, precision, devices, traffic, factors)


def prefill_seconds(
    shape: Shape, precision: Precision, devices: Devices, tokens: int, factors: Factors
) -> float:
    """Return how long the prompt takes, whose tokens are all computed at once."""
    arithmetic = (
        tokens * FORWARD_FLOPS * shape.active_parameters / (devices.peak(precision) * factors.prefill)
    )
    return arithmetic + tokens * _exchange_seconds(shape, devices, factors)


def step_seconds(
    shape: Shape, precision: Precision, devices: Devices, traffic: Traffic, factors: Factors
) -> float:
    """Return how long a step takes that adds a token to every request in flight."""
    moved, computed = _step_parts(shape, precision, devices, traffic, factors)
    return max(moved, computed) + traffic.batch * _exchange_seconds(shape, devices, factors)


def step_bound(
    shape: Shape, precision: Precision, devices: Devices, traffic: Traffic, factors: Factors
) -> Literal["memory", "arithmetic"]:
    """Return what a step waits for."""
    moved, computed = _step_parts(shape, precision, devices, traffic, factors)
    return "memory" if moved >= computed else "arithmetic"


def _step_parts(
    shape: Shape, precision: Precision, devices: Devices, traffic: Traffic, factors: Factors
) -> tuple[float, float]:
    read = min(shape.parameters, shape.active_parameters * traffic.batch) * bytes_of(precision)
    cached = traffic.batch * traffic.mean_context * cache_bytes_per_token(shape, precision)
    arithmetic = FORWARD_FLOPS * shape.active_parameters * traffic.batch
    return (
        (read + cached) / (devices.bandwidth * factors.decode),
        arithmetic / (devices.peak(precision) * factors.prefill),
    )


def _exchange_seconds(shape: Shape, devices: Devices, factors: Factors) -> float:
    """Seconds for a token in which devices add up what each has computed of a layer: ring all-reduces."""
    if devices.count == 1:
        return 0.0
    share = 2 * (devices.count - 1) / devices.count
    moved = REDUCTIONS * shape.layers * shape.hidden * ACTIVATION_BYTES * share
    return moved / (devices.figures.link / 2 * factors.link)


def token_training_rate(shape: Shape, precision: Precision, devices: Devices, factor: float) -> float:
    """Return the tokens a second that a transformer is trained on."""
    return devices.peak(precision) * factor / (TRAINING_FLOPS * shape.active_parameters)


def training_factor(shape: Shape, is_tpu: bool) -> float:
    """Return the share of the peak that training reaches."""
    if not shape.is_sparse:
        return efficiency("training").factor
    return efficiency("sparse-training-tpu" if is_tpu else "sparse-training-gpu").factor


def image_rate(model: Convolutional, devices: Devices, *, trains: bool, factor: float) -> float:
    """Return the samples a second of a convolutional network."""
    flops = model.flops_per_sample * (BACKWARD if trains else 1)
    return devices.peak("bf16" if trains else model.precision) * factor / flops


def lookup_rate(model: Embedding, devices: Devices, *, trains: bool, factor: float, link: float) -> float:
    """Return the samples a second of an embedding model: its rows read, and in training written back with
    what the optimizer keeps of them; and, where devices share the tables, sent to the device of the sample,
    in training and back. An upper estimate: layers above the tables are not counted."""
    size = model.lookups_per_sample * model.dimension * bytes_of(model.precision)
    passes = 2 * (1 + model.optimizer_states) if trains else 1
    moved = size * passes / (devices.figures.bandwidth * factor)
    elsewhere = (devices.count - 1) / devices.count * (2 if trains else 1)
    sent = size * elsewhere / (devices.figures.link / 2 * link)
    return devices.count / (moved + sent)
