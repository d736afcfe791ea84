"""`headroom sandbox`: the Pulumi CLI against an imitation of Google Cloud, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from headroom.cli import world
from headroom.cli.asides import aside
from headroom.cli.errors import user_errors

app = typer.Typer(
    name="sandbox",
    help="Run the real Pulumi engine against an imitation of Google Cloud, on this machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PULUMI_HELP = """Run the Pulumi CLI in the sandbox; what follows `--` goes to it unchanged.

A stack is created when it is first named, from its Pulumi.<stack>.yaml. State, secrets and the imitation
cloud live in the state folder (`headroom sandbox path`); the only files of the project that change are the
stack files that `config set`, `set-all`, `rm`, `rm-all` and `cp` edit.

Examples:

  headroom sandbox pulumi -- preview -s dev --diff

  headroom sandbox pulumi -- up -s dev --yes

  headroom sandbox pulumi -- config set -s dev --path 'headroom:pools.cpu.nodes.max' 16

  headroom sandbox pulumi -- stack export -s dev
"""


@app.command(
    "pulumi",
    help=PULUMI_HELP,
    short_help="Run the Pulumi CLI in the sandbox.",
    context_settings={"ignore_unknown_options": True},
)
def pulumi(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="-- ARGS", help="For the Pulumi CLI.")
    ] = None,
) -> None:
    """Run the CLI and end with its exit code."""
    from sandbox.engine.install import locate_pulumi
    from sandbox.engine.workspace import open_sandbox

    with user_errors():
        sandbox = open_sandbox(Path.cwd())
        code = sandbox.run(locate_pulumi(aside), arguments or ["--help"])
    raise typer.Exit(code)


@app.command("path")
def path() -> None:
    """Print the state folder of this project's sandbox."""
    from sandbox.engine.workspace import open_sandbox

    with user_errors():
        typer.echo(open_sandbox(Path.cwd()).state)


@app.command("engine")
def engine() -> None:
    """Print the Pulumi CLI that the sandbox uses and where it came from; install or build it if need be."""
    from sandbox.engine.install import locate_pulumi

    with user_errors():
        cli = locate_pulumi(aside)
        host = cli.language_host or "the sandbox's own"
        typer.echo(f"{cli.path}\nversion: {cli.version}\norigin: {cli.origin}\nlanguage host: {host}")


@app.command("reset")
def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget the sandbox of this project: its stacks, their secrets and the imitation cloud."""
    from sandbox.engine.workspace import open_sandbox

    with user_errors():
        sandbox = open_sandbox(Path.cwd())
        if not sandbox.state.is_dir():
            typer.echo(f"there is no sandbox in {sandbox.state}")
            return
        names = ", ".join(sandbox.list_stacks()) or "none"
        typer.echo(
            f"to be deleted: {sandbox.state}\n  stacks: {names}, with the imitation cloud they live in"
        )
        if not yes and not typer.confirm("Delete it?"):
            raise typer.Exit(1)
        sandbox.reset()
        typer.echo("deleted; the project's files are as they were")


for verb in (world.show, world.drift, world.remove, world.quota, world.enable, world.bucket):
    app.command()(verb)
for verb in (world.fault, world.calm, world.pace):
    app.command()(verb)
app.command("run", context_settings={"ignore_unknown_options": True})(world.run)
