"""Which hardware suits a model: what holds it, what is fastest or cheapest, and how today's pools compare."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from headroom.catalog.machines import CapacityKind, Machine, find_machine, machine_names
from headroom.catalog.performance import DeviceFigures, Efficiency, Phase, efficiency, find_figures
from headroom.catalog.prices import Price, find_price
from headroom.catalog.topologies import hosts, parse_topology, valid_topologies
from headroom.catalog.zones import offers, zones_in
from headroom.planning.hardware_options import (
    Candidate,
    Option,
    Refusal,
    Serving,
    Training,
    serving_options,
    training_option,
)
from headroom.planning.model_memory import MemoryNeed, derive_shape, serving_need, training_need
from headroom.planning.node_pools import PoolPlan
from headroom.spec.models import Convolutional, Embedding, Model, Transformer, Trees
from headroom.spec.prices import MachinePrice

Workload = Serving | Training


@dataclass(frozen=True, slots=True)
class Comparison:
    """Today's pool beside the best there is."""

    pool: str
    today: Option | None
    """None: the pool cannot do it at all, or nothing is known of its devices."""
    reason: str
    """Why not, where it cannot."""
    capacity: CapacityKind
    cheaper: Option | None
    """The cheapest option that is obtained the same way and costs less; None: there is none, or a price is
    not known."""
    cost_known: bool
    faster: Option | None
    """The fastest option, where it is faster; None: the pool is the fastest."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The answers about one model, for serving or for training it."""

    phase: Literal["serving", "training"]
    unit: Literal["million tokens", "million requests", "run"]
    """What a cost is for."""
    item: Literal["tokens", "samples"]
    """What a rate of training counts."""
    region: str
    need: MemoryNeed
    options: tuple[Option, ...]
    """The best layout on each machine type, the cheapest first; without a price last."""
    refusals: tuple[Refusal, ...]
    smallest: Option | None
    """That which holds the model with the least memory."""
    cheapest: tuple[tuple[CapacityKind, Option], ...]
    fastest: Option | None
    """Shortest time for a request by itself; where that is not estimated, and in training, the highest rate
    of a device."""
    comparisons: tuple[Comparison, ...]
    processors: tuple[tuple[Machine, Price], ...]
    """Machines without accelerators that hold the model, the cheapest first; for trees only."""
    estimated: tuple[str, ...]
    """Dimensions of the model that were estimated."""
    figures: tuple[DeviceFigures, ...]
    efficiencies: tuple[Efficiency, ...]
    prices: tuple[Price, ...]
    """What the options stand on."""


def advise(
    model: Model,
    workload: Workload,
    region: str,
    prices: Mapping[str, MachinePrice],
    pools: Iterable[PoolPlan] = (),
) -> Advice:
    """Weigh all machines that the region offers, and the pools of a stack, for a model.

    `prices` are those that the stack file states; all others are list prices.
    """
    need = _need(model, workload)
    trees = isinstance(model, Trees)
    catalog = [] if trees else [_weigh(model, workload, each) for each in _candidates(region, prices)]
    options = [option for found in catalog if not isinstance(found, Refusal) for option in found]
    ranked = tuple(_rank(workload, options))
    fastest = min(options, key=lambda option: _slowness(workload, option), default=None)
    comparisons = (
        [] if trees else [_compare(model, workload, pool, region, prices, ranked, fastest) for pool in pools]
    )
    return Advice(
        phase="serving" if isinstance(workload, Serving) else "training",
        unit=_unit(model, workload),
        item="tokens" if isinstance(model, Transformer) else "samples",
        region=region,
        need=need,
        options=ranked,
        refusals=tuple(found for found in catalog if isinstance(found, Refusal)),
        smallest=min(options, key=_size, default=None),
        cheapest=tuple(_cheapest(ranked)),
        fastest=fastest,
        comparisons=tuple(comparisons),
        processors=_processors(need, region, prices) if trees else (),
        estimated=derive_shape(model).estimated if isinstance(model, Transformer) else (),
        figures=_figures(options),
        efficiencies=tuple(efficiency(phase) for phase in _phases(model, workload)),
        prices=tuple(option.candidate.price for option in ranked if option.candidate.price),
    )


