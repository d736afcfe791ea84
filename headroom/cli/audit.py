"""`headroom audit`: who has how much of what, where plan, cluster and cloud disagree, and what to do."""

import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from headroom.cli.asides import aside, working
from headroom.cli.options import Stack

if TYPE_CHECKING:
    from headroom.audit.findings import Severity
    from headroom.audit.history import Entry
    from headroom.audit.report import Audit
    from headroom.live.audit import Request
    from headroom.planning.grants import Grants
    from headroom.planning.plan import Plan
    from headroom.spec.platform import Platform


class FailOn(StrEnum):
    """The severity from which findings end the command with exit code 1."""

    error = "error"
    warning = "warning"
    info = "info"


Cloud = Annotated[
    bool, typer.Option("--cloud", help="Ask Google: quotas, node pools, the cluster, Cloud Monitoring.")
]
QuotasFile = Annotated[
    Path | None, typer.Option("--quotas-file", help="What is granted, if not quotas/<stack>.json.")
]
Prometheus = Annotated[
    str | None, typer.Option(metavar="URL", help="Asked for what was used; `google`: Cloud Monitoring.")
]
Match = Annotated[
    str | None,
    typer.Option(help='Label matchers of this environment\'s series; else environment="<stack>".'),
]
Kubeconfig = Annotated[Path | None, typer.Option(help="The way into the cluster, if not its DNS endpoint.")]
Context = Annotated[str | None, typer.Option(help="The context of the kubeconfig.")]
State = Annotated[
    str | None, typer.Option(metavar="FILE", help="An export of the stack; `pulumi`: ask that for one.")
]
Days = Annotated[
    int | None, typer.Option(min=1, max=90, help="How far back use is judged; else audit.window_days.")
]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write the rows to this file, as CSV.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page with charts to this file.")]
History = Annotated[Path | None, typer.Option(help="Add a line for this audit to this file.")]
Archive = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="Keep page, JSON, CSV and line in a folder or gs://BUCKET/PREFIX."),
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN", help="Compare with one of --history or --archive: last, 7d, 12h, 2026-11-01."
    ),
]
On = Annotated[FailOn, typer.Option("--fail-on", help="The severity from which findings are exit code 1.")]
Propose = Annotated[bool, typer.Option("--propose", help="Print limits by what was used, as a patch.")]
Write = Annotated[bool, typer.Option("--write-limits", help="Write that patch into the stack file.")]
TimeLimit = Annotated[
    int, typer.Option(min=1, max=3_600, help="Seconds after which no source is waited for.")
]
Watch = Annotated[
    int | None, typer.Option(metavar="SECONDS", min=1, max=86_400, help="Audit again and again, so often.")
]
Annotate = Annotated[
    bool, typer.Option("--github", help="Print findings as annotations of a GitHub workflow too.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the audit as JSON, with a stable schema.")]


@dataclass(frozen=True)
class _Output:
    """What is made of an audit."""

    as_json: bool
    annotate: bool
    csv: Path | None
    html: Path | None
    history: Path | None
    archive: str | None
    since: str | None
    fail_on: "Severity"
    propose: bool
    write: bool


@dataclass(frozen=True)
class _Scene:
    """The stack file, and what it says."""

    path: Path
    platform: "Platform"
    plan: "Plan"
    grants: "Grants | None"


