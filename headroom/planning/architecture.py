"""Which hardware suits an architecture, and why: sentences with their figures."""

from headroom.catalog.performance import DeviceFigures, Precision, bytes_of
from headroom.planning.hardware_options import Option, Serving, Training, trained_in
from headroom.planning.model_memory import derive_shape
from headroom.planning.roofline import Devices, Traffic, measured_factors, step_bound
from headroom.spec.models import Convolutional, Embedding, Model, Transformer

OPERATIONS = 2
"""For each request in flight and weight that is read: a multiplication and an addition."""


def explain_architecture(
    model: Model, workload: Serving | Training, example: Option | None
) -> tuple[str, ...]:
    """Return what decides about hardware for the model, with figures of `example`, the option of choice."""
    if isinstance(model, Transformer):
        if isinstance(workload, Serving):
            return _explain_decoding(model, workload, example)
        return _explain_transformer_training(model, example)
    if isinstance(model, Convolutional):
        return (
            "convolutions wait for arithmetic and reach 15 to 24% of the peak: choose by the price of a peak "
            "FLOP/s; memory matters by the activations of a batch",
        )
    if isinstance(model, Embedding):
        return (
            "embedding tables need capacity first, then bandwidth: rows x dimension x bytes x (1 + optimizer "
            "states); arithmetic hardly counts (Acun and others 2020)",
            "the rates are upper estimates: nothing but the tables is counted",
        )
    return (
        "trees suit processors: their histograms are small and irregular",
        "a GPU helps on large dense tables with few bins, such as 63; on small ones moving the data costs "
        "more than it gains (LightGBM, GPU performance guide)",
    )


def ridge(figures: DeviceFigures, precision: Precision) -> float:
    """Return the operations for each byte from which arithmetic, not memory, is waited for."""
    return figures.peak(precision) / figures.bandwidth


def _explain_decoding(model: Transformer, workload: Serving, example: Option | None) -> tuple[str, ...]:
    sentences = ["a step that adds a token reads all weights and the cache: memory and its bandwidth decide"]
    if derive_shape(model).is_sparse:
        sentences.append(
            "a mixture of experts needs memory for all parameters, arithmetic for the active ones"
        )
    if example is None:
        return tuple(sentences)
    figures = example.candidate.figures
    devices = Devices(figures, example.devices_per_copy)
    traffic = Traffic(workload.prompt, workload.answer, example.batch)
    bound = step_bound(derive_shape(model), model.precision, devices, traffic, measured_factors())
    crossing = ridge(figures, model.precision) * bytes_of(model.precision) / OPERATIONS
    sentences.append(
        f"on {figures.accelerator} with {example.batch} requests in flight a step waits for {bound}; without "
        f"their cache it would wait for arithmetic from {crossing:,.0f} requests on"
    )
    if figures.arithmetic(model.precision) != model.precision:
        sentences.append(
            f"{figures.accelerator} computes {model.precision} in {figures.arithmetic(model.precision)}: it "
            "saves memory and bandwidth, no arithmetic"
        )
    return tuple(sentences)


def _explain_transformer_training(model: Transformer, example: Option | None) -> tuple[str, ...]:
    sentences = ["training waits for arithmetic: the dense peak decides, memory by 16 bytes a parameter"]
    if derive_shape(model).is_sparse:
        sentences.append(
            "mixtures of experts reach 4 to 28% of the peak on GPUs and 33 to 49% on TPUs: their exchange of "
            "tokens is not modelled, so that estimates are within 3x only"
        )
    if example and model.training_precision != trained_in(model, example.candidate.figures):
        sentences.append(f"{example.candidate.accelerator} has no fp8 arithmetic: estimated in 16 bits")
    return tuple(sentences)
