"""A cloud that refuses, is not available or stays silent at one call in twenty, or in five."""

from pathlib import Path

import pytest

from tests.e2e.conftest import EngineSandbox
from tests.e2e.recovery import (
    anew,
    delete_doubles,
    delete_first_pool,
    holdings,
    init_errors,
    messages,
    open_world,
    picture,
    recover,
    retries,
)

pytestmark = pytest.mark.recovery
REFUSALS = ("429", "503")
TIMEOUT = "timeout while waiting for state"
LOST = "http2: client connection lost"
NETWORK = "gcp:compute/network:Network"


@pytest.mark.parametrize("stack", ["dev", "prod"])
@pytest.mark.parametrize("rate", [0.05, 0.20])
def test_up_waits_for_refusals_and_is_completed_after_timeouts(
    platform: EngineSandbox, tmp_path: Path, stack: str, rate: float
) -> None:
    """Q1: of all calls, mixed; refusals are waited for, a timeout ends in words and another `up` goes on."""
    calm = anew(platform, "calm")
    calm.up(stack).require_success()

    world = open_world(platform)
    world.set_pace(f"faults-{rate}", 0.001)
    for kind in (*REFUSALS, "timeout"):
        world.inject(kind, rate=rate / 3, times=-1)
    first = platform.up(stack)
    assert retries(first), messages(first, "info", "warning")
    assert not first.exit_code or any(TIMEOUT in error for error in first.errors), first.errors
    recover(platform, stack, tmp_path)
    world.clear_faults()
    platform.up(stack, "--expect-no-changes").require_success()
    assert picture(platform.export(stack)) == picture(calm.export(stack))
    assert holdings(platform, stack) == holdings(calm, stack)


@pytest.mark.parametrize("stack", ["dev", "prod"])
@pytest.mark.parametrize("rate", [0.05, 0.20])
def test_up_whose_answers_get_lost_or_come_too_late_fails_in_words_and_the_runbook_completes_it(
    platform: EngineSandbox, tmp_path: Path, stack: str, rate: float
) -> None:
    """Q1: what was made without an answer is adopted, by docs/runbooks/half-failed-up.md, as losses go on."""
    calm = anew(platform, "calm")
    calm.up(stack).require_success()

    world = open_world(platform)
    world.set_pace("lost", 0.001)
    world.inject("lost-answer", "create", NETWORK)
    world.inject("lost-answer", "create", rate=rate / 2, times=-1)
    for operation in ("create", "update"):
        world.inject("timeout-after", operation, rate=rate / 2, times=-1)
    failed = platform.up(stack)
    assert failed.exit_code != 0
    assert any(LOST in error or TIMEOUT in error for error in failed.errors), failed.errors
    recover(platform, stack, tmp_path)
    world.clear_faults()
    delete_first_pool(platform)
    delete_doubles(platform, stack)
    platform.up(stack, "--refresh", "--expect-no-changes").require_success()
    assert init_errors(platform, stack) == []
    assert picture(platform.export(stack)) == picture(calm.export(stack))
    assert holdings(platform, stack) == holdings(calm, stack)
