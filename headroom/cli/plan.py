"""`headroom plan`: what a stack file becomes."""

import sys
from typing import Annotated

import typer


def plan(
    stack: Annotated[str, typer.Option("--stack", "-s", envvar="PULUMI_STACK", help="Name of the stack.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole plan as JSON.")] = False,
) -> None:
    """Show the pools as they will be, the quota they draw, and the pipelines' limits.

    Reads the stack file only: no credentials, no network. Exit code 0: the plan is sound. 2: it is not, and
    every reason is printed with its key in the file.

    Examples:
      headroom plan -s dev

      headroom plan -s prod --json | jq '.quota'
    """
    from headroom.cli.project import find_stack_file
    from headroom.planning.plan import plan_config
    from headroom.spec.stack_file import load_config

    path = find_stack_file(stack)
    planned = plan_config(load_config(path), stack, path.name)
    if as_json:
        from headroom.report.plan_json import render_json

        sys.stdout.write(render_json(planned) + "\n")
        return
    from headroom.report.plan_table import print_plan

    print_plan(planned)
