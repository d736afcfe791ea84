"""Hardware advice as people read it: four answers, a table, and what they stand on."""

from collections.abc import Iterable, Iterator
from datetime import date

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from headroom.catalog.accelerators import find_accelerator
from headroom.catalog.machines import CapacityKind
from headroom.catalog.performance import Efficiency
from headroom.planning.advice import Advice, Comparison, oldest_price
from headroom.planning.hardware_options import Option
from headroom.report.tables import Column, make_console, print_table

STALE_DAYS = 60
"""From that age on it is said how old a list price is: spot prices move about every two weeks."""

_SHOWN_PROCESSORS, _NAMED = 3, 3
_HOUR = 3_600


def print_advice(advice: Advice, title: str, reasons: Iterable[str], today: date, *, every: bool) -> None:
    """Print the answers to standard output, and of the options the best on each accelerator, or every one.

    `reasons` say what decides about hardware for the model's architecture.
    """
    console = make_console()
    console.print(f"[bold]{escape(title)}[/bold]\n", soft_wrap=True)
    _print_answer(console, "How large is it, and what holds it?", _describe_size(advice))
    _print_answer(console, "Which hardware suits its architecture?", reasons)
    _print_answer(console, "Does other hardware perform better?", _describe_speed(advice))
    _print_answer(console, _cost_question(advice), _describe_costs(advice))
    if advice.options:
        _print_options(console, advice, every=every)
    _print_answer(console, "Not suitable", _describe_refusals(advice))
    _print_answer(console, "What this stands on", describe_sources(advice, today))


def _print_answer(console: Console, question: str, lines: Iterable[str]) -> None:
    told = list(lines)
    if told:
        console.print(f"[bold]{question}[/bold]", soft_wrap=True)
        for line in told:
            shown = (
                Padding(escape(line), (0, 0, 0, 2), expand=False)
                if console.is_terminal
                else f"  {escape(line)}"
            )
            console.print(shown, soft_wrap=not console.is_terminal)
        console.print()


def _describe_size(advice: Advice) -> Iterator[str]:
    need = advice.need
    parts = ", ".join(f"{part.name} {_gigabytes(part.size)}" for part in need.fixed)
    yield f"{_gigabytes(need.fixed_bytes)}: {parts}"
    if need.per_item:
        added = ", ".join(f"{part.name} {_gigabytes(part.size)}" for part in need.per_item)
        yield f"and {_gigabytes(need.item_bytes)} for each {need.item}: {added}"
    if advice.smallest:
        held = advice.smallest.held_by
        memory = held * advice.smallest.candidate.figures.memory
        yield (
            f"the least that holds it: {held:,} x {_short(advice.smallest.candidate.accelerator)}, "
            f"{_gigabytes(memory)}, as in {advice.smallest.candidate.machine.name}"
        )
    elif not advice.processors:
        yield f"nothing in {advice.region} holds it"
    if advice.estimated:
        yield f"estimated from its parameters: {', '.join(advice.estimated)}; state them for exact figures"


def _describe_speed(advice: Advice) -> Iterator[str]:
    if advice.fastest:
        yield f"fastest: {_name(advice.fastest)}, {_speed(advice, advice.fastest)}"
    for each in advice.comparisons:
        yield _compare_speed(advice, each)
    if advice.processors:
        yield "no speed is published for trees; measure on the smallest machine first"


def _compare_speed(advice: Advice, each: Comparison) -> str:
    if each.today is None:
        return f"pool {each.pool}: {each.reason}"
    told = f"pool {each.pool}: {_name(each.today)}, {_speed(advice, each.today)}"
    if each.faster is None:
        return f"{told}; nothing here is faster"
    if advice.phase == "serving" and each.today.seconds and each.faster.seconds:
        ratio = each.today.seconds / each.faster.seconds
    else:
        ratio = each.faster.device_rate / each.today.device_rate
    return f"{told}; {_name(each.faster)} is {ratio:.1f} times as fast"


def _speed(advice: Advice, option: Option) -> str:
    if advice.phase == "serving" and option.seconds:
        return f"{_duration(option.seconds)} for a request by itself"
    item = "requests" if advice.phase == "serving" else advice.item
    return f"{option.device_rate:,.0f} {item}/s on each device"


