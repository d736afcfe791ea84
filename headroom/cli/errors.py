"""What the user can mend ends a command with its message and exit code 2."""

from collections.abc import Generator
from contextlib import contextmanager

import typer


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
        remedy = "make room, or name another folder in HEADROOM_SANDBOX or HEADROOM_CACHE"
        typer.echo(f"error: {error}: {remedy}", err=True)
        raise typer.Exit(2) from None
