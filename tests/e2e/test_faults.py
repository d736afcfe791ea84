"""A cloud that refuses, is not available or stays silent at one call in twenty, or in five."""

from pathlib import Path

import pytest

from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import Outcome, observe, open_world, require_outcome, use_one_of_each
from tests.e2e.recovery import (
    anew,
    delete_doubles,
    delete_first_pool,
    init_errors,
    messages,
    recover,
    retries,
)

pytestmark = pytest.mark.recovery
REFUSALS = ("429", "503")
TIMEOUTS = ("timeout while waiting for state", "unable to return a response in the time allotted")
LOST = "http2: client connection lost"
NETWORK = "gcp:compute/network:Network"


def is_unanswered(error: str) -> bool:
    """Whether nobody can tell from an error if anything was done."""
    return any(words in error for words in (*TIMEOUTS, LOST))


def refuse(platform: EngineSandbox, stack: str, rate: float, folder: Path) -> None:
    """Bring a stack up as a share of all calls is refused or not answered in time."""
    world = open_world(platform)
    world.set_pace(f"faults-{rate}", 0.001)
    for kind in (*REFUSALS, "timeout"):
        world.inject(kind, rate=rate / 3, times=-1)
    first = platform.up(stack)
    assert retries(first), messages(first, "info", "warning")
    assert not first.exit_code or any(is_unanswered(error) for error in first.errors), first.errors
    recover(platform, stack, folder)
    world.clear_faults()


def lose(platform: EngineSandbox, stack: str, rate: float, folder: Path) -> None:
    """Bring a stack up as a share of answers gets lost or comes too late; more get lost on the way back."""
    world = open_world(platform)
    world.set_pace("lost", 0.001)
    world.inject("lost-answer", "create", NETWORK)
    world.inject("lost-answer", "create", rate=rate / 2, times=-1)
    for operation in ("create", "update"):
        world.inject("timeout-after", operation, rate=rate / 2, times=-1)
    failed = platform.up(stack)
    assert failed.exit_code != 0
    assert any(is_unanswered(error) for error in failed.errors), failed.errors
    recover(platform, stack, folder)
    world.clear_faults()
    delete_first_pool(platform)
    delete_doubles(platform, stack)


@pytest.mark.parametrize("rate", [0.05, 0.20])
def test_up_waits_for_refusals_and_is_completed_after_timeouts(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path, rate: float
) -> None:
    """Q1: of all calls, mixed; refusals are waited for, a timeout ends in words and another `up` goes on."""
    use_one_of_each(platform)
    refuse(platform, "dev", rate, tmp_path)
    require_outcome(platform, "dev", undisturbed)


def test_up_whose_answers_get_lost_or_come_too_late_fails_in_words_and_the_runbook_completes_it(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path
) -> None:
    """Q1: what was made without an answer is adopted, by docs/runbooks/half-failed-up.md, as losses go on."""
    use_one_of_each(platform)
    lose(platform, "dev", 0.20, tmp_path)
    assert init_errors(platform, "dev") == []
    require_outcome(platform, "dev", undisturbed)


def test_a_whole_production_comes_through_refusals_and_losses(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """Q1: the stack of this project as it is; one answer in twenty is lost, one call in twenty refused."""
    calm = anew(platform, "calm")
    calm.up("prod").require_success()
    world = open_world(platform)
    for kind in REFUSALS:
        world.inject(kind, rate=0.025, times=-1)
    lose(platform, "prod", 0.05, tmp_path)
    require_outcome(platform, "prod", observe(calm, "prod"))
