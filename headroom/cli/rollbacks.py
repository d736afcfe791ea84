"""`headroom release approve-rollbacks`: the way back from a failed canary is approved without a person."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import aside
from headroom.cli.errors import google_errors
from headroom.cli.options import AsJson, Stack

if TYPE_CHECKING:
    from headroom.delivery.approvals import Step
    from headroom.live.connection import Connection
    from headroom.planning.plan import Plan


@dataclass
class _Round:
    """What became of the rollbacks that wait, model by model."""

    approved: "list[Step]" = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)


def approve_rollbacks(
    stack: Stack,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what waits, and approve nothing.")] = False,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Say in Cloud Monitoring that all was seen to, as the stack's job does."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Approve the way back from a canary that failed, where it waits for that, of all models of the stack.

    Only what needs nobody's judgement is approved: the latest rollout, which Cloud Deploy says rolls back the
    one before it, which failed or was stopped, to what all users had until then. A new release never is, and
    a rollback to any other is left to people. The stack's own job runs this each minute where
    headroom:operations has rollbacks, with --record: where that is said no more, RollbackJobSilent is told.

    Exit code 0: none waits any more but what is left to people. 1: Google refused an approval, or with
    --dry-run one waits. 2: the stack file cannot be used. 3: Cloud Deploy could not be asked, of one model at
    least, or Cloud Monitoring not be told; the others were seen to.

    Example: headroom release approve-rollbacks -s prod
    """
    from headroom.cli.project import plan_stack
    from headroom.delivery.releases import require_lead
    from headroom.live.connection import connect
    from headroom.report.release_table import describe_returns

    plan = plan_stack(stack).plan
    require_lead(plan, f"Pulumi.{stack}.yaml")
    if record and dry_run:
        typer.echo("error: --record: a dry run sees to nothing; leave out one of both", err=True)
        raise typer.Exit(2)
    with google_errors():
        connection = connect(plan.project)
        done = _approve_all(plan, connection, dry_run=dry_run)
        if record and not done.codes:
            _record(plan, connection, done)
    if as_json:
        typer.echo(describe_returns(done.approved, done.left, sent=not dry_run))
    else:
        _tell(done, dry_run=dry_run)
    raise typer.Exit(max(done.codes, default=0))


def _tell(done: _Round, *, dry_run: bool) -> None:
    for step in done.approved:
        typer.echo(f"{'nothing is changed; this' if dry_run else 'done:'} {step.does}: {step.rollout}")
    for name in done.left:
        typer.echo(f"left to people, since it is not the way back from a failed canary: {name}")
    if not (done.approved or done.left or done.codes):
        typer.echo("no rollback waits for an approval")


def _record(plan: "Plan", connection: "Connection", done: _Round) -> None:
    from headroom.live.connection import UnansweredError
    from headroom.live.job_success import record_success

    try:
        record_success(connection, "rollbacks", plan.environment, datetime.now(UTC))
    except UnansweredError as error:
        typer.echo(f"error: Cloud Monitoring: {error}", err=True)
        if error.remedy:
            aside(f"hint: {error.remedy}")
        done.codes.add(3)


def _approve_all(plan: "Plan", connection: "Connection", *, dry_run: bool) -> _Round:
    """See to each model; one that cannot be asked about does not hold up another."""
    from headroom.delivery.approvals import plan_returns
    from headroom.delivery.progress import name_delivery_pipeline
    from headroom.live.connection import UnansweredError
    from headroom.live.deploy import list_rollouts, send_request

    done = _Round()
    for rollout in plan.delivery.rollouts if plan.delivery else ():
        is_asked = False
        try:
            found = list_rollouts(connection, name_delivery_pipeline(plan, rollout.pipeline))
            is_asked = True
            returns = plan_returns(plan, rollout, found, datetime.now(UTC))
            done.left += [each.name for each in returns.left]
            for step in returns.approved:
                if dry_run:
                    done.codes.add(1)
                else:
                    send_request(connection, step.request)
                done.approved.append(step)
        except UnansweredError as error:
            typer.echo(f"error: {rollout.pipeline}: {error}", err=True)
            if error.remedy:
                aside(f"hint: {error.remedy}")
            done.codes.add(1 if is_asked and error.is_refusal else 3)
    return done
