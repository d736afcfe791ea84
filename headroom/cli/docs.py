"""`headroom docs`: pages about the deliveries, from the stack file."""

from typing import Annotated

import typer

from headroom.cli.asides import aside
from headroom.cli.options import Stack


def docs(
    stack: Stack,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what differs.")] = False,
) -> None:
    """Write docs/delivery/STACK/MODEL.md: who approves what, how a model is released and rolled back.

    Exit code 0: done, or nothing differs. 1: with --check, a page differs from what the stack file says. 2:
    the stack file cannot be used.

    Examples:
      headroom docs -s prod

      headroom docs -s prod --check
    """
    from headroom.cli.project import plan_stack
    from headroom.delivery.page import render_pages
    from headroom.delivery.page_files import compare_pages, write_pages

    found = plan_stack(stack)
    pages = render_pages(found.plan)
    if found.plan.delivery and found.plan.delivery.lead:
        lead = found.plan.delivery.lead.stack
        aside(f"{stack}: releases come from {lead}, whose pages tell of this region: headroom docs -s {lead}")
    if not check:
        for name in write_pages(found.root, stack, pages):
            typer.echo(f"wrote {name}")
        return
    problems = compare_pages(found.root, stack, pages)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        aside(f"hint: headroom docs -s {stack} writes them")
        raise typer.Exit(1)
