"""What the user can mend ends a command with its message and exit code 2."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

from headroom.cli.asides import aside

if TYPE_CHECKING:
    from headroom.live.connection import UnansweredError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def user_errors() -> Generator[None]:
    """Turn what the user can mend into its message and exit code 2."""
    from sandbox.engine.errors import SandboxError

    try:
        yield
    except SandboxError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"error: {_explain(error)}", err=True)
        raise typer.Exit(2) from None


@contextmanager
def google_errors(about: str = "") -> Generator[None]:
    """End with exit code 3 where Google does not answer, and 2 where the environment names no endpoint."""
    from headroom.live.connection import EndpointError, UnansweredError

    try:
        yield
    except EndpointError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except UnansweredError as error:
        end_unanswered(error, 3, about)


def end_unanswered(error: "UnansweredError", code: int, about: str = "") -> NoReturn:
    """Say what Google did not answer and what to do about it, and end with the exit code."""
    typer.echo(f"error: {about}{error}", err=True)
    if error.remedy:
        aside(f"hint: {error.remedy}")
    raise typer.Exit(code) from None


def _explain(error: OSError) -> str:
    """What failed and where, which folders are written to, and how to choose others."""
    from sandbox.engine.cache import find_cache_folder

    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in _FULL:
        return f"{what}: make room, or name folders elsewhere in HEADROOM_CACHE and HEADROOM_SANDBOX"
    return (
        f"{what}. What is built is kept in HEADROOM_CACHE (now {find_cache_folder()}), and the sandbox in "
        "HEADROOM_SANDBOX (by default a folder of that cache): set either to a folder that you can write to"
    )