def _unit(model: Model, workload: Workload) -> Literal["million tokens", "million requests", "run"]:
    if isinstance(workload, Training):
        return "run"
    return "million tokens" if isinstance(model, Transformer) and workload.answer else "million requests"


def _need(model: Model, workload: Workload) -> MemoryNeed:
    if isinstance(workload, Training):
        return training_need(model)
    return serving_need(model, workload.prompt + workload.answer)


def _weigh(model: Model, workload: Workload, candidate: Candidate) -> tuple[Option, ...] | Refusal:
    if isinstance(workload, Serving):
        return serving_options(model, workload, candidate)
    found = training_option(model, workload, candidate)
    return found if isinstance(found, Refusal) else (found,)


def _candidates(region: str, prices: Mapping[str, MachinePrice]) -> Iterator[Candidate]:
    """Yield the machines with accelerators that a zone of the region has, as far as is known."""
    for name in machine_names():
        machine = find_machine(name)
        figures = find_figures(machine.accelerator or "") if machine else None
        if machine is None or figures is None or machine.device_fraction != 1:
            continue
        if any(offers(zone, machine) for zone in zones_in(region)):
            yield Candidate(
                machine=machine,
                accelerator=figures.accelerator,
                devices=machine.devices,
                figures=figures,
                price=price_of(machine, region, prices),
                capacities=tuple(kind for kind in machine.capacities if kind in ("on-demand", "spot")),
                slices=_slices(machine),
            )


def _slices(machine: Machine) -> tuple[int, ...]:
    topologies = map(parse_topology, valid_topologies(machine))
    return tuple(sorted({each.chips for each in topologies if hosts(machine, each) > 1}))


def price_of(machine: Machine, region: str, prices: Mapping[str, MachinePrice]) -> Price | None:
    """Return what the stack file says that a machine costs, else its list price; None: nobody knows."""
    stated = prices.get(machine.name)
    if stated is None:
        return find_price(machine, region)
    return Price(
        machine=machine.name,
        region=region,
        on_demand=stated.hour,
        spot=stated.spot,
        flex_start=stated.flex_start,
        confirmed=True,
        source="headroom:prices of the stack file",
        date=None,
    )


def _rank(workload: Workload, options: Iterable[Option]) -> Iterator[Option]:
    """Yield the layout of each machine type that costs least, the cheapest type first.

    What serves is ranked by its price on demand, since spot machines are taken away; those without are last.
    """
    seen: set[str] = set()
    for option in sorted(options, key=lambda option: _dearness(workload, option)):
        if option.candidate.machine.name not in seen:
            seen.add(option.candidate.machine.name)
            yield option


def _rounded(amount: float) -> float:
    """Return the amount to four digits, so that what costs the same is not told apart by rounding errors."""
    return float(f"{amount:.4g}")


def _dearness(workload: Workload, option: Option) -> tuple[float, ...]:
    least = _rounded(min((cost.unit for cost in option.costs), default=float("inf")))
    lasting = option.cost("on-demand")
    first = least if isinstance(workload, Training) or lasting is None else _rounded(lasting.unit)
    interrupted = isinstance(workload, Serving) and lasting is None
    return (interrupted, first, least, option.nodes, option.seconds or 0)


def _slowness(workload: Workload, option: Option) -> tuple[float, int]:
    if isinstance(workload, Serving) and option.seconds is not None:
        return option.seconds, option.devices_per_copy
    return -option.device_rate, option.devices


def _size(option: Option) -> tuple[float, ...]:
    held, machine = option.held_by * option.candidate.figures.memory, option.candidate.machine
    return held, machine.devices, machine.vcpus, machine.memory_mib


