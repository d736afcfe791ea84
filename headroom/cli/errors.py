"""What the user can mend ends a command with its message and exit code 2."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

import typer

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
