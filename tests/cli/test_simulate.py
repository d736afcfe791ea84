"""`headroom release simulate`, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from headroom.cli.promtool import PROMTOOL_VARIABLE
from headroom.cli.simulate import Fault
from headroom.delivery.traffic import FAULTS
from headroom.report.simulation_table import NO_FAULT

Headroom = Callable[..., CompletedProcess[str]]

SIMULATE = ("release", "simulate", "-s", "prod", "-p")

SILENT = '#!/bin/sh\nshift 2\nfor f; do printf "Unit Testing:  %s\\n  SUCCESS\\n\\n" $f; done\n'
BROKEN = '#!/bin/sh\nshift 2\nfor f; do printf "Unit Testing:  %s\\n  FAILED:\\n    no group\\n\\n" $f; done\nexit 1\n'


@pytest.fixture
def promtool_that_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Stands in for promtool, and says the same of every test file."""

    def say(script: str) -> None:
        path = tmp_path / "promtool"
        path.write_text(script)
        path.chmod(0o755)
        monkeypatch.setenv(PROMTOOL_VARIABLE, str(path))

    return say


def test_every_fault_that_can_be_simulated_can_be_asked_for() -> None:
    assert {fault.value for fault in Fault} == {NO_FAULT, *FAULTS}


def test_where_no_alert_fires_everybody_is_reached(
    headroom: Headroom, promtool_that_says: Callable[[str], None]
) -> None:
    promtool_that_says(SILENT)
    done = headroom(*SIMULATE, "feed-serving", "--fault", "none", "--json")
    assert done.returncode == 0, done.stderr
    (outcome,) = json.loads(done.stdout)
    assert (outcome["end"], outcome["fault"], outcome["preset"]) == ("everywhere", None, "standard")


def test_what_is_in_the_way_is_told(headroom: Headroom, promtool_that_says: Callable[[str], None]) -> None:
    """D1, D2, D4: approvals, a freeze, and the phases that a first release skips."""
    promtool_that_says(SILENT)
    quick = (*SIMULATE, "feed-serving", "--fault", "none")
    assert "approval to begin" in headroom(*quick, "--withhold", "begin").stdout
    assert "approval to increase" in headroom(*quick, "--withhold", "increase").stdout
    assert "freeze year-end" in headroom(*quick, "--at", "2026-12-21T09:00Z").stdout
    assert "the first release skips canary-5, canary-25, canary-50" in headroom(*quick, "--first").stdout


def test_what_cannot_be_simulated_is_refused(
    headroom: Headroom,
    promtool_that_says: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    promtool_that_says(BROKEN)
    done = headroom(*SIMULATE, "feed-training")
    assert done.returncode == 2
    assert "headroom:pipelines.feed-training: has no delivery" in done.stderr
    done = headroom(*SIMULATE, "feed-serving")
    assert (done.returncode, "promtool did not judge" in done.stderr) == (1, True), (
        "no silence, but no answer"
    )
    assert headroom(*SIMULATE, "feed-serving", "--at", "2026-12-20T09:00").returncode == 2, "of which zone?"
    monkeypatch.delenv(PROMTOOL_VARIABLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HEADROOM_CACHE", str(tmp_path))
    (tmp_path / "promtool").unlink()
    done = headroom(*SIMULATE, "feed-serving")
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no promtool" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.monitoring
def test_a_bad_model_is_stopped_in_its_first_phase(headroom: Headroom) -> None:
    """D8: on the real promtool."""
    done = headroom(*SIMULATE, "shelf-serving", "--fault", "errors", "--fault", "starved")
    assert done.returncode == 0, done.stderr
    errors, starved = done.stdout.splitlines()[-2:]
    assert errors.split()[:5] == ["errors", "rolled", "back", "canary-10", "CanaryErrors"]
    assert starved.split()[:5] == ["starved", "rolled", "back", "canary-10", "CanaryStarved"]
