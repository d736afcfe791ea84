"""Every fact names its source and its date, and the files stay quick to read."""

import datetime
import time

import pytest

from headroom.catalog.facts import fact_files, load_facts, parse_pairs


@pytest.mark.parametrize("name", fact_files())
def test_every_row_names_its_source_and_date(name: str) -> None:
    for row in load_facts(name):
        assert len(row["source"]) > 10, row
        assert isinstance(row["date"], datetime.date), row
        assert row["date"] <= datetime.date(2026, 12, 31), row


def test_all_data_files_are_known() -> None:
    assert fact_files() == (
        "accelerators",
        "apis",
        "attachable_gpus",
        "cpu_machines",
        "delivery_roles",
        "efficiency",
        "gpu_machines",
        "operations",
        "org_policies",
        "performance",
        "prices",
        "quotas",
        "regions",
        "roles",
        "rollouts",
        "topologies",
        "tpu_machines",
        "zones",
    )


def test_a_file_is_read_once() -> None:
    assert load_facts("zones") is load_facts("zones")


def test_reading_everything_takes_milliseconds() -> None:
    best = min(_seconds_to_read_everything() for _ in range(3))
    assert best < 0.1


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert parse_pairs("1g.5gb=7 gpu_family=NVIDIA_H100") == {"1g.5gb": "7", "gpu_family": "NVIDIA_H100"}
    assert parse_pairs("") == {}


def _seconds_to_read_everything() -> float:
    load_facts.cache_clear()
    started = time.perf_counter()
    for name in fact_files():
        load_facts(name)
    return time.perf_counter() - started
