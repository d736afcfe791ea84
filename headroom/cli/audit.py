"""`headroom audit`: who has how much of what, where plan, cluster and cloud disagree, and what to do."""

import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from headroom.cli.asides import aside, working
from headroom.cli.errors import google_errors
from headroom.cli.options import Stack

if TYPE_CHECKING:
    from headroom.audit.findings import Severity
    from headroom.audit.history import Entry
    from headroom.audit.report import Audit
    from headroom.cli.project import PlannedStack
    from headroom.live.audit import Request


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
    could not be read or did not take what there is to keep.

    Examples:
      headroom audit -s prod --cloud

      headroom audit -s dev --prometheus http://127.0.0.1:9090 --kubeconfig ~/.kube/config

      headroom audit -s prod --cloud --html audit.html

      headroom audit -s prod --cloud --history audits.jsonl --since 7d
    """
    from headroom.cli.project import plan_stack
    from headroom.live.audit import Request

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _require_options(prometheus, since, archive, has_history=history is not None)
    if as_json and github:
        _refuse("--json and --github both print; choose one")
    output = _Output(
        as_json, github, csv, html, history, archive, since, fail_on.value, propose, write_limits
    )
    scene = plan_stack(stack, quotas_file)
    request = Request(
        root=scene.root,
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


def _audit(scene: "PlannedStack", request: "Request", output: _Output) -> "Audit":
    from headroom.audit.report import run_audit
    from headroom.live.audit import take_snapshot
    from headroom.live.history_file import load_history

    before = load_history(output.history) if output.history else ()
    with google_errors(), working("asking the sources"):
        snapshot = take_snapshot(scene.plan, request, scene.grants)
    found = run_audit(scene.platform, scene.plan, snapshot)
    return found if output.since is None else _compare(found, before, output)


def _compare(found: "Audit", before: "Sequence[Entry]", output: _Output) -> "Audit":
    """Say what differs from an earlier audit, or that this is not known: then the audit is worth no less."""
    from headroom.audit.history import compare, note
    from headroom.audit.report import Source
    from headroom.live.connection import UnansweredError
    from headroom.spec.errors import StackFileError

    place = output.history or output.archive
    try:
        earlier = _find_earlier(found, before, output)
    except UnansweredError as error:
        unread = Source("earlier audits", "unreachable", str(place), None, str(error), error.remedy)
        return replace(found, sources=(*found.sources, unread))
    except StackFileError as error:
        aside(f"warning: what differs from an earlier audit is not known: {place}: {error}")
        return found
    if earlier is None:
        aside(f"warning: {place} has no audit of {found.stack} as old as that")
        return found
    return replace(found, change=compare(earlier, note(found)))


def _find_earlier(found: "Audit", before: "Sequence[Entry]", output: _Output) -> "Entry | None":
    """Of the history, or else of the archive."""
    from headroom.audit.history import find_entry
    from headroom.live.archive import find_earlier, open_archive
    from headroom.live.connection import EndpointError

    since = output.since or ""
    if output.history:
        return find_entry(before, found.stack, since, found.at)
    try:
        return find_earlier(open_archive(output.archive or "", found.project), found.stack, since, found.at)
    except EndpointError as error:
        _refuse(str(error))


def _archive(scene: "PlannedStack", found: "Audit", output: _Output) -> None:
    from headroom.audit.history import note, render_entry
    from headroom.live.archive import ENTRY, keep, open_archive
    from headroom.report.audit_json import render_audit, render_csv

    texts = {
        "html": _page(scene, found),
        "json": render_audit(found, output.fail_on) + "\n",
        "csv": render_csv(found),
        ENTRY: render_entry(note(found)) + "\n",
    }
    with google_errors(f"--archive {output.archive}: "):
        stem = keep(open_archive(output.archive or "", found.project), found.stack, found.at, texts)
    typer.echo(f"kept: {(output.archive or '').rstrip('/')}/{stem}.html and the like", err=True)


def _page(scene: "PlannedStack", found: "Audit") -> str:
    from headroom.cli.limits_patch import render_patch
    from headroom.report.audit_page import render_page
    from headroom.report.audit_page_proposals import Patch
    from headroom.spec.errors import StackFileError

    try:
        patch = Patch(render_patch(scene.path, found.proposals))
    except StackFileError as error:
        patch = Patch(refusal=str(error))
    return render_page(found, patch)


def _show(scene: "PlannedStack", found: "Audit", output: _Output) -> None:
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
    if output.history is not None:
        from headroom.audit.history import note
        from headroom.live.history_file import append_entry

        append_entry(output.history, note(found))
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
    from headroom.cli.project import plan_stack
    from headroom.report.tables import make_console

    code = 0
    try:
        while True:
            scene = plan_stack(stack, quotas_file)
            found = _audit(scene, request, output)
            code = found.exit_code(output.fail_on)
            make_console().clear()
            _show(scene, found, output)
            sys.stdout.flush()
            time.sleep(seconds)
    except KeyboardInterrupt:
        raise typer.Exit(code) from None
