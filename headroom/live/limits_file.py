"""Writes new limits into a stack file, as a whole or not at all."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from headroom.spec.errors import Problem, StackFileError


def read_text(path: Path) -> str:
    """Return the text of a stack file, its line ends as they are. Raises StackFileError."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be read: {error.strerror}")], path.name) from None
    except UnicodeDecodeError:
        raise StackFileError([Problem("", "is not text in UTF-8")], path.name) from None


def replace_text(path: Path, text: str, before: str, require_sound: Callable[[Path], None]) -> None:
    """Replace the text of a stack file that still is as `before`, if `require_sound` accepts the new one.

    `require_sound` is given a draft beside the file, and raises what keeps it from being used. Raises
    StackFileError where the file cannot be written, or has been changed meanwhile.
    """
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode())
        shutil.copymode(target, draft)
        require_sound(draft)
        if read_text(target) != before:
            raise StackFileError([Problem("", "has been changed meanwhile; try again")], path.name)
        draft.replace(target)
    except OSError as error:
        raise StackFileError([Problem("", f"cannot be written: {error.strerror}")], path.name) from None
    finally:
        draft.unlink(missing_ok=True)
