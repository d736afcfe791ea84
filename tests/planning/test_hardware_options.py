"""Ways to serve or train on given machines: what fits, how many, how fast, at what cost."""

from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from headroom.catalog.machines import find_machine
from headroom.catalog.performance import find_figures
from headroom.catalog.prices import find_price
from headroom.planning.hardware_options import (
    Candidate,
    Option,
    Refusal,
    Serving,
    Training,
    serving_options,
    training_option,
)
from headroom.spec.models import Model

ADAPTER: TypeAdapter[Model] = TypeAdapter(Model)


def model(**keys: Any) -> Model:
    return ADAPTER.validate_python({"architecture": "transformer", "parameters": "8B"} | keys)


def images(**keys: Any) -> Model:
    described = {"architecture": "convolutional", "parameters": "25M", "flops_per_sample": "8G"}
    return ADAPTER.validate_python(described | {"activations_per_sample": "90Mi"} | keys)


def tables(rows: str) -> Model:
    return ADAPTER.validate_python(
        {"architecture": "embedding", "rows": rows, "dimension": 128, "lookups_per_sample": 100}
    )


def candidate(name: str, slices: tuple[int, ...] = (), **keys: Any) -> Candidate:
    machine = find_machine(name)
    assert machine is not None
    figures = find_figures(machine.accelerator or "")
    assert figures is not None
    described: dict[str, Any] = {
        "machine": machine,
        "accelerator": figures.accelerator,
        "devices": machine.devices,
        "figures": figures,
        "price": find_price(machine, "us-central1"),
        "capacities": tuple(kind for kind in machine.capacities if kind in ("on-demand", "spot")),
        "slices": slices,
    }
    return Candidate(**(described | keys))


def served(
    name: str, rate: float | None = None, slices: tuple[int, ...] = (), **keys: Any
) -> tuple[Option, ...]:
    found = serving_options(model(**keys), Serving(rate, 1_000, 250, None), candidate(name, slices))
    assert not isinstance(found, Refusal), found
    return found


def trained(name: str, amount: int, hours: float | None, **keys: Any) -> Option:
    found = training_option(model(**keys), Training(amount, hours), candidate(name))
    assert not isinstance(found, Refusal), found
    return found


def test_a_copy_goes_on_as_few_devices_as_hold_it_and_on_more() -> None:
    """Q6: 16 GB of weights do not go on one v5e, and do on four."""
    assert [option.devices_per_copy for option in served("ct5lp-hightpu-8t")] == [2, 4, 8]
    assert [option.devices_per_copy for option in served("g2-standard-48")] == [1, 2, 4]
    assert {option.held_by for option in served("ct5lp-hightpu-8t")} == {2}


def test_a_copy_goes_on_more_devices_than_were_measured_only_where_it_must() -> None:
    assert max(option.devices_per_copy for option in served("ct5lp-hightpu-4t", slices=(8, 16, 32))) == 8
    large = served("ct5lp-hightpu-4t", slices=(8, 16, 32), parameters="70B")
    assert [option.devices_per_copy for option in large] == [16]
    assert large[0].notes == ("a copy on 16 devices; measured on at most 8",)
    assert large[0].nodes == 4


def test_what_does_not_fit_is_refused_with_what_is_needed_and_what_there_is() -> None:
    """Q6."""
    found = serving_options(
        model(parameters="70B"), Serving(None, 1_000, 250, None), candidate("g2-standard-48")
    )
    assert isinstance(found, Refusal)
    assert found.reason == "too small: 140.4 GB are needed, and 4 x 24 GB hold 86.4 GB"


def test_fp8_halves_what_is_needed() -> None:
    assert served("g2-standard-48", parameters="70B", precision="fp8")[0].devices_per_copy == 4


def test_fp32_is_refused_since_no_peak_is_known() -> None:
    found = serving_options(model(precision="fp32"), Serving(1, 10, 10, None), candidate("g2-standard-48"))
    assert isinstance(found, Refusal)
    assert "no peak in fp32" in found.reason


@given(st.floats(0.1, 5_000), st.sampled_from(["g2-standard-48", "a3-highgpu-8g", "ct5lp-hightpu-8t"]))
def test_the_copies_meet_the_rate_and_none_is_too_many(rate: float, name: str) -> None:
    """Q6."""
    for option in served(name, rate):
        one = option.rate / option.copies
        assert option.rate >= rate * 0.999_999
        assert (option.copies - 1) * one < rate
        per_node = option.candidate.devices // option.devices_per_copy
        assert option.nodes == ceil(option.copies / per_node)