def audit(
    stack: Stack,
    cloud: Cloud = False,
    quotas_file: QuotasFile = None,
    prometheus: Prometheus = None,
    match: Match = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    state: State = None,
    days: Days = None,
    as_json: AsJson = False,
    github: Annotate = False,
    csv: Csv = None,
    html: Html = None,
    history: History = None,
    archive: Archive = None,
    since: Since = None,
    fail_on: On = FailOn.warning,
    propose: Propose = False,
    write_limits: Write = False,
    time_limit: TimeLimit = 120,
    watch: Watch = None,
) -> None:
    """Say of every cloud quota and every pool what is granted, provisioned, promised and used, and by whom.

    Findings come first: each says how bad it is, its numbers, whose it is, and what to do. Without options
    the plan is held against quotas/<stack>.json alone; --cloud asks Google for everything, and other
    options name a Prometheus, a cluster, a state. What was not asked or did not answer is unknown, and never
    zero. Only ever reads, with the application default credentials; docs/audit.md has the roles, all findings
    and how a forecast is made.

    Exit code 0: nothing found. 1: something was found that is as bad as --fail-on says. 2: the stack file or
    an option cannot be used. 3: a source that was asked did not answer, or not all of it, or the archive
    did not take what there is to keep.

    Examples:
      headroom audit -s prod --cloud

      headroom audit -s dev --prometheus http://127.0.0.1:9090 --kubeconfig ~/.kube/config

      headroom audit -s prod --cloud --html audit.html

      headroom audit -s prod --cloud --history audits.jsonl --since 7d
    """
    from headroom.live.audit import Request

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _require_options(prometheus, since, archive, has_history=history is not None)
    if as_json and github:
        _refuse("--json and --github both print; choose one")
    output = _Output(
        as_json, github, csv, html, history, archive, since, fail_on.value, propose, write_limits
    )
    scene = _load(stack, quotas_file)
    request = Request(
        root=scene.path.parent,
        window_days=days or scene.platform.audit.window_days,
        cloud=cloud,
        prometheus=prometheus or ("google" if cloud else None),
        match=f'environment="{stack}"' if match is None else match,
        kubeconfig=kubeconfig,
        context=context,
        state=state if state in (None, "pulumi") else str(Path(state).absolute()),
        limit_s=float(time_limit),
    )
    if watch is not None:
        _watch(stack, quotas_file, request, output, watch)
    found = _audit(scene, request, output)
    _show(scene, found, output)
    raise typer.Exit(found.exit_code(output.fail_on))


def _require_options(
    prometheus: str | None, since: str | None, archive: str | None, *, has_history: bool
) -> None:
    from datetime import UTC, datetime

    from headroom.audit.history import find_entry
    from headroom.live.archive import require_place
    from headroom.live.prometheus import require_url

    try:
        if prometheus is not None:
            require_url(prometheus)
    except ValueError as error:
        _refuse(f"--prometheus {error}")
    try:
        if archive is not None:
            require_place(archive)
    except ValueError as error:
        _refuse(f"--archive {error}")
    if since is None:
        return
    if archive is None and not has_history:
        _refuse("--since compares with a history: name its file by --history, or its place by --archive")
    try:
        find_entry((), "", since, datetime.now(UTC))
    except ValueError as error:
        _refuse(f"--since {error}")


def _refuse(why: str) -> NoReturn:
    typer.echo(f"error: {why}", err=True)
    raise typer.Exit(2)


def _load(stack: str, quotas_file: Path | None) -> _Scene:
    from headroom.cli.project import find_stack_file
    from headroom.live.grants_file import load_grants, load_stack_grants
    from headroom.planning.plan import plan
    from headroom.spec.errors import Problem, StackFileError
    from headroom.spec.stack_file import load_config, parse_config

    path = find_stack_file(stack)
    config = load_config(path)
    platform = parse_config(config, path.name)
    if quotas_file is None:
        grants = load_stack_grants(path.parent, stack, config)
    elif (grants := load_grants(quotas_file, platform.project)) is None:
        raise StackFileError([Problem("", "there is no such file")], str(quotas_file))
    try:
        return _Scene(path, platform, plan(platform, stack, grants), grants)
    except StackFileError as error:
        raise StackFileError(error.problems, path.name) from None


def _audit(scene: _Scene, request: "Request", output: _Output) -> "Audit":
    from headroom.audit.history import note
    from headroom.audit.report import run_audit
    from headroom.live.audit import take_snapshot
    from headroom.live.connection import EndpointError
    from headroom.live.history_file import append_entry, load_history

    before = load_history(output.history) if output.history else ()
    try:
        with working("asking the sources"):
            snapshot = take_snapshot(scene.plan, request, scene.grants)
    except EndpointError as error:
        _refuse(str(error))
    found = run_audit(scene.platform, scene.plan, snapshot)
    if output.since is not None:
        found = _compare(found, before, output, scene.platform.project)
    if output.history:
        append_entry(output.history, note(found))
    return found


