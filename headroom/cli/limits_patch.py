"""Estimated limits as a patch of the stack file: shown, and written where the plan stays sound."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from headroom.cli.asides import aside

if TYPE_CHECKING:
    from headroom.planning.comparison import Comparison


def render_patch(path: Path, found: "Iterable[Comparison]") -> str:
    """Return the difference that new limits make to a stack file; empty where they make none.

    Raises StackFileError where the file cannot be read, or not changed in place.
    """
    return _difference(path.name, *_change(path, found))


def write_limits(stack: str, path: Path, found: "Iterable[Comparison]", *, quiet: bool) -> None:
    """Write new limits into a stack file, and unless `quiet` show the difference.

    Raises StackFileError where they cannot be written, or the plan would not be sound with them.
    """
    from headroom.live.limits_file import replace_text

    before, after = _change(path, found)
    if after == before:
        aside(f"{path.name}: nothing to write")
        return
    replace_text(path, after, before, _soundness(stack, path))
    if not quiet:
        typer.echo(_difference(path.name, before, after))
    aside(f"{path.name}: written")


def _change(path: Path, found: "Iterable[Comparison]") -> tuple[str, str]:
    from headroom.live.limits_file import read_text
    from headroom.planning.comparison import new_limits
    from headroom.spec.limits_edit import put_limits

    before = read_text(path)
    return before, put_limits(before, new_limits(found), path.name)


def _difference(name: str, before: str, after: str) -> str:
    from difflib import unified_diff

    return "\n".join(unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=1))


def _soundness(stack: str, path: Path) -> Callable[[Path], None]:
    from headroom.planning.plan import plan_config
    from headroom.spec.errors import Problem, StackFileError
    from headroom.spec.stack_file import load_config, load_neighbours

    def require_sound(draft: Path) -> None:
        try:
            config = load_config(draft)
            plan_config(config, stack, path.name, neighbours=load_neighbours(config, path.parent))
        except StackFileError as error:
            told = Problem("", "not written, since with these limits the plan would not be sound:")
            raise StackFileError([told, *error.problems], path.name) from None

    return require_sound
