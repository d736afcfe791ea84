"""Every way to serve or train a model on machines that there are, with its speed and its cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from math import ceil

from headroom.catalog.machines import CapacityKind, Machine
from headroom.catalog.performance import DeviceFigures, Precision, efficiency
from headroom.catalog.prices import Price
from headroom.planning.model_memory import MemoryNeed, derive_shape, serving_need, training_need
from headroom.planning.roofline import (
    Devices,
    Traffic,
    image_rate,
    lookup_rate,
    measured_factors,
    request_seconds,
    token_rate,
    token_training_rate,
    training_factor,
)
from headroom.spec.models import Convolutional, Embedding, Model, Transformer

USUAL_BATCH = 256
"""Requests in flight at most where nobody says: beyond 150 to 300 a step waits for arithmetic on most
devices, so that more of them make each slower and gain little in sum."""
MOST_MEASURED = 1_024
"""Devices of the largest training run whose speed the factors are from (Megatron-Bridge 25.11)."""
MOST_SHARING = 8
"""Devices over which a copy was spread in the measurements of serving."""
FAST_LINK, FULL_MACHINE = 400e9, 4
"""Bytes a second between the devices of a machine, and how many of these, from which on training over several
machines was measured."""
_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Serving:
    """What a model is to answer; tokens count for transformers only."""

    requests_per_second: float | None
    """None: nobody says, and each machine is taken as fully used."""
    prompt: int
    answer: int
    batch: int | None
    """Requests in flight at most in each copy; None: as many as fit, and usual."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a model is to be trained on: tokens, samples or rows."""

    amount: int
    hours: float | None
    """None: nobody says, and the fewest devices that hold the model are taken."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Machines that can be had: from the catalog, or those of a pool of the stack."""

    machine: Machine
    accelerator: str
    devices: int
    """Of one machine."""
    figures: DeviceFigures
    price: Price | None
    capacities: tuple[CapacityKind, ...]
    slices: tuple[int, ...]
    """Chips of the TPU slices that span machines; empty: none do."""
    pool: str = ""
    most_nodes: int | None = None
    """Machines that the pool has at most."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an option costs when its machines are obtained one way, in USD."""

    capacity: CapacityKind
    hourly: float
    unit: float
    """For a million tokens of answers, a million requests, or the training run."""