def _cheapest(options: Iterable[Option]) -> Iterator[tuple[CapacityKind, Option]]:
    kinds: tuple[CapacityKind, ...] = ("on-demand", "spot")
    for capacity in kinds:
        priced = [(cost.unit, option) for option in options if (cost := option.cost(capacity))]
        if priced:
            yield capacity, min(priced, key=lambda pair: pair[0])[1]


def _compare(
    model: Model,
    workload: Workload,
    pool: PoolPlan,
    region: str,
    prices: Mapping[str, MachinePrice],
    options: tuple[Option, ...],
    fastest: Option | None,
) -> Comparison:
    found = _weigh_pool(model, workload, pool, region, prices)
    if isinstance(found, str):
        return Comparison(pool.name, None, found, pool.capacity, None, cost_known=False, faster=None)
    same: CapacityKind = "spot" if pool.capacity == "spot" else "on-demand"
    today = found.cost(pool.capacity)
    priced = [(cost.unit, option) for option in options if (cost := option.cost(same))]
    best = min(priced, key=lambda pair: pair[0], default=None)
    return Comparison(
        pool=pool.name,
        today=found,
        reason="",
        capacity=pool.capacity,
        cheaper=best[1] if best and today and best[0] < today.unit else None,
        cost_known=today is not None,
        faster=fastest
        if fastest and _slowness(workload, fastest)[0] < _slowness(workload, found)[0]
        else None,
    )


def _weigh_pool(
    model: Model, workload: Workload, pool: PoolPlan, region: str, prices: Mapping[str, MachinePrice]
) -> Option | str:
    """Return the cheapest way in which a pool can do it, or why it cannot."""
    if pool.accelerator is None:
        return "has no accelerator; nothing is published about such models on processors"
    figures = find_figures(pool.accelerator.name)
    if figures is None:
        return f"nothing about {pool.accelerator.name} is in the catalog"
    if pool.devices_per_node != pool.physical_devices or pool.machine.device_fraction != 1:
        return "its GPUs are divided, and nothing is published about parts"
    chips = pool.physical_devices * pool.hosts_per_slice
    candidate = Candidate(
        machine=pool.machine,
        accelerator=figures.accelerator,
        devices=pool.physical_devices,
        figures=figures,
        price=price_of(pool.machine, region, prices),
        capacities=(pool.capacity,),
        slices=(chips,) if pool.hosts_per_slice > 1 else (),
        pool=pool.name,
        most_nodes=pool.max_nodes,
    )
    found = _weigh(model, workload, candidate)
    if isinstance(found, Refusal):
        return found.reason
    return min(found, key=lambda option: _dearness(workload, option))


def _processors(
    need: MemoryNeed, region: str, prices: Mapping[str, MachinePrice]
) -> tuple[tuple[Machine, Price], ...]:
    machines = (find_machine(name) for name in machine_names())
    holding = [
        (machine, price)
        for machine in machines
        if machine
        and machine.kind == "cpu"
        and machine.memory_mib * 2**20 * efficiency("memory").factor >= need.fixed_bytes
        and (price := price_of(machine, region, prices))
    ]
    return tuple(sorted(holding, key=lambda pair: pair[1].on_demand or float("inf")))


def _figures(options: Iterable[Option]) -> tuple[DeviceFigures, ...]:
    return tuple({option.candidate.accelerator: option.candidate.figures for option in options}.values())


def _phases(model: Model, workload: Workload) -> tuple[Phase, ...]:
    trains = isinstance(workload, Training)
    if isinstance(model, Embedding):
        return ("memory", "embedding", "link")
    if isinstance(model, Convolutional):
        return ("memory", "convolution-training" if trains else "convolution-inference")
    if not isinstance(model, Transformer):
        return ("memory",)
    if not trains:
        return ("memory", "decode", "prefill", "link")
    if not derive_shape(model).is_sparse:
        return ("memory", "training")
    return ("memory", "sparse-training-gpu", "sparse-training-tpu")


def oldest_price(advice: Advice) -> datetime.date | None:
    """Return the day of the oldest list price that the advice stands on; None: it stands on none."""
    return min((price.date for price in advice.prices if price.date), default=None)
