"""Builders of small, valid inputs; each test overrides what it is about."""

import copy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

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
