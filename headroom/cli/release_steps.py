"""`headroom release status|approve|advance|rollback|audit`: what people do with releases under way."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import aside
from headroom.cli.errors import end_unanswered, google_errors
from headroom.cli.options import AsJson, ServingPipeline, Stack

if TYPE_CHECKING:
    from headroom.delivery.approvals import Step
    from headroom.delivery.progress import Rollout
    from headroom.live.connection import Connection
    from headroom.planning.delivery import DeliveryPlan
    from headroom.planning.plan import Plan
    from headroom.planning.rollouts import RolloutPlan
    from headroom.report.release_table import Taken

_KEPT_DAYS = 400
"""How long audit logs of what was done are kept (cloud.google.com/logging/quotas, 2026-11)."""

ReleaseName = Annotated[
    str | None,
    typer.Option("--release", metavar="RELEASE", help="Name of the release; by default the one there is."),
]
Earlier = Annotated[
    str | None,
    typer.Option(
        "--release", metavar="RELEASE", help="The release to go back to; by default the last that succeeded."
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="STACK", help="Only there: the stack of one of the regions."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the request, and change nothing.")]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivered pipeline, and the way to Cloud Deploy."""

    plan: "Plan"
    delivery: "DeliveryPlan"
    rollout: "RolloutPlan"
    connection: "Connection"
    name: str
    """The delivery pipeline's full name."""


