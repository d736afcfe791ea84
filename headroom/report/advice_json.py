"""Hardware advice as JSON, for jobs and for `jq`."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from headroom.planning.advice import Advice, Comparison
from headroom.planning.hardware_options import Option
from headroom.report.advice_table import describe_sources


def render_advice(advice: Advice, reasons: Iterable[str], today: date) -> str:
    """Return the advice as JSON text: sizes in bytes, times in seconds, money in USD; null is not known."""
    return json.dumps(describe_advice(advice, reasons, today), indent=2)


def describe_advice(advice: Advice, reasons: Iterable[str], today: date) -> dict[str, Any]:
    """Return the advice as plain data, with every option and why other machines are none."""
    return {
        "phase": advice.phase,
        "region": advice.region,
        "unit": advice.unit,
        "need": {
            "fixed_bytes": advice.need.fixed_bytes,
            "fixed": [asdict(part) for part in advice.need.fixed],
            "item": advice.need.item,
            "item_bytes": advice.need.item_bytes,
            "per_item": [asdict(part) for part in advice.need.per_item],
            "estimated": list(advice.estimated),
        },
        "architecture": list(reasons),
        "smallest": _describe(advice.smallest),
        "fastest": _describe(advice.fastest),
        "cheapest": {capacity: _describe(option) for capacity, option in advice.cheapest},
        "pools": [_describe_comparison(each) for each in advice.comparisons],
        "options": [_describe(option) for option in advice.options],
        "processors": [
            {"machine": machine.name, "on_demand": price.on_demand, "spot": price.spot}
            for machine, price in advice.processors
        ],
        "refusals": [asdict(refusal) for refusal in advice.refusals],
        "sources": list(describe_sources(advice, today)),
    }


def _describe(option: Option | None) -> dict[str, Any] | None:
    if option is None:
        return None
    return {
        "machine": option.candidate.machine.name,
        "accelerator": option.candidate.accelerator,
        "devices_per_copy": option.devices_per_copy,
        "copies": option.copies,
        "machines": option.nodes,
        "batch": option.batch,
        "rate": option.rate,
        "seconds": option.seconds,
        "costs": {
            capacity: {"hourly": cost.hourly, "unit": cost.unit} if (cost := option.cost(capacity)) else None
            for capacity in option.candidate.capacities
        },
        "notes": list(option.notes),
    }


def _describe_comparison(each: Comparison) -> dict[str, Any]:
    return {
        "pool": each.pool,
        "capacity": each.capacity,
        "today": _describe(each.today),
        "reason": each.reason or None,
        "cheaper": _describe(each.cheaper),
        "faster": _describe(each.faster),
    }
