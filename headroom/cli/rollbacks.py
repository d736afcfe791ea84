"""`headroom release approve-rollbacks`: a rollback that waits for an approval gets it without a person."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.options import AsJson, Stack

if TYPE_CHECKING:
    from headroom.delivery.approvals import Step
    from headroom.live.connection import Connection
    from headroom.planning.plan import Plan


def approve_rollbacks(
    stack: Stack,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what waits, and approve nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve each rollback that waits for an approval, of all models of the stack.

    Only the way back is approved: rollouts that Cloud Deploy made to roll another one back, to a release that
    production had before. A new release never is. The stack's own job runs this each minute where
    headroom:operations has rollbacks.

    Exit code 0: none waits any more. 1: Google refused an approval. 2: the stack file cannot be used. 3:
    Cloud Deploy could not be asked, of one model at least; the others were seen to.

    Example: headroom release approve-rollbacks -s prod
    """
    from headroom.cli.project import plan_stack
    from headroom.live.connection import EndpointError, connect
    from headroom.report.release_table import describe_returns

    plan = plan_stack(stack).plan
    try:
        done, codes = _approve_all(plan, connect(plan.project), dry_run=dry_run)
    except EndpointError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(describe_returns(done, sent=not dry_run))
    else:
        for step in done:
            typer.echo(f"{'nothing is changed; this' if dry_run else 'done:'} {step.does}: {step.rollout}")
        if not done and not codes:
            typer.echo("no rollback waits for an approval")
    raise typer.Exit(max(codes, default=0))


def _approve_all(plan: "Plan", connection: "Connection", *, dry_run: bool) -> "tuple[list[Step], set[int]]":
    """What was approved, and the exit codes of what was not."""
    from headroom.delivery.approvals import plan_returns
    from headroom.delivery.progress import name_delivery_pipeline
    from headroom.live.connection import UnansweredError
    from headroom.live.deploy import list_rollouts, send_request

    done: list[Step] = []
    codes: set[int] = set()
    for rollout in plan.delivery.rollouts if plan.delivery else ():
        is_asked = False
        try:
            found = list_rollouts(connection, name_delivery_pipeline(plan, rollout.pipeline))
            is_asked = True
            for step in plan_returns(plan, rollout, found, datetime.now(UTC)):
                if not dry_run:
                    send_request(connection, step.request)
                done.append(step)
        except UnansweredError as error:
            typer.echo(f"error: {rollout.pipeline}: {error}", err=True)
            codes.add(1 if is_asked and error.is_refusal else 3)
    return done, codes
