"""A first `up` in an empty project whose APIs, agents and grants are late: it waits for them and comes through."""

import re

import pytest

from tests.e2e.conftest import EngineSandbox
from tests.e2e.recovery import anew, holdings, open_world, picture, retries

SEEDS = tuple(f"seed-{number}" for number in range(10))
SCALE = 0.01
"""Ten times as late as the sandbox usually is: APIs and grants come up to two seconds after their answers."""


@pytest.mark.recovery
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_first_up_comes_through_ten_orders_of_lateness_to_the_same_state(
    platform: EngineSandbox, stack: str
) -> None:
    """Q1: each seed has its own delays and order; what differs in the end is generated names only."""
    waits: list[str] = []
    pictures, worlds = {}, {}
    for seed in SEEDS:
        sandbox = anew(platform, seed)
        open_world(sandbox).set_pace(seed, SCALE)
        up = sandbox.up(stack)
        assert up.exit_code == 0, f"{seed}: {up.errors or up.stderr}"
        waits += retries(up)
        again = sandbox.up(stack, "--expect-no-changes")
        assert again.exit_code == 0, f"{seed}: {again.errors or again.stderr}"
        assert set(again.changes) == {"same"}, seed
        pictures[seed] = picture(sandbox.export(stack))
        worlds[seed] = holdings(sandbox, stack)

    assert len(waits) >= len(SEEDS), waits
    assert len({re.sub(r".*: (.*); attempt.*", r"\1", text) for text in waits}) > 1, waits
    first = SEEDS[0]
    for seed in SEEDS[1:]:
        assert pictures[seed] == pictures[first], f"{seed} ended in another state than {first}"
        assert worlds[seed] == worlds[first], f"{seed} left another world than {first}"
