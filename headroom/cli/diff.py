"""`headroom diff`: what a change of a stack file does to everybody's quota."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from headroom.cli.options import complete_stack
from headroom.spec.errors import Problem, StackFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom.planning.changes import StackChange
    from headroom.planning.preview import PreviewSummary
    from headroom.report.findings import CheckResult


class Summary(Protocol):
    """What a file says of one stack."""

    @property
    def stack(self) -> str:
        """The stack's name."""
        ...


Parsed = TypeVar("Parsed", bound=Summary)


class Format(StrEnum):
    """How the difference is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Stacks = Annotated[
    list[str],
    typer.Option(
        "--stack",
        "-s",
        envvar="PULUMI_STACK",
        help="Name of the stack; again for more.",
        autocompletion=complete_stack,
    ),
]
Base = Annotated[
    str, typer.Option("--base", help="What it was before: a commit such as origin/main, or a stack file.")
]
Form = Annotated[Format, typer.Option("--format", help="How it is written.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Findings = Annotated[
    list[Path] | None,
    typer.Option("--findings", help="What `headroom check --format json` wrote; for the comment."),
]
Previews = Annotated[
    list[Path] | None,
    typer.Option("--preview", help="What `pulumi preview --json` wrote; one file for each stack."),
]


def diff(
    stack: Stacks,
    base: Base = "HEAD",
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    findings: Findings = None,
    preview: Previews = None,
) -> None:
    """Compare the stack file with what it was: everybody's guarantee, cap and headroom, the cloud's quotas.

    Reads files and git only. With --format markdown it is one comment for a pull request, of at most 64,000
    characters, in which findings come first.

    Exit code 0: done. 2: a stack file, a record or a named file cannot be used.

    Examples:
      headroom diff -s dev

      headroom diff -s dev -s prod --base origin/main --findings check-dev.json --format markdown
    """
    from headroom.planning.preview import parse_preview
    from headroom.report.check_json import parse_check

    previews, unread = _by_stack(preview, parse_preview, stack)
    checks, others = _by_stack(findings, parse_check, stack)
    problems = [*unread, *others]
    if form is Format.MARKDOWN and not as_json:
        _comment(stack, base, previews, checks, problems)
        return
    if problems:
        raise problems[0]
    changes = [(_compare(name, base), previews.get(name)) for name in stack]
    if as_json or form is Format.JSON:
        from headroom.report.diff_text import render_changes

        sys.stdout.write(render_changes(changes) + "\n")
        return
    from headroom.report.diff_text import print_changes

    print_changes(changes)


def _comment(
    stacks: list[str],
    base: str,
    previews: "dict[str, PreviewSummary]",
    checks: "dict[str, CheckResult]",
    problems: list[StackFileError],
) -> None:
    """Write the comment, also where a stack file or a named file cannot be used: then it says so."""
    from headroom.report.comment import StackReport, render_comment

    reports: list[StackReport] = []
    unread = [str(problem) for problem in problems]
    for name in stacks:
        change, problem = None, ""
        try:
            change = _compare(name, base)
        except StackFileError as error:
            problem = str(error)
        reports.append(StackReport(name, change, previews.get(name), checks.get(name), problem))
    sys.stdout.write(render_comment(reports, unread))
    said = [*unread, *(report.problem for report in reports if report.problem)]
    for line in said:
        typer.echo(line, err=True)
    if said:
        raise typer.Exit(2)


def _compare(stack: str, base: str) -> "StackChange":
    from headroom.cli.project import find_stack_file
    from headroom.live.base_files import open_base
    from headroom.live.grants_file import load_stack_grants
    from headroom.planning.changes import compare_plans
    from headroom.planning.plan import plan_config
    from headroom.spec.stack_file import load_config, load_neighbours

    path = find_stack_file(stack)
    with open_base(path.parent, stack, base) as folder:
        before, unknown = None, ()
        if folder is not None:
            try:
                config = load_config(folder / path.name)
                grants = load_stack_grants(folder, stack, config)
                before = plan_config(config, stack, path.name, grants, load_neighbours(config, folder))
            except StackFileError as error:
                unknown = tuple(map(str, error.problems))
    config = load_config(path)
    grants = load_stack_grants(path.parent, stack, config)
    after = plan_config(config, stack, path.name, grants, load_neighbours(config, path.parent))
    return compare_plans(before, after, grants, unknown)


def _by_stack(
    paths: list[Path] | None, parse: "Callable[[bytes, str], Parsed]", stacks: list[str]
) -> "tuple[dict[str, Parsed], list[StackFileError]]":
    """Return what the files say of each stack, and what is wrong with the files that say nothing."""
    found: dict[str, Parsed] = {}
    problems: list[StackFileError] = []
    for path in paths or ():
        try:
            parsed = parse(path.read_bytes(), path.name)
        except OSError as error:
            problem = Problem("", f"cannot be read: {error.strerror}")
            problems.append(StackFileError([problem], path.name))
        except StackFileError as error:
            problems.append(error)
        else:
            if (name := parsed.stack) not in stacks or name in found:
                reason = "there twice" if name in found else "not asked for"
                problem = Problem("", f"is of a stack that is {reason}")
                problems.append(StackFileError([problem], path.name))
            else:
                found[name] = parsed
    return found, problems
