"""`headroom estimate`: what pipelines need, beside the limits that they have."""

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.asides import aside, working
from headroom.cli.options import AsJson, Stack, complete_pipeline

if TYPE_CHECKING:
    from headroom.planning.comparison import Comparison
    from headroom.planning.regions import Neighbours
    from headroom.planning.usage import Sample
    from headroom.spec.platform import Platform


Pipelines = Annotated[
    list[str] | None,
    typer.Option(
        "--pipeline", "-p", help="Just this one; may be given again.", autocompletion=complete_pipeline
    ),
]
Usage = Annotated[
    Path | None, typer.Option(help="What was used: JSON or CSV with time, pipeline, pool, resource, used.")
]
Prometheus = Annotated[
    str | None, typer.Option(metavar="URL", help="Asked for what was used; `google`: Cloud Monitoring.")
]
Days = Annotated[int, typer.Option(min=1, max=365, help="How far back Prometheus is asked.")]
Match = Annotated[
    str, typer.Option(help='Label matchers for the series of this environment, such as cluster="prod".')
]
Write = Annotated[bool, typer.Option("--write", help="Write the limits into the stack file.")]


def estimate(
    stack: Stack,
    pipeline: Pipelines = None,
    usage: Usage = None,
    prometheus: Prometheus = None,
    days: Days = 14,
    match: Match = "",
    write: Write = False,
    as_json: AsJson = False,
) -> None:
    """Estimate what each pipeline needs, from its demand and from what was used, beside the limits it has.

    A serving demand is answered by a queueing formula, one of data, training or validation by similar
    projects in baselines.yaml; use that was observed, by a file or by Prometheus, narrows either. The
    evidence is named. --write puts guarantees and likely caps into the stack file, which stays as it was
    otherwise, and shows the difference; limits with which the plan would not be sound are not written.

    Exit code 0: every cap covers what is likely needed. 1: a cap does not, or the plan is not sound. 2: the
    stack file, the usage or an option cannot be used. 3: Prometheus could not be asked; estimates are shown
    without it, and not written.

    Examples:
      headroom estimate -s dev

      headroom estimate -s prod --prometheus google --days 28

      headroom estimate -s dev --usage usage.csv --pipeline feed-serving --write
    """
    from headroom.cli.limits_patch import write_limits
    from headroom.planning.usage import summarize

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    scene = _load(stack, pipeline or [])
    samples, unanswered = _observe(scene, usage, prometheus, days, match)
    found, problems, strays = scene.compare(summarize(samples))
    _show(stack, found, [*unanswered, *problems, *strays], as_json=as_json)
    if unanswered:
        raise typer.Exit(3)
    if write:
        write_limits(scene.stack, scene.path, found, quiet=as_json)
    elif problems or any(each.short for each in found):
        raise typer.Exit(1)


def _show(stack: str, found: "tuple[Comparison, ...]", warnings: list[str], *, as_json: bool) -> None:
    from headroom.report.estimate_table import print_estimates, render_estimates

    if as_json:
        sys.stdout.write(render_estimates(stack, found, warnings) + "\n")
    else:
        print_estimates(stack, found)
    for line in warnings:
        aside(f"warning: {line}")


@dataclass(frozen=True)
class _Scene:
    """The stack file, and what it says."""

    stack: str
    path: Path
    platform: "Platform"
    neighbours: "Neighbours"
    names: tuple[str, ...]

    def compare(self, observations: Any) -> "tuple[tuple[Comparison, ...], list[str], list[str]]":
        """Estimates beside limits, what keeps the plan from being sound, and what was used by strangers."""
        from headroom.planning.comparison import compare_limits, find_strays
        from headroom.planning.plan import assess
        from headroom.spec.errors import StackFileError

        assessed = assess(self.platform, self.stack, self.neighbours)
        found = compare_limits(self.platform, assessed.pools, observations, self.names)
        hopeless = [problem for each in found if not each.estimates for problem in each.problems]
        if hopeless:
            raise StackFileError(hopeless, self.path.name)
        strays = find_strays(self.platform, assessed.pools, observations)
        return found, [str(problem) for problem in assessed.problems], strays


def _load(stack: str, names: list[str]) -> _Scene:
    from headroom.cli.project import find_stack_file
    from headroom.spec.errors import Problem, StackFileError, suggest
    from headroom.spec.stack_file import load_config, load_neighbours, parse_config

    path = find_stack_file(stack)
    config = load_config(path)
    platform = parse_config(config, path.name)
    unknown = [
        Problem("--pipeline", "names no pipeline of this stack" + suggest(name, platform.pipelines))
        for name in names
        if name not in platform.pipelines
    ]
    if unknown:
        raise StackFileError(unknown)
    return _Scene(stack, path, platform, load_neighbours(config, path.parent), tuple(names))


def _observe(
    scene: _Scene, usage: Path | None, prometheus: str | None, days: int, match: str
) -> "tuple[list[Sample], list[str]]":
    """What was used, and why that is not known if it could not be asked."""
    from headroom.live.usage import load_usage

    samples = list(load_usage(usage)) if usage else []
    if prometheus is None:
        return samples, []
    from headroom.live.connection import EndpointError, UnansweredError
    from headroom.live.usage import fetch_usage

    try:
        with working("asking Prometheus what was used"):
            asked = fetch_usage(prometheus, scene.platform.project, days, match)
    except EndpointError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except ValueError as error:
        typer.echo(f"error: --prometheus {error}", err=True)
        raise typer.Exit(2) from None
    except UnansweredError as error:
        remedy = f"; {error.remedy}" if error.remedy else ""
        return samples, [f"what was used is unknown: Prometheus could not be asked: {error}{remedy}"]
    if not asked:
        return samples, [f"what was used is unknown: Prometheus has no series of Kueue's for {days} days"]
    return [*samples, *asked], []
