"""`headroom check`: the policies on what the program would ask for, without engine and credentials."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import working
from headroom.cli.options import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headroom.planning.plan import Plan
    from headroom.report.findings import CheckResult, Finding, RuleNote
    from infra.offline import Registered
    from policies.judgement import Verdict
    from policies.rules import Rule
    from policies.settings import Settings


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    JUNIT = "junit"


Form = Annotated[
    Format,
    typer.Option("--format", metavar="FORMAT", help="How it is written: text, json, sarif, github or junit."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Output = Annotated[
    Path | None, typer.Option("--output", help="Write the result to this file, and a line to the terminal.")
]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="Settings to use for those of policies/settings.yaml.")
]
Preview = Annotated[
    Path | None,
    typer.Option("--preview", help="What `pulumi preview --json` wrote: judge what it deletes, too."),
]


def check(
    stack: Stack,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    output: Output = None,
    settings: SettingsFile = None,
    preview: Preview = None,
) -> None:
    """Judge what `pulumi up` would ask for by the rules of the policy pack.

    Runs the program on mocks: no engine, no credentials, no network. What is granted is read from
    quotas/<stack>.json, what was promised from quotas/<stack>.promises.json, or from the file that
    HEADROOM_PROMISES names. What an update would delete only a preview knows: name one with --preview.

    Exit code 0: nothing is refused. 1: something is. 2: the stack file, the settings or a record cannot be
    used, so that nothing was judged; every reason is printed.

    Examples:
      headroom check -s dev

      headroom check -s prod --format sarif --output headroom.sarif
    """
    from headroom.cli.project import describe_error, find_stack_file
    from headroom.report.findings import describe_unusable
    from headroom.spec.errors import StackFileError
    from headroom.spec.lines import find_lines

    form = Format.JSON if as_json else form
    path = find_stack_file(stack)
    lines = find_lines(path.read_text(encoding="utf-8", errors="replace"))
    try:
        with working("running the program on mocks, and the rules on what it asks for"):
            result = judge_stack_file(stack, path, lines, settings, preview)
    except StackFileError as error:
        if form is Format.TEXT and output is None:
            raise
        result = describe_unusable(stack, error, lines)
        typer.echo(describe_error(error), err=True)
    _deliver(result, form, output)
    raise typer.Exit(result.exit_code)


def judge_stack_file(
    stack: str, path: Path, lines: dict[str, int], settings_file: Path | None, preview: Path | None = None
) -> "CheckResult":
    """Return what the rules say of the stack whose file is at `path`, and of a preview if there is one.

    `lines` are those of the file's keys.

    Raises StackFileError where a file cannot be used, or the program refuses the stack by itself.
    """
    from datetime import UTC, datetime

    from headroom.live.grants_file import load_stack_grants
    from headroom.planning.plan import plan_config
    from headroom.report.findings import CheckResult, order_findings
    from headroom.spec.errors import StackFileError
    from headroom.spec.stack_file import load_config, load_neighbours
    from policies.offline import judge_offline
    from policies.registry import RULES
    from policies.settings import SETTINGS_FILE, load_settings

    config = load_config(path)
    grants = load_stack_grants(path.parent, stack, config)
    plan = plan_config(config, stack, path.name, grants, load_neighbours(config, path.parent))
    if plan.shortfalls and not plan.awaits_grants:
        raise StackFileError(plan.shortfalls, path.name)
    named = settings_file.resolve() if settings_file else path.parent / SETTINGS_FILE
    used = load_settings(named, RULES, datetime.now(UTC).date())
    registered = _register(plan)
    verdicts = [
        *judge_offline(stack, registered, path.parent, used, RULES),
        *_judge_preview(stack, preview, used),
    ]
    notes = tuple(_note(rule, used) for rule in RULES)
    findings = _describe(verdicts, plan, path.name, lines)
    return CheckResult(stack, len(registered), notes, order_findings(findings, notes))


def _judge_preview(stack: str, path: Path | None, settings: "Settings") -> "tuple[Verdict, ...]":
    from headroom.planning.preview import parse_preview
    from headroom.spec.errors import Problem, StackFileError
    from policies.judgement import judge_steps
    from policies.registry import RULES
    from policies.replacements import read_steps

    if path is None:
        return ()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], path.name) from None
    if (other := parse_preview(content, path.name).stack) != stack:
        raise StackFileError([Problem("", f"is a preview of {other}, not of {stack}")], path.name)
    return judge_steps(read_steps(content, path.name), settings, RULES)


def _register(plan: "Plan") -> list["Registered"]:
    from headroom.spec.errors import Problem, StackFileError
    from infra.offline import record
    from infra.stack import build

    async def main() -> None:
        await build(plan).registered()

    try:
        return record(plan.environment, main)
    except Exception as error:
        reason = f"ends before it has asked for everything: {type(error).__name__}: {error}"
        remedy = "`pulumi preview` shows where"
        raise StackFileError([Problem("", f"{reason}; {remedy}")], "infra") from error


def _note(rule: "Rule", settings: "Settings") -> "RuleNote":
    from headroom.report.findings import RuleNote

    return RuleNote(
        rule.name,
        rule.description,
        rule.remedy,
        rule.family,
        rule.severity,
        settings.level_of(rule),
        rule.reference,
        tuple(f"{each.name} {each.version} {each.reference}" for each in rule.frameworks),
    )


def _describe(
    verdicts: "Iterable[Verdict]", plan: "Plan", file: str, lines: dict[str, int]
) -> list["Finding"]:
    from headroom.planning.stack_keys import find_key
    from headroom.report.findings import Finding, Place
    from headroom.spec.lines import locate

    found = []
    for verdict in verdicts:
        said = verdict.finding
        key = find_key(said.resource, plan)
        outcome = "refused" if verdict.refuses else "exempted" if verdict.exemption else "advice"
        by = verdict.exemption
        found.append(
            Finding(
                said.rule,
                outcome,
                verdict.rule.severity,
                said.resource,
                said.message,
                said.remedy,
                Place(file, key, locate(lines, key)),
                f"{by.owner} until {by.expires}: {by.reason}" if by else "",
            )
        )
    return found


def _deliver(result: "CheckResult", form: Format, output: Path | None) -> None:
    from headroom.report.check_text import summarize

    text = _render(result, form, plain=output is not None)
    if output is None:
        sys.stdout.write(text)
    else:
        _write(output, text)
        typer.echo(f"{summarize(result)}; {output}")


def _render(result: "CheckResult", form: Format, *, plain: bool) -> str:
    from headroom.report.check_github import render_github
    from headroom.report.check_json import render_json
    from headroom.report.check_junit import render_junit
    from headroom.report.check_sarif import render_sarif
    from headroom.report.check_text import render_text

    if form is Format.TEXT:
        return render_text(result, plain=plain)
    renderers: dict[Format, Callable[[CheckResult], str]] = {
        Format.JSON: render_json,
        Format.SARIF: render_sarif,
        Format.GITHUB: render_github,
        Format.JUNIT: render_junit,
    }
    return renderers[form](result) + "\n"


def _write(path: Path, text: str) -> None:
    from headroom.spec.errors import Problem, StackFileError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be written: {error.strerror}")], str(path)) from None
