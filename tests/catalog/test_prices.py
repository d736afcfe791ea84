"""List prices: dated, never derived as a discount, never zero."""

import datetime
from typing import Any

import pytest

from headroom.catalog.facts import load_facts
from headroom.catalog.machines import Machine, find_machine
from headroom.catalog.prices import Price, find_price, priced_regions
from headroom.catalog.zones import offers, zones_in

ROWS = [
    (group["region"], line.split()[0])
    for group in load_facts("prices")
    for line in group["prices"].splitlines()
]


def machine(name: str) -> Machine:
    found = find_machine(name)
    assert found is not None
    return found


def price(name: str, region: str = "us-central1") -> Price:
    found = find_price(machine(name), region)
    assert found is not None
    return found


def stated(**changes: Any) -> Price:
    row: dict[str, Any] = {"machine": "m", "region": "r", "on_demand": 2.0, "spot": 1.0, "flex_start": None}
    row |= {"confirmed": True, "source": "s", "date": None}
    return Price(**(row | changes))


@pytest.mark.parametrize(("region", "name"), ROWS)
def test_every_row_is_a_machine_that_the_region_offers_at_a_plausible_price(region: str, name: str) -> None:
    assert any(offers(zone, machine(name)) for zone in zones_in(region))
    found = price(name, region)
    assert found.on_demand is not None
    assert found.spot is not None
    assert 0 < found.spot < found.on_demand < 200
    assert isinstance(found.date, datetime.date)


def test_no_machine_is_listed_twice_in_a_region() -> None:
    assert len(set(ROWS)) == len(ROWS)


def test_the_regions_of_the_examples_have_prices() -> None:
    assert {"us-central1", "europe-west4"} <= set(priced_regions())


@pytest.mark.parametrize(
    ("name", "on_demand", "spot"),
    [
        ("g2-standard-48", 4.0017, 2.2496),
        ("g2-standard-96", 8.0034, 4.4992),
        ("g2-standard-12", 1.0004, 0.5624),
        ("a2-ultragpu-8g", 40.5504, 22.0760),
        ("a3-highgpu-1g", 11.0613, 6.3262),
        ("g4-standard-6", 0.5625, 0.2250),
        ("ct5lp-hightpu-8t", 9.6, 2.3816),
        ("n2-standard-64", 3.1076, 1.4740),
    ],
)
def test_machines_of_one_shape_cost_in_proportion(name: str, on_demand: float, spot: float) -> None:
    """Q6."""
    found = price(name)
    assert (found.on_demand, found.spot) == (
        pytest.approx(on_demand, abs=1e-3),
        pytest.approx(spot, abs=1e-3),
    )
    assert found.machine == name


@pytest.mark.parametrize("region", ["us-central1", "europe-west4", "us-east4"])
def test_the_computed_prices_agree_with_those_that_they_are_computed_from(region: str) -> None:
    small, eight, large = (price(f"g2-standard-{size}", region) for size in (4, 8, 48))
    for kind in ("on_demand", "spot"):
        vcpus = (getattr(large, kind) - 4 * getattr(eight, kind)) / 16
        assert getattr(small, kind) == pytest.approx(getattr(eight, kind) - 4 * vcpus, abs=2e-4)


@pytest.mark.parametrize(
    ("name", "region"),
    [("n2-highmem-16", "us-central1"), ("tpu7x-standard-4t", "us-central1"), ("g2-standard-48", "us-west4")],
)
def test_a_price_that_nobody_knows_is_none(name: str, region: str) -> None:
    assert find_price(machine(name), region) is None


def test_sources_that_contradict_each_other_are_marked() -> None:
    assert not price("a4-highgpu-8g").confirmed
    assert price("a3-highgpu-8g").confirmed


def test_each_way_to_obtain_a_machine_has_its_own_price() -> None:
    found = stated()
    assert [found.hourly(kind) for kind in ("on-demand", "reservation", "spot")] == [2.0, 2.0, 1.0]
    assert found.hourly("flex-start") is None
    assert stated(flex_start=1.5).hourly("queued") == 1.5


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"spot": 2.5}, "spot is above the price on demand"),
        ({"on_demand": 0.0}, "a price of nothing is an unknown price"),
        ({"spot": -1.0}, "a price of nothing is an unknown price"),
    ],
)
def test_a_price_that_can_only_be_wrong_is_refused(changes: dict[str, float], phrase: str) -> None:
    """Q6: spot above on demand is a wrong row, and a free machine an unknown one."""
    with pytest.raises(ValueError, match=phrase):
        stated(**changes)