def _compare(found: "Audit", before: "Sequence[Entry]", output: _Output, project: str) -> "Audit":
    """Say what differs from an earlier audit: of the history, or else of the archive."""
    from dataclasses import replace

    from headroom.audit.history import compare, find_entry, note
    from headroom.live.archive import find_earlier, open_archive

    since = output.since or ""
    if output.history:
        earlier = find_entry(before, found.stack, since, found.at)
    else:
        with _archiving(output):
            archive = open_archive(output.archive or "", project)
            earlier = find_earlier(archive, found.stack, since, found.at)
    if earlier is None:
        place = output.history or output.archive
        aside(f"warning: {place} has no audit of {found.stack} as old as that")
        return found
    return replace(found, change=compare(earlier, note(found)))


def _archive(scene: _Scene, found: "Audit", output: _Output) -> None:
    from headroom.audit.history import note, render_entry
    from headroom.live.archive import ENTRY, keep, open_archive
    from headroom.report.audit_json import render_audit, render_csv

    texts = {
        "html": _page(scene, found),
        "json": render_audit(found, output.fail_on) + "\n",
        "csv": render_csv(found),
        ENTRY: render_entry(note(found)) + "\n",
    }
    with _archiving(output):
        stem = keep(open_archive(output.archive or "", scene.platform.project), found.stack, found.at, texts)
    typer.echo(f"kept: {(output.archive or '').rstrip('/')}/{stem}.html and the like", err=True)


@contextmanager
def _archiving(output: _Output) -> Generator[None]:
    from headroom.live.connection import EndpointError, UnansweredError

    try:
        yield
    except EndpointError as error:
        _refuse(str(error))
    except UnansweredError as error:
        remedy = f"\n  {error.remedy}" if error.remedy else ""
        typer.echo(f"error: --archive {output.archive}: {error}{remedy}", err=True)
        raise typer.Exit(3) from None


def _page(scene: _Scene, found: "Audit") -> str:
    from headroom.cli.limits_patch import render_patch
    from headroom.report.audit_page import render_page
    from headroom.report.audit_page_proposals import Patch
    from headroom.spec.errors import StackFileError

    try:
        patch = Patch(render_patch(scene.path, found.proposals))
    except StackFileError as error:
        patch = Patch(refusal=str(error))
    return render_page(found, patch)


def _show(scene: _Scene, found: "Audit", output: _Output) -> None:
    from headroom.cli.limits_patch import render_patch, write_limits

    if output.csv is not None:
        from headroom.report.audit_json import render_csv

        _write_file("--csv", output.csv, render_csv(found))
    if output.html is not None:
        _write_file("--html", output.html, _page(scene, found))
    if output.as_json:
        from headroom.report.audit_json import render_audit

        sys.stdout.write(render_audit(found, output.fail_on) + "\n")
    else:
        from headroom.report.audit_table import print_audit

        print_audit(found)
    if output.annotate:
        from headroom.report.audit_github import render_annotations

        typer.echo(render_annotations(found))
    if output.write:
        write_limits(found.stack, scene.path, found.proposals, quiet=output.as_json)
    elif output.propose and not output.as_json:
        patch = render_patch(scene.path, found.proposals)
        typer.echo(f"\n{patch}" if patch else "\nno limits to propose: no use is known, or it fits")
    if output.archive is not None:
        _archive(scene, found, output)


def _write_file(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _refuse(f"{option} {path}: cannot be written: {error.strerror}")


def _watch(
    stack: str, quotas_file: Path | None, request: "Request", output: _Output, seconds: int
) -> NoReturn:
    """Audit until somebody ends it; the stack file is read anew each time."""
    from headroom.report.tables import make_console

    code = 0
    try:
        while True:
            scene = _load(stack, quotas_file)
            found = _audit(scene, request, output)
            code = found.exit_code(output.fail_on)
            make_console().clear()
            _show(scene, found, output)
            sys.stdout.flush()
            time.sleep(seconds)
    except KeyboardInterrupt:
        raise typer.Exit(code) from None
