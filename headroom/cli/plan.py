"""`headroom plan`: what a stack file becomes."""

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.asides import aside
from headroom.cli.options import Stack

if TYPE_CHECKING:
    from headroom.cli.project import PlannedStack


def plan(
    stack: Stack,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole plan as JSON.")] = False,
) -> None:
    """Show the pools as they will be, the quota they draw, and the pipelines' limits.

    Reads the stack file, and of quotas/<stack>.json what is granted: no credentials, no network.

    Exit code 0: no quota is known to be short; what is unknown is a warning. 1: a quota is short of what the
    pools could draw, or of what is promised; the latter `pulumi up` refuses too (headroom:quota.grants).
    2: the stack file or the grants cannot be used, and every reason is printed with its key in the file.

    Examples:
      headroom plan -s dev

      headroom plan -s prod --json | jq '.quota[] | select(.standing != "enough")'
    """
    from headroom.cli.project import plan_stack

    # A reader that has had enough (`| head`) ends this as any other filter, not with the code of a shortage.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    found = plan_stack(stack)
    planned, grants = found.plan, found.grants
    if as_json:
        from headroom.report.plan_json import render_json

        sys.stdout.write(render_json(planned, grants) + "\n")
    else:
        from headroom.report.plan_table import print_plan

        print_plan(planned, grants)
    _conclude(found)


def _conclude(found: "PlannedStack") -> None:
    from datetime import UTC, datetime

    from headroom.planning.estimates import list_shortfalls
    from headroom.planning.grants import compare
    from headroom.report.cloud_quotas_table import list_request_warnings
    from headroom.report.quota_table import list_shortages, list_warnings

    planned, grants = found.plan, found.grants
    standings = compare(planned.quota, grants)
    for warning in list_warnings(standings, grants, planned.environment, datetime.now(UTC)):
        aside(f"warning: {warning}")
    for warning in list_request_warnings(planned.quota_requests, planned.environment):
        aside(f"warning: {warning}")
    for warning in list_shortfalls(planned.pipelines):
        aside(f"warning: {warning}")
    for note in planned.notes:
        aside(f"note: {found.point_to(note)}")
    shortages = list_shortages(standings)
    for line in [*shortages, *map(found.point_to, planned.shortfalls)]:
        typer.echo(f"short: {line}", err=True)
    if shortages or planned.shortfalls:
        raise typer.Exit(1)