@dataclass(frozen=True, slots=True)
class Option:
    """A way to do it: so many devices for each copy of the model, so many copies, so many machines."""

    candidate: Candidate
    devices_per_copy: int
    copies: int
    nodes: int
    batch: int
    """Items in flight in each copy."""
    rate: float
    """Requests, tokens or samples a second that all copies together can do."""
    held_by: int
    """The fewest such devices that hold a copy at all."""
    seconds: float | None
    """Serving: of one request by itself, None where that is not estimated; training: of the run."""
    costs: tuple[Cost, ...]
    """For each way to obtain the machines whose price is known."""
    notes: tuple[str, ...]

    @property
    def devices(self) -> int:
        """All devices of the machines."""
        return self.nodes * self.candidate.devices

    @property
    def device_rate(self) -> float:
        """Rate of each device that is in use."""
        return self.rate / (self.copies * self.devices_per_copy)

    def cost(self, capacity: CapacityKind) -> Cost | None:
        """Return the cost when the machines are obtained that way; None: not known, or not offered."""
        return next((cost for cost in self.costs if cost.capacity == capacity), None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why machines cannot do it."""

    machine: str
    pool: str
    reason: str


def serving_options(model: Model, workload: Serving, candidate: Candidate) -> tuple[Option, ...] | Refusal:
    """Return every layout in which the machines can serve the model, or why they cannot."""
    if isinstance(model, Transformer) and model.precision == "fp32":
        return _refuse(candidate, "no peak in fp32 is published; ask for bf16 or less")
    batches = {
        count: batch
        for count in _copy_sizes(candidate)
        if (batch := _largest_batch(model, workload, candidate, count))
    }
    if not batches:
        return _refuse(candidate, _too_small(serving_need(model, _tokens(workload)), candidate))
    fewest = min(batches)
    most = max(fewest, MOST_SHARING) if isinstance(model, Transformer) else fewest
    return tuple(
        _serve(model, workload, candidate, count, batch, fewest)
        for count, batch in batches.items()
        if count <= most
    )


def _tokens(workload: Serving) -> int:
    return workload.prompt + workload.answer


def _copy_sizes(candidate: Candidate) -> tuple[int, ...]:
    """Return over how many devices a copy can be spread: powers of two in a machine, and whole slices."""
    if candidate.pool and candidate.slices:
        return candidate.slices
    powers = takewhile(lambda size: size < candidate.devices, (2**power for power in range(8)))
    return (*powers, candidate.devices, *candidate.slices)


def _largest_batch(model: Model, workload: Serving, candidate: Candidate, count: int) -> int:
    """Return how many requests a copy can have in flight; 0: not even one."""
    need = serving_need(model, _tokens(workload))
    room = _usable(candidate) * count - need.fixed_bytes
    if room < need.item_bytes:
        return 0
    most = workload.batch or USUAL_BATCH
    if not isinstance(model, Transformer):
        return most if not need.item_bytes else min(most, int(room / need.item_bytes))
    average = serving_need(model, max(1, workload.prompt + workload.answer // 2)).item_bytes
    return min(most, max(1, int(room / average)))


def _usable(candidate: Candidate) -> float:
    return candidate.figures.memory * efficiency("memory").factor


def _serve(
    model: Model, workload: Serving, candidate: Candidate, count: int, batch: int, fewest: int
) -> Option:
    rate, seconds = _serving_speed(model, workload, Devices(candidate.figures, count), batch)
    copies, nodes = _machines(candidate, count, rate, workload.requests_per_second)
    served = workload.requests_per_second or rate * copies
    per_unit = _requests_per_unit(model, workload) / served
    return Option(
        candidate=candidate,
        devices_per_copy=count,
        copies=copies,
        nodes=nodes,
        batch=batch,
        rate=rate * copies,
        held_by=fewest,
        seconds=seconds,
        costs=tuple(_costs(candidate, nodes, per_unit / _HOUR)),
        notes=tuple(_notes(candidate, nodes, shared=count)),
    )


def _requests_per_unit(model: Model, workload: Serving) -> float:
    """Requests for a million tokens of answers, or a million where answers have none."""
    return 1e6 / workload.answer if isinstance(model, Transformer) and workload.answer else 1e6


def _serving_speed(
    model: Model, workload: Serving, devices: Devices, batch: int
) -> tuple[float, float | None]:
    """Return the requests a second of a copy, and of a transformer the seconds of a request by itself."""
    if isinstance(model, Transformer):
        shape, factors = derive_shape(model), measured_factors()
        traffic = Traffic(workload.prompt, workload.answer, batch)
        alone = Traffic(workload.prompt, workload.answer, 1)
        return (
            token_rate(shape, model.precision, devices, traffic, factors),
            request_seconds(shape, model.precision, devices, alone, factors),
        )
    return _sample_rate(model, devices, trains=False), None


def _sample_rate(model: Model, devices: Devices, *, trains: bool) -> float:
    if isinstance(model, Embedding):
        factor, link = efficiency("embedding").factor, efficiency("link").factor
        return lookup_rate(model, devices, trains=trains, factor=factor, link=link)
    if isinstance(model, Convolutional):
        factor = efficiency("convolution-training" if trains else "convolution-inference").factor
        return image_rate(model, devices, trains=trains, factor=factor)
    raise ValueError("nothing is published about trees on accelerators")


def _machines(candidate: Candidate, count: int, rate: float, wanted: float | None) -> tuple[int, int]:
    """Return copies and machines for a rate; a machine full of copies where none is wanted."""
    copies_per_node = max(1, candidate.devices // count)
    nodes_per_copy = max(1, count // candidate.devices)
    copies = max(1, ceil(wanted / rate)) if wanted else copies_per_node
    return copies, ceil(copies / copies_per_node) * nodes_per_copy


def training_option(model: Model, workload: Training, candidate: Candidate) -> Option | Refusal:
    """Return the fewest devices that hold the model and meet the deadline, or why the machines cannot."""
    fewest = _fewest_to_hold(model, candidate)
    if fewest is None:
        return _refuse(candidate, _too_small(training_need(model), candidate))
    is_tpu = candidate.machine.kind == "tpu"
    if isinstance(model, Embedding) and not is_tpu and fewest > candidate.devices:
        return _refuse(candidate, f"needs {fewest} devices, and nothing is known of the way between machines")
    slowest = _training_rate(model, Devices(candidate.figures, max(fewest, 2)), is_tpu) / max(fewest, 2)
    in_time = ceil(workload.amount / (slowest * workload.hours * _HOUR)) if workload.hours else 1
    devices = _whole(candidate, max(fewest, in_time))
    if devices is None:
        most = max(candidate.devices, *candidate.slices, 1)
        return _refuse(candidate, f"needs {max(fewest, in_time):,} chips, and its largest slice has {most:,}")
    rate = _training_rate(model, Devices(candidate.figures, devices), is_tpu)
    seconds = workload.amount / rate
    nodes = max(1, devices // candidate.devices)
    return Option(
        candidate=candidate,
        devices_per_copy=devices,
        copies=1,
        nodes=nodes,
        batch=1,
        rate=rate,
        held_by=fewest,
        seconds=seconds,
        costs=tuple(_costs(candidate, nodes, seconds / _HOUR)),
        notes=tuple(_notes(candidate, nodes, trains=True)),
    )


def _fewest_to_hold(model: Model, candidate: Candidate) -> int | None:
    """Return the fewest devices over which the state can be divided; None: one item's activations, which only
    the devices of a machine or slice share, leave no room for it."""
    need = training_need(model)
    together = max(candidate.devices, *candidate.slices, 1)
    usable = _usable(candidate)
    alone = ceil((need.fixed_bytes + need.item_bytes) / usable)
    if alone <= together:
        return max(1, alone)
    room = usable - need.item_bytes / together
    return ceil(need.fixed_bytes / room) if room > 0 else None


def _training_rate(model: Model, devices: Devices, is_tpu: bool) -> float:
    if not isinstance(model, Transformer):
        return _sample_rate(model, devices, trains=True)
    shape = derive_shape(model)
    precision = trained_in(model, devices.figures)
    return token_training_rate(shape, precision, devices, training_factor(shape, is_tpu))


def trained_in(model: Transformer, figures: DeviceFigures) -> Precision:
    """Return the precision of the arithmetic in training on that device: 16 bits where it lacks fp8."""
    return "fp8" if model.training_precision == "fp8" and "fp8" in figures.peaks else "bf16"


def _whole(candidate: Candidate, devices: int) -> int | None:
    """Return the least that can be rented at or above so many devices: whole machines, or a whole slice."""
    if candidate.pool and candidate.slices:
        chips = candidate.slices[0]
        return -(-devices // chips) * chips
    if candidate.machine.kind != "tpu":
        return -(-devices // candidate.devices) * candidate.devices
    return next((size for size in (candidate.devices, *candidate.slices) if size >= devices), None)


def _costs(candidate: Candidate, nodes: int, hours: float) -> Iterator[Cost]:
    for capacity in candidate.capacities:
        hourly = candidate.price.hourly(capacity) if candidate.price else None
        if hourly is not None:
            yield Cost(capacity, nodes * hourly, nodes * hourly * hours)


def _notes(candidate: Candidate, nodes: int, *, shared: int = 1, trains: bool = False) -> Iterator[str]:
    devices = nodes * candidate.devices
    if candidate.most_nodes is not None and nodes > candidate.most_nodes:
        yield f"needs {nodes:,} machines, the pool has at most {candidate.most_nodes:,}"
    if shared > MOST_SHARING:
        yield f"a copy on {shared} devices; measured on at most {MOST_SHARING}"
    is_slow = candidate.figures.link < FAST_LINK or candidate.devices < FULL_MACHINE
    if trains and nodes > 1 and candidate.machine.kind == "gpu" and is_slow:
        yield "several machines: measured on larger ones only"
    if trains and devices > MOST_MEASURED:
        yield f"more devices than the {MOST_MEASURED:,} of the largest run measured"
    if candidate.figures.unconfirmed:
        yield f"unconfirmed: {', '.join(candidate.figures.unconfirmed)}"
    if candidate.price and not candidate.price.confirmed:
        yield "unconfirmed: price"


def _refuse(candidate: Candidate, reason: str) -> Refusal:
    return Refusal(candidate.machine.name, candidate.pool, reason)


def _too_small(need: MemoryNeed, candidate: Candidate) -> str:
    most = max(candidate.devices, *candidate.slices, 1)
    gigabytes = (need.fixed_bytes + need.item_bytes) / 1e9
    return (
        f"too small: {gigabytes:,.1f} GB are needed, and {most} x {candidate.figures.memory / 1e9:,.0f} GB "
        f"hold {most * _usable(candidate) / 1e9:,.1f} GB"
    )
