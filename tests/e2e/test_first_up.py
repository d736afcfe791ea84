"""A first `up` in an empty project whose APIs, agents and grants are late: it waits for them and comes through."""

import re

import pytest

from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import Outcome, holdings, open_world, picture, use_one_of_each
from tests.e2e.recovery import anew, retries

SCALE = 0.01
"""Ten times as late as the sandbox usually is: APIs and grants come up to two seconds after their answers."""


@pytest.mark.recovery
@pytest.mark.parametrize("first", [0, 10])
def test_first_up_comes_through_twenty_orders_of_lateness_to_the_same_state(
    platform: EngineSandbox, undisturbed: Outcome, first: int
) -> None:
    """Q1: each seed has its own delays and order; what differs in the end is generated names only."""
    waits: list[str] = []
    seeds = [f"seed-{number}" for number in range(first, first + 10)]
    for seed in seeds:
        sandbox = anew(platform, seed)
        use_one_of_each(sandbox)
        open_world(sandbox).set_pace(seed, SCALE)
        up = sandbox.up("dev")
        assert up.exit_code == 0, f"{seed}: {up.errors or up.stderr}"
        waits += retries(up)
        assert picture(sandbox.export("dev")) == undisturbed.picture, f"{seed} ended in another state"
        assert holdings(sandbox, "dev") == undisturbed.holdings, f"{seed} left another world"

    assert len(waits) >= len(seeds), waits
    assert len({re.sub(r".*: (.*); attempt.*", r"\1", text) for text in waits}) > 1, waits


@pytest.mark.recovery
def test_first_up_of_a_whole_production_comes_through_lateness_and_another_changes_nothing(
    platform: EngineSandbox,
) -> None:
    """Q1: the stack of this project as it is."""
    open_world(platform).set_pace("whole", SCALE)
    up = platform.up("prod").require_success()
    assert retries(up)
    again = platform.up("prod", "--refresh", "--expect-no-changes").require_success()
    assert set(again.changes) == {"same"}
