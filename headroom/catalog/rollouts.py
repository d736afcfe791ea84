"""Presets of deliveries: phases and retries in one word."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from headroom.catalog.facts import load_facts


@dataclass(frozen=True, slots=True)
class PresetPhase:
    """A phase: per cent of the requests, minutes of watching, and whether it waits for a person then."""

    percent: int
    minutes: int
    hold: bool


@dataclass(frozen=True, slots=True)
class RolloutPreset:
    """What a preset is for, and what it sets."""

    name: str
    purpose: str
    phases: tuple[PresetPhase, ...]
    retries: int


@cache
def load_presets() -> Mapping[str, RolloutPreset]:
    """Return the presets by name, read once for each process."""
    return {
        row["preset"]: RolloutPreset(row["preset"], row["for"], _read_phases(row["phases"]), row["retries"])
        for group in load_facts("rollouts")
        for row in group["presets"]
    }


def _read_phases(text: str) -> tuple[PresetPhase, ...]:
    phases = []
    for part in text.split(", "):
        share, _, hold = part.partition(" ")
        percent, minutes = share.split("/")
        phases.append(PresetPhase(int(percent), int(minutes), hold == "hold"))
    return tuple(phases)
