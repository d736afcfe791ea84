"""What devices can do at most, and how much of it real programs reach."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from headroom.catalog.facts import load_facts

Precision = Literal["fp32", "bf16", "fp8", "int8", "int4"]
"""How a number is kept. What is kept in fp32 or int4 is computed in bf16."""

Phase = Literal[
    "decode",
    "prefill",
    "link",
    "training",
    "sparse-training-gpu",
    "sparse-training-tpu",
    "convolution-training",
    "convolution-inference",
    "embedding",
    "memory",
]

_BYTES: dict[Precision, float] = {"fp32": 4, "bf16": 2, "fp8": 1, "int8": 1, "int4": 0.5}
_SIZES = {"GiB": 2**30, "GB": 10**9}
_COMPUTED_IN = ("bf16", "fp16")


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """The published figures of one GPU or TPU chip."""

    accelerator: str
    memory: float
    """Bytes."""
    bandwidth: float
    """Bytes a second, of its memory."""
    peaks: Mapping[str, float] = field(hash=False)
    """Precision of the arithmetic -> dense operations a second."""
    link: float
    """Bytes a second to the other devices of a machine or slice, both directions together."""
    unconfirmed: tuple[str, ...]
    """Figures for which no source could be read."""
    source: str
    date: datetime.date

    def peak(self, precision: Precision) -> float:
        """Return the operations a second with numbers of that precision.

        Where the device has no arithmetic for it, numbers are converted to 16 bits first.
        """
        return self.peaks[self.arithmetic(precision)]

    def arithmetic(self, precision: Precision) -> str:
        """Return in what the device computes with numbers of that precision: `fp8`, `bf16`, `fp16`, ..."""
        return next(name for name in (precision, *_COMPUTED_IN) if name in self.peaks)


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The share of a peak that real programs reach in a phase, and the range that was published."""

    phase: Phase
    factor: float
    low: float | None
    high: float | None
    """Of the published measurements; None: there are none."""
    confirmed: bool
    """False: nothing was measured in this phase by itself."""
    check: "Check | None"
    """How well estimates agree with other measurements; None: there are no others."""
    source: str
    date: datetime.date


@dataclass(frozen=True, slots=True)
class Check:
    """How far estimates were from published measurements to which nothing was fitted, as ratios."""

    points: int
    median: float
    worst: float


def find_figures(accelerator: str) -> DeviceFigures | None:
    """Return what is published about an accelerator, or None where the catalog has nothing."""
    return _figures().get(accelerator)


def efficiency(phase: Phase) -> Efficiency:
    """Return what real programs reach in that phase."""
    return _efficiencies()[phase]


def bytes_of(precision: Precision) -> float:
    """Return the bytes that a number takes, without the scales that quantization adds."""
    return _BYTES[precision]


@cache
def _figures() -> dict[str, DeviceFigures]:
    return {
        name: _read_figures(name, row, group)
        for group in load_facts("performance")
        for name, row in group["devices"].items()
    }


def _read_figures(name: str, row: dict[str, Any], group: dict[str, Any]) -> DeviceFigures:
    return DeviceFigures(
        accelerator=name,
        memory=_parse_size(row["memory"]),
        bandwidth=row["bandwidth"] * 1e9,
        peaks={key: row[key] * 1e12 for key in ("bf16", "fp16", "fp8", "int8") if key in row},
        link=row["link"] * 1e9,
        unconfirmed=tuple(row.get("unconfirmed", "").split()),
        source=group["source"],
        date=group["date"],
    )


def _parse_size(text: str) -> float:
    unit = "GiB" if text.endswith("GiB") else "GB"
    return float(text.removesuffix(unit)) * _SIZES[unit]


@cache
def _efficiencies() -> dict[Phase, Efficiency]:
    return {
        phase: Efficiency(
            phase=phase,
            factor=row["factor"],
            low=row.get("low"),
            high=row.get("high"),
            confirmed=row.get("confirmed", True),
            check=Check(**row["check"]) if "check" in row else None,
            source=group["source"],
            date=group["date"],
        )
        for group in load_facts("efficiency")
        for phase, row in group["factors"].items()
    }
