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


# Unit tests that start processes, run the whole program, or try hundreds of platforms: seconds each.
SLOW = (
    "bootstrap/",
    "cli/",
    "components/",
    "live/test_preflight.py",
    "live/test_stack_state.py",
    "metrics/test_examples.py",
    "planning/test_layout_properties.py",
    "planning/test_plan_properties.py",
    "policies/test_all_rules.py",
    "policies/test_corpus.py",
    "policies/test_offline.py",
    "policies/test_operations.py",
    "sandbox/control_plane/test_processes.py",
    "sandbox/engine/test_language_host.py",
    "sandbox/provider/test_serving.py",
    "spec/test_fuzz.py",
    "structure/test_benchmarks.py",
    "structure/test_policy_benchmark.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = tuple(f"tests/{place}" for place in SLOW)
    for item in items:
        if item.nodeid.startswith(places):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def config() -> dict[str, Any]:
    """The smallest valid configuration, to change at will."""
    return copy.deepcopy(MINIMAL)


@pytest.fixture
def root() -> Path:
    return ROOT
