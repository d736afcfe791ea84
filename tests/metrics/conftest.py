"""Exporters to test with; the library is a distribution of its own, found here in its source folder."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "metrics" / "src"
sys.path.insert(0, str(SOURCE))

from headroom_metrics import Exporter, Identity  # noqa: E402

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
Read = Callable[..., float | None]


@pytest.fixture
def data() -> Exporter:
    return Exporter(Identity("prod", "clicks-data", "data", "group:ads@acme.example", "production"))


@pytest.fixture
def training() -> Exporter:
    return Exporter(Identity("prod", "clicks-training", "training", "group:ads@acme.example", "production"))


@pytest.fixture
def serving() -> Exporter:
    return Exporter(
        Identity("prod", "clicks-serving", "serving", "group:ads@acme.example", "production", "7", "canary")
    )


@pytest.fixture
def read() -> Read:
    """The value of the one series of an exporter with that name and those labels; None where it is not."""

    def find(exporter: Exporter, name: str, **labels: str) -> float | None:
        found = [
            sample.value
            for family in exporter.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) < 2, f"{name} {labels}: {len(found)} series"
        return found[0] if found else None

    return find
