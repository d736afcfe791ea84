"""`headroom docs`: pages about the deliveries, from the stack file."""

from typing import Annotated

import typer


def docs(
    stack: Annotated[str, typer.Option("--stack", "-s", envvar="PULUMI_STACK", help="Name of the stack.")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what differs.")] = False,
) -> None:
    """Write docs/delivery/STACK/MODEL.md: who approves what, how a model is released and rolled back.

    Exit code 0: done, or nothing differs. 1: with --check, a page differs from what the stack file says. 2:
    the stack file cannot be used.

    Examples:
      headroom docs -s prod

      headroom docs -s prod --check
    """
    from headroom.cli.project import find_stack_file
    from headroom.delivery.page import render_pages
    from headroom.delivery.page_files import compare_pages, write_pages
    from headroom.live.grants_file import load_stack_grants
    from headroom.planning.plan import plan_config
    from headroom.spec.stack_file import load_config

    path = find_stack_file(stack)
    config = load_config(path)
    plan = plan_config(config, stack, path.name, load_stack_grants(path.parent, stack, config))
    pages = render_pages(plan)
    if not check:
        for name in write_pages(path.parent, stack, pages):
            typer.echo(f"wrote {name}")
        return
    problems = compare_pages(path.parent, stack, pages)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        typer.echo(f"hint: headroom docs -s {stack} writes them", err=True)
        raise typer.Exit(1)