def _cost_question(advice: Advice) -> str:
    return "Is there cheaper hardware?" if advice.phase == "serving" else "Can it train on cheaper hardware?"


def _describe_costs(advice: Advice) -> Iterator[str]:
    for capacity, option in advice.cheapest:
        yield f"cheapest {_way(capacity)}: {_name(option)}, {_describe_cost(advice, option, capacity)}"
    for each in advice.comparisons:
        if each.today:
            yield f"pool {each.pool}: {_compare_cost(advice, each, each.today)}"
        else:
            yield f"pool {each.pool}: {each.reason}"
    for machine, price in advice.processors[:_SHOWN_PROCESSORS]:
        paid = " or ".join(
            f"USD {_rounded(hourly)}/h {_way(kind)}"
            for kind in machine.capacities
            if kind in ("on-demand", "spot") and (hourly := price.hourly(kind)) is not None
        )
        yield f"{machine.name}, {machine.vcpus} vCPUs, {machine.memory_mib // 1024} GiB: {paid}"
    if not advice.cheapest and not advice.processors:
        yield f"no price is known in {advice.region} of what holds it; state prices in headroom:prices"


def _describe_cost(advice: Advice, option: Option, capacity: CapacityKind) -> str:
    cost = option.cost(capacity)
    if cost is None:
        return "its price is not known"
    return f"USD {_rounded(cost.hourly)}/h, {_rounded(cost.unit)} a {advice.unit}"


def _compare_cost(advice: Advice, each: Comparison, today: Option) -> str:
    told = f"{_name(today)}, {_describe_cost(advice, today, each.capacity)}"
    if not each.cost_known:
        key = "flex_start" if each.capacity in ("flex-start", "queued") else "hour"
        told += f" ({each.capacity}); state it in headroom:prices.{today.candidate.machine.name}.{key}"
        return f"{told}{''.join(f'; {note}' for note in today.notes)}"
    told += "".join(f"; {note}" for note in today.notes)
    if each.cheaper is None:
        return f"{told}; nothing here is cheaper {_way(each.capacity)}"
    now = today.cost(each.capacity)
    other = each.cheaper.cost("spot" if each.capacity == "spot" else "on-demand")
    if now is None or other is None:
        return told
    return f"{told}; {_name(each.cheaper)} costs {1 - other.unit / now.unit:.0%} less"


def _way(capacity: CapacityKind) -> str:
    return {"on-demand": "on demand", "spot": "as spot"}.get(capacity, f"as {capacity}")


def _print_options(console: Console, advice: Advice, *, every: bool) -> None:
    shown = list(advice.options if every else best_by_accelerator(advice.options))
    serving = advice.phase == "serving"
    timed = any(option.seconds is not None for option in shown)
    speed = ("requests/s", "alone, s") if serving else (f"{advice.item}/s", "hours")
    columns = (
        Column("machine"),
        Column("device", below=3),
        Column("each copy on" if serving else "devices", right=True),
        Column("machines", right=True),
        *(Column(heading, right=True) for heading in (speed if timed else speed[:1])),
        Column("USD/h", right=True),
        Column("on demand", right=True),
        Column("as spot", right=True),
        Column("note", below=4),
    )
    rows = [_describe_option(option, serving=serving, timed=timed) for option in shown]
    hidden = len(advice.options) - len(shown)
    more = f"; {hidden} more machine types: --all" if hidden else ""
    print_table(console, f"Options in {advice.region}, USD a {advice.unit}{more}", columns, rows)
    console.print()


def best_by_accelerator(options: Iterable[Option]) -> Iterator[Option]:
    """Yield of options in order of preference the first with each accelerator."""
    seen: set[str] = set()
    for option in options:
        if option.candidate.accelerator not in seen:
            seen.add(option.candidate.accelerator)
            yield option


