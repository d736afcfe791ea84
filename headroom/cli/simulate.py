"""`headroom release simulate`: a rollout played through before anybody releases."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import working
from headroom.cli.options import AsJson, ServingPipeline, Stack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from headroom.delivery.simulation import Outcome, Trial
    from headroom.planning.plan import Plan


class Fault(StrEnum):
    """What is wrong with the new model."""

    NONE = "none"
    ERRORS = "errors"
    LATENCY = "latency"
    DRIFT = "drift"
    QUALITY = "quality"
    STARVED = "starved"


class Withheld(StrEnum):
    """Which approval nobody gives."""

    BEGIN = "begin"
    INCREASE = "increase"


def simulate(
    stack: Stack,
    pipeline: ServingPipeline,
    faults: Annotated[
        list[Fault] | None,
        typer.Option(
            "--fault",
            metavar="FAULT",
            help="What is wrong with the new model: none, errors, latency, drift, quality or starved; "
            "by default each in turn.",
        ),
    ] = None,
    withheld: Annotated[
        list[Withheld] | None, typer.Option("--withhold", help="An approval that nobody gives.")
    ] = None,
    first: Annotated[bool, typer.Option("--first", help="The pipeline's first release.")] = False,
    sick_stable: Annotated[
        bool, typer.Option("--sick-stable", help="The present model is at fault.")
    ] = False,
    sick_other: Annotated[
        bool, typer.Option("--sick-other", help="Another model's canary and this staging are at fault.")
    ] = False,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", formats=["%Y-%m-%dT%H:%M%z"], help="When it begins, for the freezes: 2026-12-01T09:00Z."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a rollout through: the plan's phases, judged by the plan's alerts, which promtool evaluates.

    Requests are made up, those of the busy hour of the stack file; nothing is asked of the cloud. promtool
    is found as by `headroom alerts test`.

    Exit code 0: done, however the rollout ended. 1: promtool could not be run. 2: the pipeline is not
    delivered, or the stack file cannot be used. 3: there is no promtool.

    Example: headroom release simulate -s prod -p feed-serving --fault drift
    """
    from headroom.cli.project import plan_stack
    from headroom.delivery.simulation import Trial
    from headroom.report.simulation_table import describe_outcomes, print_outcomes
    from headroom.report.tables import make_console

    kept = withheld or []
    trials = [
        Trial(
            fault=None if fault is Fault.NONE else fault.value,
            sick_stable=sick_stable,
            sick_other=sick_other,
            first=first,
            approved=Withheld.BEGIN not in kept,
            increased=Withheld.INCREASE not in kept,
            begins=at,
        )
        for fault in faults or list(Fault)
    ]
    planned = plan_stack(stack).plan
    outcomes = _play(planned, stack, pipeline, trials)
    if as_json:
        typer.echo(describe_outcomes(outcomes))
    else:
        print_outcomes(make_console(), pipeline, outcomes)


def play_trials(
    promtool: "Path", planned: "Plan", pipeline: str, trials: "Sequence[Trial]"
) -> "list[Outcome]":
    """Return how each rollout of a delivered pipeline ends; promtool is run once for all of them."""
    from headroom.cli.promtool import run_tests
    from headroom.delivery.judging import RULE_FILE, build_test, read_firings, render_gates
    from headroom.delivery.releases import find_delivery
    from headroom.delivery.simulation import decide_outcome, plan_traffic, plan_watches

    delivery, rollout = find_delivery(planned, pipeline, f"Pulumi.{planned.environment}.yaml")
    gates = render_gates((routed.policy for routed in planned.alerting.policies), rollout)
    watches = plan_watches(rollout)
    tests = {
        f"{number}.yaml": build_test(rollout, watches, plan_traffic(rollout, trial))
        for number, trial in enumerate(trials)
    }
    reports = run_tests(promtool, {RULE_FILE: gates}, tests)
    return [
        decide_outcome(rollout, delivery.freezes, trial, read_firings(report, watches))
        for trial, report in zip(trials, (reports[name] for name in tests), strict=True)
    ]


def _play(planned: "Plan", stack: str, pipeline: str, trials: "Sequence[Trial]") -> "list[Outcome]":
    from headroom.cli.promtool import require_promtool
    from headroom.delivery.judging import JudgementError
    from headroom.delivery.releases import find_delivery

    find_delivery(planned, pipeline, f"Pulumi.{stack}.yaml")
    promtool = require_promtool("nothing was simulated")
    try:
        with working("playing rollouts through"):
            return play_trials(promtool, planned, pipeline, trials)
    except (JudgementError, OSError) as error:
        typer.echo(f"error: {promtool}: {error}", err=True)
        raise typer.Exit(1) from None
