"""Regions and zones, and where machines are offered."""

import pytest

from headroom.catalog.accelerators import accelerator_names
from headroom.catalog.facts import load_facts
from headroom.catalog.machines import Machine, find_machine, machine_names
from headroom.catalog.zones import ZoneList, find_zones, offers, regions, zones_in, zones_with


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None, name
    return found


def test_all_regions_have_zones_of_their_own() -> None:
    assert len(regions()) == 44
    assert len(set(regions())) == len(regions())
    for region in regions():
        assert zones_in(region)
        assert all(zone.startswith(f"{region}-") for zone in zones_in(region))


def test_zones_are_not_always_a_b_c() -> None:
    assert zones_in("us-central1") == ("us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f")
    assert zones_in("us-east1") == ("us-east1-b", "us-east1-c", "us-east1-d")
    assert zones_in("europe-west1") == ("europe-west1-b", "europe-west1-c", "europe-west1-d")
    assert zones_in("mars-north1") == ()


def test_every_offer_names_existing_zones_and_something_that_the_catalog_has() -> None:
    existing = {zone for region in regions() for zone in zones_in(region)}
    families = {machine(name).family for name in machine_names()}
    offered = {name for row in load_facts("zones") for name in row["offered"]}
    assert offered - families <= set(accelerator_names())
    for name in offered:
        found = find_zones(name)
        assert found is not None
        assert set(found.zones) <= existing, name
        assert len(set(found.zones)) == len(found.zones), name


@pytest.mark.parametrize("name", machine_names())
def test_every_machine_is_known_to_be_somewhere(name: str) -> None:
    found = find_zones(name)
    assert found is not None
    assert found.zones


@pytest.mark.parametrize(
    ("name", "present", "absent"),
    [
        ("a3-highgpu-8g", "us-central1-a", "us-central1-f"),
        ("a3-ultragpu-8g", "europe-west1-b", "us-central1-a"),
        ("a4-highgpu-8g", "us-central1-b", "us-central1-a"),
        ("a4x-highgpu-4g", "us-central1-a", "us-central1-b"),
        ("g2-standard-4", "europe-west4-c", "europe-west1-d"),
        ("g4-standard-48", "us-central1-b", "us-central1-a"),
        ("ct4p-hightpu-4t", "us-central2-b", "us-central1-b"),
        ("ct5lp-hightpu-4t", "us-west4-a", "us-central1-f"),
        ("ct5p-hightpu-4t", "us-east5-a", "us-west4-a"),
        ("ct6e-standard-4t", "europe-west4-a", "europe-west4-b"),
        ("t2a-standard-4", "us-central1-f", "us-central1-c"),
        ("c4a-standard-4", "us-west1-a", "us-west1-b"),
        ("n1-standard-4", "us-central2-b", "us-east5-a"),
    ],
)
def test_a_machine_is_in_some_zones_and_not_in_others(name: str, present: str, absent: str) -> None:
    zones = zones_with(name)
    assert zones is not None
    assert present in zones
    assert absent not in zones
    assert zones == zones_with(machine(name).family)
    assert offers(present, machine(name)) is True
    assert offers(absent, machine(name)) is False


def test_a_list_with_gaps_leaves_other_zones_unknown() -> None:
    tpu7x = machine("tpu7x-standard-4t")
    assert find_zones("tpu7x-standard-4t") == ZoneList(("us-central1-c",), complete=False)
    assert zones_with("tpu7x-standard-4t") is None
    assert offers("us-central1-c", tpu7x) is True
    assert offers("us-east5-a", tpu7x) is None


def test_what_the_catalog_does_not_know_is_unknown_everywhere() -> None:
    assert find_zones("x9-standard-4") is None
    assert zones_with("x9-standard-4") is None


def test_an_attached_gpu_narrows_the_zones_of_its_machine() -> None:
    n1 = machine("n1-standard-8")
    assert offers("us-central1-b", n1) is True
    assert offers("us-central1-b", n1, "nvidia-tesla-t4") is True
    assert offers("us-central1-b", n1, "nvidia-tesla-p4") is False
    assert offers("us-central1-b", n1, "nvidia-unheard-of") is None


def test_an_accelerator_is_where_any_machine_with_it_is() -> None:
    highgpu, megagpu = zones_with("a2-highgpu-1g"), zones_with("a2-megagpu-16g")
    assert highgpu is not None
    assert megagpu is not None
    assert set(zones_with("nvidia-tesla-a100") or ()) == set(highgpu) | set(megagpu)
    assert zones_with("tpu-v6e-slice") == zones_with("ct6e-standard-4t")
    assert zones_with("tpu7x") is None
    assert "us-central1-c" in (zones_with("nvidia-tesla-v100") or ())
