"""`headroom demo`: the dev stack on the sandbox, from nothing to nothing, each step checked."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from headroom.cli.errors import user_errors

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.engine.demonstration import Demonstration, Edit

STACK = "dev"


def demo() -> None:
    """Bring the dev stack up on an imitation of Google Cloud, edit it, take it down.

    The real Pulumi engine runs in a sandbox made for the occasion and deleted afterwards; no project file
    changes and no cloud is reached. Exit code 0: every step did what it says. 1: one did not. 2: the stack
    file cannot be used. 130: interrupted.
    """
    from rich.console import Console

    console = Console(highlight=False)
    console.print(
        "[bold]headroom demo[/bold]: the dev stack, the real Pulumi engine, an imitation of Google Cloud",
        soft_wrap=True,
    )
    from sandbox.engine.demonstration import InterruptedStepError, StepFailedError, interruptible

    started = time.monotonic()
    try:
        with user_errors(), interruptible():
            _perform(console)
    except InterruptedStepError:
        console.print("interrupted; nothing is left behind")
        raise typer.Exit(130) from None
    except StepFailedError as error:
        console.print("[bold red]the demo failed[/bold red]: ", end="")
        console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    console.print(f"[bold green]done[/bold green] in {time.monotonic() - started:.0f} s")


def _perform(console: "Console") -> None:
    """Check the stack file and play the steps; raises StackFileError for a file that has no plan."""
    from headroom.cli.project import find_stack_file
    from headroom.planning.plan import plan_config
    from headroom.spec.stack_file import load_config, load_neighbours
    from sandbox.engine.cache import find_cache_folder
    from sandbox.engine.demonstration import open_demonstration, plan_edit

    path = find_stack_file(STACK)
    config = load_config(path)
    plan_config(config, STACK, path.name, neighbours=load_neighbours(config, path.parent))
    edit = plan_edit(config, STACK)
    with open_demonstration(Path.cwd(), STACK, lambda line: console.print(f"  {line}")) as demonstration:
        page = find_cache_folder() / "demo" / f"audit-{STACK}.html"
        _play(console, demonstration, edit, page)
    console.print(f"\nThe audit of what was there, as a page for a browser:\n  {page}", soft_wrap=True)


def _play(console: "Console", demonstration: "Demonstration", edit: "Edit", page: Path) -> None:
    up = f"pulumi up -s {STACK} --yes --skip-preview"
    with _step(console, "1. Bring the environment up", up):
        count = demonstration.bring_up()
        console.print(f"{count} resources are in the state")
    with _step(console, "2. Again: nothing is left to do", f"{up} --expect-no-changes"):
        demonstration.bring_up_again()
    setting = f"pulumi config set -s {STACK} --path {edit.setting} {edit.after}"
    title = f"3. Edit the stack file: pool {edit.pool}, at most {edit.after} nodes for {edit.before}"
    with _step(console, title, setting, f"pulumi preview -s {STACK} --diff"):
        demonstration.edit_and_preview(edit)
    command = f"headroom audit -s {STACK} --state deployed.json --html {page.name}"
    with _step(console, "4. Audit what is there; the edit is not deployed", command):
        for line in demonstration.audit(page):
            console.print(line, markup=False, soft_wrap=True)
    with _step(console, "5. Take it all down", f"pulumi destroy -s {STACK} --yes --skip-preview"):
        demonstration.take_down()
    console.print("\nLeft in the cloud, because Google cannot delete it:")
    for kind, name in demonstration.list_left_over():
        console.print(f"  {kind.rsplit(':', 1)[-1]}  {name}", soft_wrap=True)


@contextmanager
def _step(console: "Console", title: str, *commands: str) -> Generator[None]:
    started = time.monotonic()
    console.print()
    console.rule(f"[bold]{title}", align="left")
    for command in commands:
        console.print(f"$ {command}", style="dim", markup=False, soft_wrap=True)
    yield
    console.print(f"[green]as claimed[/green], {time.monotonic() - started:.1f} s")
