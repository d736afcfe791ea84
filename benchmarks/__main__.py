"""`python -m benchmarks`: run the benchmarks and show what they measured beside the targets."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from benchmarks.processes import BenchmarkError


class Benchmark(StrEnum):
    """What can be measured."""

    PLANNING = "planning"
    PLAN_COMMAND = "plan-command"
    PREVIEW = "preview"
    ADMISSION = "admission"
    REGISTRATIONS = "registrations"
    AUDIT = "audit"
    POLICIES = "policies"
    CHECK = "check"


def main(
    names: Annotated[
        list[Benchmark] | None, typer.Argument(help="Which benchmarks; all of them by default.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes and few rounds: a minute or two.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Measure the project against what it would cost without it.

    Exit code 0: every target is met. 1: one is missed, or a measured command failed.
    """
    from rich.console import Console

    from benchmarks import (
        admission,
        audit,
        check,
        plan_command,
        planning,
        policies,
        preview,
        registrations,
    )
    from benchmarks.report import print_report, render_json

    benchmarks = {
        Benchmark.PLANNING: planning.run,
        Benchmark.PLAN_COMMAND: plan_command.run,
        Benchmark.PREVIEW: preview.run,
        Benchmark.ADMISSION: admission.run,
        Benchmark.REGISTRATIONS: registrations.run,
        Benchmark.AUDIT: audit.run,
        Benchmark.POLICIES: policies.run,
        Benchmark.CHECK: check.run,
    }
    try:
        reports = [benchmarks[name](quick, _progress) for name in names or benchmarks]
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    if as_json:
        sys.stdout.write(render_json(reports) + "\n")
    else:
        for report in reports:
            print_report(report, Console())
    if any(figure.is_missed for report in reports for figure in report.figures):
        raise typer.Exit(1)


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