def status(
    stack: Stack,
    pipeline: ServingPipeline,
    most: Annotated[int, typer.Option("--most", min=1, help="How many releases, the latest first.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Print how far each release is, who waits for whom, and the command of who has to act.

    Exit code 0: done. 2: the pipeline is not delivered, or the stack file cannot be used. 3: Cloud Deploy
    could not be asked.

    Example: headroom release status -s prod -p feed-serving
    """
    from headroom.delivery.failures import describe_refusals
    from headroom.delivery.progress import list_standings
    from headroom.live.deploy import list_releases, list_rollouts
    from headroom.report.release_table import describe_standings, print_standings
    from headroom.report.tables import make_console

    with google_errors():
        found = _reach(stack, pipeline)
        releases = list_releases(found.connection, found.name)
        rollouts = list_rollouts(found.connection, found.name)
    standings = list_standings(found.plan, found.rollout, releases, rollouts)[:most]
    frozen = [freeze.name for freeze in found.delivery.freezes if freeze.holds(datetime.now(UTC))]
    if as_json:
        typer.echo(describe_standings(standings, frozen))
        return
    print_standings(make_console(), pipeline, standings)
    for name in frozen:
        typer.echo(f"frozen by {name}: {describe_refusals()} are refused, rolling back is not")


def approve(
    stack: Stack,
    pipeline: ServingPipeline,
    release: ReleaseName = None,
    region: Region = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Approve that a release begins in production, or that a rollback does.

    Nobody may approve what they released: who did is read from the audit logs, who asks from the credentials,
    and where either is unknown the approval is refused. A rollback to what production had may be approved by
    whoever holds the right to, and in a freeze too.

    Exit code 0: done. 1: refused. 2: there is no such release or pipeline. 3: it could not be asked.

    Example: headroom release approve -s prod -p feed-serving --release v7 --dry-run
    """
    from headroom.delivery.approvals import plan_approval, require_other
    from headroom.delivery.progress import is_return
    from headroom.live.deploy import list_rollouts
    from headroom.report.release_table import describe_step

    with google_errors(), _refusals():
        found = _reach(stack, pipeline, region)
        rollouts = list_rollouts(found.connection, found.name)
        step, rollout = plan_approval(found.plan, found.rollout, rollouts, release, datetime.now(UTC))
        if not is_return(rollout, rollouts):
            caller, releasers = _ask_people(found, rollout.release)
            require_other(found.rollout, rollout, caller, releasers)
    taken = _take(found, step, dry_run=dry_run, quiet=as_json)
    if as_json:
        typer.echo(describe_step(taken))


def advance(
    stack: Stack,
    pipeline: ServingPipeline,
    release: ReleaseName = None,
    region: Region = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let a rollout go on from a phase that holds it.

    Exit code 0: done. 1: refused: no rollout is held. 2: there is no such release or pipeline. 3: it could
    not be asked.

    Example: headroom release advance -s prod -p fraud-serving --dry-run
    """
    from headroom.delivery.approvals import plan_advance
    from headroom.live.deploy import list_rollouts
    from headroom.report.release_table import describe_step

    with google_errors(), _refusals():
        found = _reach(stack, pipeline, region)
        rollouts = list_rollouts(found.connection, found.name)
        step = plan_advance(found.rollout, rollouts, release)
    taken = _take(found, step, dry_run=dry_run, quiet=as_json)
    if as_json:
        typer.echo(describe_step(taken))


def rollback(
    stack: Stack,
    pipeline: ServingPipeline,
    release: Earlier = None,
    region: Region = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give all users of production the release again that they had before, or the one named.

    Of several regions it is those that have the newest release, unless one is named. It passes the canary's
    phases, and is possible in freezes. Where production asks for approvals the rollback may wait for one:
    then that is said, with the command. JSON is a list, of a step for each region.

    Exit code 0: done, or it waits for an approval. 1: refused: there is nothing to go back to. 2: there is no
    such release or pipeline. 3: it could not be asked.

    Example: headroom release rollback -s prod -p feed-serving --dry-run
    """
    from headroom.delivery.approvals import plan_rollbacks
    from headroom.live.deploy import list_releases, list_rollouts
    from headroom.report.release_table import describe_steps

    with google_errors(), _refusals():
        found = _reach(stack, pipeline, region)
        releases = list_releases(found.connection, found.name)
        rollouts = list_rollouts(found.connection, found.name)
        steps = plan_rollbacks(found.plan, found.rollout, releases, rollouts, release, datetime.now(UTC))
    taken, code = [], 0
    for step in steps:
        try:
            taken.append(_take(found, step, dry_run=dry_run, quiet=as_json))
        except typer.Exit as refused:
            typer.echo(f"not done: {step.does}", err=True)
            code = max(code, refused.exit_code)
    if as_json:
        typer.echo(describe_steps(taken))
    raise typer.Exit(code)


def audit(
    stack: Stack,
    pipeline: ServingPipeline,
    days: Annotated[
        int, typer.Option("--days", min=1, max=_KEPT_DAYS, help="How far back approvals are looked at.")
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Find approvals, given anywhere, by whoever had released the same; the audit logs say who did what.

    Exit code 0: there is none. 1: there is one, or one of which it is unknown who released. 2: the pipeline
    is not delivered, or the stack file cannot be used. 3: the audit logs or Cloud Deploy could not be asked.

    Example: headroom release audit -s prod -p feed-serving --days 7
    """
    from headroom.delivery.approvals import find_self_approvals
    from headroom.delivery.progress import is_return
    from headroom.live.audit_logs import list_acts
    from headroom.live.deploy import list_rollouts
    from headroom.report.release_table import describe_self_approvals, say_self_approval

    now = datetime.now(UTC)
    with google_errors():
        found = _reach(stack, pipeline)
        acts = list_acts(found.connection, found.name, now - timedelta(days=_KEPT_DAYS))
        rollouts = list_rollouts(found.connection, found.name)
    since = f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%S}"
    returns = {f"{each.release}/{each.id}" for each in rollouts if is_return(each, rollouts)}
    approvals = find_self_approvals(
        (act for act in acts if act.kind == "release" or act.when >= since), returns
    )
    if as_json:
        typer.echo(describe_self_approvals(approvals))
    for each in approvals if not as_json else ():
        typer.echo(say_self_approval(each))
    if approvals:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{pipeline}: nobody approved in the last {days} days what they had released")


def _reach(stack: str, pipeline: str, region: str | None = None) -> Delivered:
    from headroom.cli.project import plan_stack
    from headroom.delivery.progress import name_delivery_pipeline
    from headroom.delivery.regions import narrow_to_region
    from headroom.delivery.releases import require_rollout
    from headroom.live.connection import connect

    plan = plan_stack(stack).plan
    delivery, rollout = require_rollout(plan, pipeline, f"Pulumi.{stack}.yaml")
    there = narrow_to_region(rollout, region)
    return Delivered(plan, delivery, there, connect(plan.project), name_delivery_pipeline(plan, pipeline))


def _ask_people(found: Delivered, release: str) -> tuple[str | None, set[str]]:
    """Who asks, and who released: unknown where the caller is None, or nobody is named."""
    from headroom.live.audit_logs import list_acts
    from headroom.live.caller import find_caller

    since = datetime.now(UTC) - timedelta(days=_KEPT_DAYS)
    acts = list_acts(found.connection, found.name, since, release)
    return find_caller(found.connection), {act.who for act in acts if act.kind == "release"}


def _take(found: Delivered, step: "Step", *, dry_run: bool, quiet: bool) -> "Taken":
    """Do a step, or not, and unless it is `quiet` say what it is."""
    from headroom.report.release_table import Taken

    for warning in step.warnings:
        aside(f"warning: {warning}")
    if dry_run:
        if not quiet:
            _tell_request(step)
        return Taken(step, sent=False, state="")
    _send(found, step)
    rollout = _find_after(found, step)
    if not quiet:
        typer.echo(f"done: {step.does}")
        _tell_pending(found, rollout)
    return Taken(step, sent=True, state=rollout.state if rollout else "")


def _tell_request(step: "Step") -> None:
    import json

    typer.echo(f"nothing is changed; this {step.does}:\nPOST {step.request.path}")
    typer.echo(json.dumps(step.request.body, indent=2))


def _tell_pending(found: Delivered, rollout: "Rollout | None") -> None:
    from headroom.delivery.commands import region_arguments, step_command
    from headroom.delivery.names import name_people
    from headroom.delivery.progress import PENDING_APPROVAL

    pipeline = found.rollout.pipeline
    if rollout is None:
        typer.echo(f"see how far it is: {step_command(found.plan, 'status', pipeline)}")
    elif rollout.state == PENDING_APPROVAL:
        region = found.rollout.find_region(rollout.target) or found.rollout
        where = ("--release", rollout.release, *region_arguments(region))
        command = step_command(found.plan, "approve", pipeline, *where)
        people = name_people(region.approvals.approve)
        typer.echo(f"it waits for the approval of {people}, and nothing has changed yet:\n{command}")


def _send(found: Delivered, step: "Step") -> None:
    from headroom.delivery.commands import step_command
    from headroom.live.connection import UnansweredError
    from headroom.live.deploy import send_request

    try:
        send_request(found.connection, step.request)
    except UnansweredError as error:
        if not error.is_refusal:
            look = step_command(found.plan, "status", found.rollout.pipeline)
            typer.echo(f"error: it is not known whether that was done; look: {look}", err=True)
        end_unanswered(error, 1 if error.is_refusal else 3)


def _find_after(found: Delivered, step: "Step") -> "Rollout | None":
    from headroom.live.connection import UnansweredError
    from headroom.live.deploy import get_rollout

    try:
        return get_rollout(found.connection, step.rollout)
    except UnansweredError:
        return None


@contextmanager
def _refusals() -> Generator[None]:
    """End with exit code 1 where the step may not be taken now, and 2 where release or region is unknown."""
    from headroom.delivery.approvals import RefusedError, UnknownReleaseError
    from headroom.delivery.regions import UnknownRegionError

    try:
        yield
    except RefusedError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from None
    except (UnknownReleaseError, UnknownRegionError) as error:
        option = "--release" if isinstance(error, UnknownReleaseError) else "--region"
        typer.echo(f"{option}: {error}", err=True)
        raise typer.Exit(2) from None