def _describe_option(option: Option, *, serving: bool, timed: bool) -> tuple[str, ...]:
    return (
        option.candidate.machine.name,
        _short(option.candidate.accelerator),
        f"{option.devices_per_copy:,}",
        f"{option.nodes:,}",
        f"{option.rate:,.1f}" if serving else f"{option.rate:,.0f}",
        *((_describe_time(option, 1 if serving else _HOUR),) if timed else ()),
        _describe_hourly(option),
        *(_describe_unit(option, kind) for kind in _KINDS),
        "; ".join(option.notes),
    )


def _describe_hourly(option: Option) -> str:
    """What the first way costs, in whose price the option is ranked; said where that is not on demand."""
    if not option.costs:
        return "?"
    first = option.costs[0]
    return f"{_rounded(first.hourly)}{'' if first.capacity == 'on-demand' else f' {first.capacity}'}"


_KINDS: tuple[CapacityKind, CapacityKind] = ("on-demand", "spot")


def _describe_time(option: Option, unit: int) -> str:
    return "" if option.seconds is None else _rounded(option.seconds / unit)


def _describe_unit(option: Option, kind: CapacityKind) -> str:
    if cost := option.cost(kind):
        return _rounded(cost.unit)
    return "?" if kind in option.candidate.capacities else "-"


def _describe_refusals(advice: Advice) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for refusal in advice.refusals:
        reasons.setdefault(refusal.reason, []).append(refusal.machine)
    for reason, machines in reasons.items():
        yield f"{', '.join(machines)}: {reason}"


def describe_sources(advice: Advice, today: date) -> Iterator[str]:
    """Yield a line for each source, with its date, and for what is uncertain."""
    for used in advice.efficiencies:
        yield _describe_efficiency(used)
    sources: dict[str, list[str]] = {}
    for figures in advice.figures:
        sources.setdefault(f"{figures.source}, {figures.date}", []).append(_short(figures.accelerator))
    for source, names in sources.items():
        yield f"figures of {', '.join(names)}: {source}"
    prices: dict[str, list[str]] = {}
    for price in advice.prices:
        prices.setdefault(f"{price.source}{f', {price.date}' if price.date else ''}", []).append(
            price.machine
        )
    for source, machines in prices.items():
        named = ", ".join(machines) if len(machines) <= _NAMED else f"{len(machines)} machine types"
        yield f"prices of {named} in {advice.region}: {source}"
    oldest = oldest_price(advice)
    if oldest and (today - oldest).days > STALE_DAYS:
        yield f"the oldest price is {(today - oldest).days} days old; headroom:prices overrides it"


def _describe_efficiency(used: Efficiency) -> str:
    told = f"{used.phase}: {used.factor:g} of the peak"
    if used.low is not None:
        told += f", published {used.low:g}" + (f" to {used.high:g}" if used.high != used.low else "")
    told += "" if used.confirmed else ", not measured by itself"
    if used.check:
        told += (
            f"; of {used.check.points} published measurements to which nothing was fitted the median is "
            f"within {used.check.median:g}x, the worst within {used.check.worst:g}x"
        )
    return f"{told} ({used.source}, {used.date})"


def _name(option: Option) -> str:
    machine, used = option.candidate.machine.name, option.devices_per_copy
    count = f"{option.nodes:,} x " if option.nodes > 1 else ""
    each = "" if used == option.devices else " a copy"
    return f"{count}{machine} ({used:,} x {_short(option.candidate.accelerator)}{each})"


def _short(accelerator: str) -> str:
    """`l4` for nvidia-l4, `v5e` for tpu-v5-lite-podslice."""
    found = find_accelerator(accelerator)
    return (
        found.generation
        if found and found.generation
        else accelerator.removeprefix("nvidia-").removeprefix("tesla-")
    )


def _gigabytes(size: float) -> str:
    gigabytes = size / 1e9
    if gigabytes >= 100:
        return f"{gigabytes:,.0f} GB"
    return f"{gigabytes:,.1f} GB" if gigabytes >= 1 else f"{gigabytes:,.2g} GB"


def _duration(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{seconds * 1000:,.3g} ms"


def _rounded(amount: float) -> str:
    if amount >= 1_000:
        return f"{amount:,.0f}"
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:,.3g}"
