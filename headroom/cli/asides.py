"""What is said beside a result: warnings, notes, hints, progress. --quiet leaves it out; errors stay."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import typer

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def aside(line: str) -> None:
    """Print a line to standard error, unless --quiet was given."""
    if not _quiet.get():
        typer.echo(line, err=True)


@contextmanager
def working(what: str) -> Generator[None]:
    """Show on a terminal what is being done, for as long as it takes; nothing with --quiet, or in a pipe."""
    from rich.console import Console

    console = Console(stderr=True, quiet=_quiet.get())
    if not console.is_terminal:
        yield
        return
    with console.status(what, spinner_style="dim"):
        yield


def add_quiet(command: Any) -> None:
    """Give --quiet to a command, or to all of a group; not to one that hands its arguments on."""
    for each in list_commands(command):
        if not each.context_settings.get("ignore_unknown_options"):
            each.params.append(_make_option())


def list_commands(command: Any) -> Iterator[Any]:
    """Yield a command, or all of a group and of its groups."""
    if not hasattr(command, "commands"):
        yield command
        return
    for each in command.commands.values():
        yield from list_commands(each)


def _remember(given: bool) -> None:
    _quiet.set(given)


def _make_option() -> Any:
    """The option as typer makes it of a signature; the command that it is added to is not told of it."""

    def command(
        quiet: Annotated[
            bool,
            typer.Option("--quiet", "-q", callback=_remember, help="No warnings, notes, hints or progress."),
        ] = False,
    ) -> None:
        """Only there to be read."""

    maker = typer.Typer(add_completion=False)
    maker.command()(command)
    option = next(each for each in typer.main.get_command(maker).params if each.name == "quiet")
    option.expose_value = False
    return option
