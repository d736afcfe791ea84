"""The four answers about hardware, for each architecture (Q6)."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from headroom.planning.advice import Advice, advise, oldest_price
from headroom.planning.architecture import explain_architecture
from headroom.planning.hardware_options import Option, Serving, Training
from headroom.planning.node_pools import PoolPlan
from headroom.spec.models import Model
from headroom.spec.prices import MachinePrice

ADAPTER: TypeAdapter[Model] = TypeAdapter(Model)
SERVING, TRAINING = Serving(20, 1_000, 250, None), Training(10**12, 336)
REGION = "us-central1"

EXAMPLES: dict[str, dict[str, Any]] = {
    "transformer": {"parameters": "8B"},
    "convolutional": {"parameters": "25M", "flops_per_sample": "8G", "activations_per_sample": "90Mi"},
    "embedding": {"rows": "100M", "dimension": 128, "lookups_per_sample": 100},
    "trees": {"rows": "50M", "features": 400},
}


def model(architecture: str = "transformer", **keys: Any) -> Model:
    return ADAPTER.validate_python({"architecture": architecture} | EXAMPLES[architecture] | keys)


def unit(option: Option, capacity: Any) -> float:
    cost = option.cost(capacity)
    assert cost is not None
    return cost.unit


@pytest.mark.parametrize("workload", [SERVING, TRAINING])
@pytest.mark.parametrize("architecture", ["transformer", "convolutional", "embedding"])
def test_every_answer_is_the_best_of_all_options(architecture: str, workload: Any) -> None:
    """Q6."""
    advice = advise(model(architecture), workload, REGION, {})
    assert advice.options
    for capacity, cheapest in advice.cheapest:
        priced = [cost.unit for option in advice.options if (cost := option.cost(capacity))]
        assert unit(cheapest, capacity) == min(priced)
    assert advice.fastest is not None
    assert advice.smallest is not None
    if advice.fastest.seconds is not None and advice.phase == "serving":
        assert advice.fastest.seconds <= min(option.seconds or 0 for option in advice.options)
    else:
        assert advice.fastest.device_rate >= max(option.device_rate for option in advice.options) * 0.999


def test_each_machine_type_is_an_option_or_refused() -> None:
    """Q6."""
    advice = advise(model(), SERVING, REGION, {})
    machines = [option.candidate.machine.name for option in advice.options]
    assert len(set(machines)) == len(machines)
    refused = {refusal.machine for refusal in advice.refusals}
    assert refused == {"ct5lp-hightpu-1t"}
    assert not refused & set(machines)


def test_only_machines_of_the_region_are_weighed() -> None:
    europe = advise(model(), SERVING, "europe-west1", {})
    families = {option.candidate.machine.family for option in europe.options}
    assert "a3-highgpu" in families
    assert not {"a2-highgpu", "ct6e"} & families


@pytest.mark.parametrize("family", ["a4-highgpu", "a4x-highgpu", "a3-ultragpu"])
def test_machines_that_are_not_sold_on_demand_are_never_advised_so(family: str) -> None:
    """Q6."""
    for workload in (SERVING, TRAINING):
        for option in advise(model(), workload, REGION, {}).options:
            if option.candidate.machine.family == family:
                assert option.cost("on-demand") is None


def test_what_serves_is_ranked_by_its_price_on_demand_and_what_trains_by_its_least() -> None:
    serving = advise(model(), SERVING, REGION, {}).options
    lasting = [cost.unit for option in serving if (cost := option.cost("on-demand"))]
    assert lasting == sorted(lasting, key=lambda each: float(f"{each:.4g}"))
    training = advise(model(), TRAINING, REGION, {}).options
    least = [min(cost.unit for cost in option.costs) for option in training if option.costs]
    assert least == sorted(least, key=lambda each: float(f"{each:.4g}"))


def test_a_price_of_the_stack_decides() -> None:
    """Q6."""
    prices = {"a3-highgpu-8g": MachinePrice(hour=1.0)}
    advice = advise(model(), SERVING, REGION, prices)
    (capacity, cheapest), *_ = advice.cheapest
    assert (capacity, cheapest.candidate.machine.name) == ("on-demand", "a3-highgpu-8g")
    assert cheapest.candidate.price is not None
    assert cheapest.candidate.price.source == "headroom:prices of the stack file"
    assert cheapest.cost("spot") is None


def test_where_no_price_is_known_speed_is_still_weighed() -> None:
    """Q6: unknown is not zero."""
    advice = advise(model(), SERVING, "us-west4", {})
    assert advice.options
    assert advice.cheapest == ()
    assert advice.fastest is not None
    assert oldest_price(advice) is None


def test_trees_get_processors_with_room_for_the_table() -> None:
    """Q6."""
    advice = advise(model("trees"), Training(50_000_000, None), REGION, {})
    assert advice.options == ()
    assert advice.processors
    for machine, price in advice.processors:
        assert machine.kind == "cpu"
        assert machine.memory_mib * 2**20 >= advice.need.fixed_bytes
        assert price.on_demand is not None
    paid = [price.on_demand for _, price in advice.processors]
    assert paid == sorted(paid, key=float)


def test_a_model_that_nothing_holds_is_said_to_fit_nowhere() -> None:
    advice = advise(model(parameters="1000T"), SERVING, "europe-west1", {})
    assert (advice.options, advice.smallest, advice.fastest, advice.cheapest) == ((), None, None, ())
    assert all(refusal.reason.startswith("too small") for refusal in advice.refusals)


def compare(pool: PoolPlan, workload: Any = SERVING, prices: Any = None) -> Any:
    (found,) = advise(model(), workload, REGION, prices or {}, [pool]).comparisons
    return found


def test_a_pool_is_compared_with_what_is_cheaper_and_with_what_is_faster(
    plan_one: Callable[..., PoolPlan],
) -> None:
    """Q6: can it train on cheaper hardware? does other hardware perform better?"""
    pool = plan_one(machine="a3-highgpu-8g", zones=["us-central1-a"], nodes={"max": 2})
    found = compare(pool)
    assert found.today.candidate.pool == "p"
    assert unit(found.cheaper, "on-demand") < unit(found.today, "on-demand")
    assert found.faster.seconds < found.today.seconds


def test_a_spot_pool_is_compared_with_spot_prices(plan_one: Callable[..., PoolPlan]) -> None:
    pool = plan_one(machine="a2-ultragpu-8g", zones=["us-central1-a"], nodes={"max": 2}, capacity="spot")
    found = compare(pool)
    assert found.today.cost("on-demand") is None
    assert unit(found.cheaper, "spot") < unit(found.today, "spot")


def test_a_flex_start_pool_has_a_price_only_where_the_stack_states_one(
    plan_one: Callable[..., PoolPlan],
) -> None:
    """Q6: unknown is not zero."""
    pool = plan_one(machine="a3-highgpu-8g", zones=["us-central1-a"], nodes={"max": 2}, capacity="flex-start")
    assert (compare(pool).cost_known, compare(pool).cheaper) == (False, None)
    stated = compare(pool, prices={"a3-highgpu-8g": MachinePrice(flex_start=40.0)})
    assert unit(stated.today, "flex-start") > 0


def test_the_cheapest_pool_has_nothing_cheaper(plan_one: Callable[..., PoolPlan]) -> None:
    pool = plan_one(machine="a3-highgpu-8g", zones=["us-central1-a"], nodes={"max": 2})
    found = compare(pool, prices={"a3-highgpu-8g": MachinePrice(hour=0.01)})
    assert found.cost_known
    assert found.cheaper is None


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        ({"machine": "n2-standard-16", "nodes": {"max": 4}}, "has no accelerator"),
        (
            {
                "machine": "g2-standard-48",
                "zones": ["us-central1-a"],
                "nodes": {"max": 4},
                "gpu": {"sharing": {"strategy": "time-sharing", "clients": 4}},
            },
            "its GPUs are divided",
        ),
        (
            {
                "machine": "n1-standard-8",
                "zones": ["us-central1-a"],
                "nodes": {"max": 1},
                "gpu": {"type": "nvidia-tesla-v100", "count": 1},
            },
            "nothing about nvidia-tesla-v100",
        ),
    ],
)
def test_a_pool_of_which_nothing_is_known_says_why(
    plan_one: Callable[..., PoolPlan], pool: dict[str, Any], reason: str
) -> None:
    found = compare(plan_one(**pool))
    assert found.today is None
    assert reason in found.reason


def test_a_pool_of_slices_serves_by_the_slice(plan_one: Callable[..., PoolPlan]) -> None:
    pool = plan_one(machine="ct5lp-hightpu-4t", zones=["us-central1-a"], topology="4x4", slices={"max": 2})
    found = compare(pool)
    assert found.today.devices_per_copy == 16
    assert found.today.nodes % 4 == 0


@pytest.mark.parametrize(
    ("architecture", "workload", "phrase"),
    [
        ("transformer", SERVING, "memory and its bandwidth decide"),
        ("transformer", TRAINING, "waits for arithmetic"),
        ("convolutional", SERVING, "convolutions wait for arithmetic"),
        ("embedding", TRAINING, "capacity first, then bandwidth"),
        ("trees", TRAINING, "trees suit processors"),
    ],
)
def test_each_architecture_is_told_what_suits_it(architecture: str, workload: Any, phrase: str) -> None:
    """Q6."""
    described = model(architecture)
    advice: Advice = advise(described, workload, REGION, {})
    assert any(phrase in each for each in explain_architecture(described, workload, advice.fastest))


def test_mixtures_of_experts_and_missing_arithmetic_are_pointed_out() -> None:
    sparse = model(parameters="47B", active_parameters="13B", precision="fp8")
    a100 = next(
        option
        for option in advise(sparse, SERVING, REGION, {}).options
        if option.candidate.accelerator == "nvidia-a100-80gb"
    )
    told = " ".join(explain_architecture(sparse, SERVING, a100))
    assert "memory for all parameters, arithmetic for the active ones" in told
    assert "computes fp8 in bf16" in told
    assert "within 3x only" in " ".join(explain_architecture(sparse, TRAINING, a100))


def test_advice_names_what_it_stands_on() -> None:
    """Q6: figures and prices with their source and day."""
    advice = advise(model(), SERVING, REGION, {})
    assert {each.phase for each in advice.efficiencies} == {"memory", "decode", "prefill", "link"}
    assert {each.accelerator for each in advice.figures} >= {"nvidia-l4", "tpu-v6e-slice"}
    assert all(price.source and price.date for price in advice.prices)
    assert advice.estimated == ("layers", "hidden", "key_values")