def test_without_a_rate_a_machine_is_filled() -> None:
    for option in served("a3-highgpu-8g"):
        assert option.copies * option.devices_per_copy == 8
        assert option.nodes == 1


def test_costs_are_those_of_the_machines_for_a_million_tokens_that_are_wanted() -> None:
    """Q6."""
    option = served("g2-standard-48", 20.0)[0]
    cost = option.cost("on-demand")
    assert cost is not None
    assert cost.hourly == pytest.approx(option.nodes * 4.0017)
    assert cost.unit == pytest.approx(cost.hourly / (20 * 250 * 3600) * 1e6)


def test_a_machine_that_is_not_offered_on_demand_has_no_such_cost() -> None:
    """Q6: whatever price is listed."""
    option = served("a4-highgpu-8g")[0]
    assert option.cost("on-demand") is None
    assert option.cost("spot") is not None
    assert "unconfirmed: price" in option.notes


def test_without_a_price_there_is_no_cost() -> None:
    """Q6: unknown is not zero."""
    assert served("tpu7x-standard-4t")[0].costs == ()


def test_a_batch_that_is_stated_bounds_what_is_in_flight() -> None:
    found = serving_options(model(), Serving(None, 1_000, 250, 4), candidate("a3-highgpu-8g"))
    assert not isinstance(found, Refusal)
    assert {option.batch for option in found} == {4}


def test_networks_of_convolutions_are_copied_never_divided() -> None:
    found = serving_options(images(), Serving(3_000, 1, 0, None), candidate("a3-highgpu-8g"))
    assert not isinstance(found, Refusal)
    assert [(option.devices_per_copy, option.seconds) for option in found] == [(1, None)]


def test_training_takes_the_devices_that_the_deadline_needs_in_whole_machines() -> None:
    """Q6."""
    option = trained("a3-highgpu-8g", 10**12, 336)
    assert option.seconds <= 336 * 3600
    assert option.devices_per_copy % 8 == 0
    assert option.rate * option.seconds == pytest.approx(10**12)
    slower = trained("a3-highgpu-8g", 10**12, 336 * 4)
    assert slower.nodes < option.nodes


def test_training_without_a_deadline_takes_the_fewest_devices_that_hold_the_state() -> None:
    """Q6: 16 bytes a parameter are 128 GB, for which two A100s of 80 GB are enough and one is not."""
    option = trained("a2-ultragpu-1g", 10**9, None)
    assert (option.held_by, option.nodes) == (2, 2)


def test_a_run_costs_the_same_however_many_machines_share_it() -> None:
    quick, slow = (trained("a3-highgpu-8g", 10**12, hours).cost("on-demand") for hours in (100, 1_000))
    assert quick is not None
    assert slow is not None
    assert quick.unit == pytest.approx(slow.unit, rel=1e-6)


def test_training_on_tpus_takes_a_whole_slice_or_is_refused() -> None:
    slices = (8, 16, 32, 64)
    found = training_option(model(), Training(10**11, 336), candidate("ct5lp-hightpu-4t", slices))
    assert not isinstance(found, Refusal)
    assert found.devices_per_copy in slices
    refused = training_option(model(), Training(10**13, 336), candidate("ct5lp-hightpu-4t", slices))
    assert isinstance(refused, Refusal)
    assert "its largest slice has 64" in refused.reason


def test_several_small_machines_are_marked_as_unmeasured() -> None:
    assert "several machines: measured on larger ones only" in trained("a2-ultragpu-1g", 10**9, None).notes
    assert trained("a3-highgpu-8g", 10**12, 336).notes == ()


def test_tables_that_one_machine_does_not_hold_are_refused_on_gpus() -> None:
    """Q6: capacity first; nothing is known of the way between machines."""
    fits = training_option(tables("100M"), Training(10**9, None), candidate("a2-ultragpu-8g"))
    assert not isinstance(fits, Refusal)
    assert fits.held_by == 2
    found = training_option(tables("5B"), Training(10**9, None), candidate("a2-ultragpu-8g"))
    assert isinstance(found, Refusal)
    assert "nothing is known of the way between machines" in found.reason


def test_a_pool_that_is_too_small_is_marked() -> None:
    pool = candidate("a3-highgpu-8g", pool="h100", most_nodes=2)
    found = training_option(model(), Training(10**12, 336), pool)
    assert not isinstance(found, Refusal)
    assert found.notes == (f"needs {found.nodes} machines, the pool has at most 2",)
