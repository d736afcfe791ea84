"""Builders of small, valid inputs; each test overrides what it is about."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# How long an example takes depends on what else the machine does; a test never depends on that.
settings.register_profile("headroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headroom")

MINIMAL: dict[str, Any] = {
    "gcp:project": "acme-ml-test",
    "gcp:region": "us-central1",
    "headroom:environment": {"tier": "development"},
    "headroom:cluster": {"zones": ["us-central1-a", "us-central1-b"]},
    "headroom:pools": {"cpu": {"machine": "n2-standard-16", "nodes": {"max": 4}}},
}


@pytest.fixture
def config() -> dict[str, Any]:
    """The smallest valid configuration, to change at will."""
    return copy.deepcopy(MINIMAL)


@pytest.fixture
def root() -> Path:
    return ROOT
